"""Scores by empirical Bayes: level, slope on prices, and variances come from the models seen.

A model's mean score is drawn about what its list price suggests, with a variance between models;
its scores are drawn about that mean, with a variance of their own. All of these are estimated from
the world at hand (Morris 1983, "Parametric empirical Bayes inference"; Gelman et al., "Bayesian
Data Analysis", chapter 5), each held for a start by a few pseudo-observations in terms of the
largest score seen, so that scores may have any scale.
"""

from __future__ import annotations

import math

import numpy as np

from stageroute_agents.arrays import Floats
from stageroute_agents.paced.evidence import SCORE_SUM, SCORES, SPREAD
from stageroute_gym.compiling import njit

# Effects, slope and variances depend on each other, and are fitted in turn so often.
_SWEEPS = 3
# In terms of the largest score seen: the level, the variance between models, that of one score.
_LEVEL, _BETWEEN, _WITHIN = 0.65, 0.04, 0.15
# Their weights: in models, in models, in scores.
_LEVEL_WEIGHT, _BETWEEN_WEIGHT, _WITHIN_WEIGHT = 3.0, 3.0, 1.0
# Weight, in scores, of the variance of all models' scores against that of one model's.
_POOLED_WEIGHT = 4.0
# Deviation of the slope before anything is observed, in the units of the slope.
_SLOPE_DEVIATION = 0.5
_TINY = 1e-300


@njit(cache=True)
def standard_logs(list_price: Floats, log_price: Floats) -> None:
    """Write the logarithms of the list prices, standardised; 0 where unknown or all alike.

    Args:
        list_price: USD, 0 where unknown, shape (N,), float64.
        log_price: written, shape (N,), float64.
    """
    total, squares, known = 0.0, 0.0, 0
    for m in range(len(list_price)):
        log_price[m] = 0.0
        if list_price[m] > 0.0:
            log_price[m] = math.log(list_price[m])
            total += log_price[m]
            known += 1
    for m in range(len(list_price)):
        if list_price[m] > 0.0:
            log_price[m] -= total / known
            squares += log_price[m] ** 2
    if squares > _TINY:
        log_price /= math.sqrt(squares / known)


@njit(cache=True)
def score_variances(cells: Floats, scale: float, variance: Floats) -> None:
    """Write the variance of one score of each model about its mean on the task.

    A model's own is drawn to that of all models, and that to a guess.

    Args:
        cells: the evidence of one episode, shape (G, N, 5), float64.
        scale: the largest score seen.
        variance: written, shape (N,), float64.
    """
    groups, n = cells.shape[:2]
    total, freedom = _WITHIN_WEIGHT * _WITHIN * scale * scale, _WITHIN_WEIGHT
    for g in range(groups):
        for m in range(n):
            total += cells[g, m, SPREAD]
            freedom += max(cells[g, m, SCORES] - 1.0, 0.0)
    pooled = total / freedom
    for m in range(n):
        total, freedom = _POOLED_WEIGHT * pooled, _POOLED_WEIGHT
        for g in range(groups):
            total += cells[g, m, SPREAD]
            freedom += max(cells[g, m, SCORES] - 1.0, 0.0)
        variance[m] = total / freedom


@njit(cache=True)
def score_effects(
    cells: Floats,
    weight: Floats,
    log_price: Floats,
    price_slope: float,
    scale: float,
    pulls: Floats,
    pending: Floats,
    variance: Floats,
    of_model: Floats,
    of_task: Floats,
    doubt: Floats,
) -> None:
    """Write the scores' effects of the models, and those of the tasks, whose mean is 0.

    Args:
        cells: the evidence of one episode, shape (G, N, 5), float64.
        weight: share of each task in the queries, shape (G,), float64.
        log_price: from `standard_logs`, shape (N,), float64.
        price_slope: prior of the slope, see `stageroute_agents.paced.estimates.Prior`.
        scale: the largest score seen.
        pulls: scores known of each model, shape (N,), float64.
        pending: scores still to come, shape (N,), float64.
        variance: from `score_variances`, shape (N,), float64.
        of_model: written, shape (N,), float64.
        of_task: written, shape (G,), float64.
        doubt: written: variance of what ``of_model`` is taken to be, once the pending scores are
            known, shape (N,), float64.
    """
    groups, n = cells.shape[:2]
    guess = _BETWEEN * scale * scale
    between, expected = guess, np.empty(n)
    task_weight = variance.mean() / guess
    of_task[:] = 0.0
    for _ in range(_SWEEPS):
        for m in range(n):
            of_model[m] = 0.0
            for g in range(groups):
                of_model[m] += cells[g, m, SCORE_SUM] - cells[g, m, SCORES] * of_task[g]
        _expect_scores(of_model, pulls, variance, log_price, price_slope, scale, between, expected)
        squares, tried = _BETWEEN_WEIGHT * guess, _BETWEEN_WEIGHT
        for m in range(n):
            off = 0.0
            if pulls[m] > 0.0:
                part = between / (between + variance[m] / pulls[m])
                off = part * (of_model[m] / pulls[m] - expected[m])
                squares += off * off + (1.0 - part) * between
                tried += 1.0
            of_model[m] = expected[m] + off
            known = pulls[m] + pending[m]
            doubt[m] = between * variance[m] / (variance[m] + known * between)
        between = squares / tried
        if groups > 1:
            centre = 0.0
            for g in range(groups):
                total, number = 0.0, task_weight
                for m in range(n):
                    total += cells[g, m, SCORE_SUM] - cells[g, m, SCORES] * of_model[m]
                    number += cells[g, m, SCORES]
                of_task[g] = total / number
                centre += weight[g] * of_task[g]
            of_task -= centre


@njit(cache=True)
def _expect_scores(
    sums: Floats,
    pulls: Floats,
    variance: Floats,
    log_price: Floats,
    price_slope: float,
    scale: float,
    between: float,
    expected: Floats,
) -> None:
    """What to expect of each model's score before it is tried, from those that have been.

    A Bayesian regression on the prices; a model's mean counts in the part of its variance that is
    between models. Its sign and whether prices say anything at all are learned with the slope.
    """
    slope_weight = 1.0 / _SLOPE_DEVIATION**2
    s0, s1, s2 = _LEVEL_WEIGHT, 0.0, slope_weight
    t0 = _LEVEL_WEIGHT * _LEVEL * scale
    t1 = slope_weight * price_slope * math.sqrt(between)
    for m in range(len(pulls)):
        if pulls[m] > 0.0:
            weight = between / (between + variance[m] / pulls[m])
            mean = sums[m] / pulls[m]
            s0 += weight
            s1 += weight * log_price[m]
            s2 += weight * log_price[m] * log_price[m]
            t0 += weight * mean
            t1 += weight * mean * log_price[m]
    determinant = s0 * s2 - s1 * s1
    level = (t0 * s2 - t1 * s1) / determinant
    slope = (s0 * t1 - s1 * t0) / determinant
    for m in range(len(pulls)):
        expected[m] = min(max(level + slope * log_price[m], 0.0), 1.0)
