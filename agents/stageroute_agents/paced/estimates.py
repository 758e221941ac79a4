"""What PacedRoute concludes from its evidence: scores, how uncertain they are, and costs."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from stageroute_agents.arrays import Floats
from stageroute_agents.paced.evidence import COST_SUM, COSTS, SCORE_SUM, SCORES
from stageroute_gym.compiling import njit

# Effects of models and of tasks are fitted in turn, so often.
_SWEEPS = 3
# Means are kept off the ends, where the variance of a score would vanish.
_LOWEST, _HIGHEST = 0.05, 0.95
# Weight, in models, of the prior on the level of the scores.
_LEVEL_WEIGHT = 3.0
_TINY = 1e-300


class Prior(NamedTuple):
    """What is expected before anything has been observed.

    Attributes:
        score_prior: weight of the prior on a model's score, in observations.
        prior_mean: prior mean of a score.
        price_slope: prior of the rise in score for a list price ``e`` times as high.
        slope_prior: weight of that prior, in squared logarithms of a price.
        cost_prior: weight of the prior on a model's cost, in observations.
        cell_prior: weight of model and task against their combination, in observations.
    """

    score_prior: float
    prior_mean: float
    price_slope: float
    slope_prior: float
    cost_prior: float
    cell_prior: float


@njit(cache=True)
def estimate_rows(
    cells: Floats,
    weight: Floats,
    pending: Floats,
    list_price: Floats,
    prior: Prior,
    cheapest: float,
    score: Floats,
    deviation: Floats,
    cost: Floats,
) -> None:
    """Estimate every model's score and cost on every task, in each episode.

    A score is expected to be the model's effect plus the task's, and a cost the model's times the
    task's, as costs of different models on one query are nearly proportional; ``cell_prior``
    pseudo-observations hold each cell to that. A model's effect has ``score_prior``
    pseudo-observations at what its list price suggests: a ridge regression of the scores on the log
    list price over all models tried. A model's cost has ``cost_prior`` ones at its list price or,
    where that is unknown, at the mean cost of all outcomes.

    The deviation is that of a posterior mean, for scores of the variance ``m (1 - m)``, the largest
    that a score in [0, 1] with mean ``m`` can have.

    Args:
        cells: the evidence, shape (E, G, N, 4), float64.
        weight: share of each task in the queries, shape (E, G), float64.
        pending: queries whose outcome is still to come, shape (E, N), float64.
        list_price: USD, 0 where unknown, shape (E, N), float64.
        prior: see `Prior`.
        cheapest: smallest cost that a query can have, USD.
        score: written, shape (E, G, N), float64.
        deviation: written, shape (E, G, N), float64.
        cost: written, USD, shape (E, G, N), float64.
    """
    rows, groups, n = cells.shape[:3]
    score_prior, cell_prior = prior.score_prior, prior.cell_prior
    log_price, pulls, expected, of_model = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    of_task = np.empty(groups)
    for e in range(rows):
        _centred_logs(list_price[e], log_price)
        for m in range(n):
            pulls[m] = 0.0
            for g in range(groups):
                pulls[m] += cells[e, g, m, SCORES]
        _score_effects(cells[e], weight[e], log_price, prior, pulls, expected, of_model, of_task)
        for g in range(groups):
            for m in range(n):
                mean, part = of_model[m], 1.0 / (pulls[m] + pending[e, m] + score_prior)
                if groups > 1:
                    number = cells[e, g, m, SCORES] + cell_prior
                    mean = cell_prior * (of_model[m] + of_task[g]) + cells[e, g, m, SCORE_SUM]
                    mean /= number
                    part = 1.0 / number + (cell_prior / number) ** 2 * part
                score[e, g, m] = min(max(mean, 0.0), 1.0)
                inner = min(max(mean, _LOWEST), _HIGHEST)
                deviation[e, g, m] = math.sqrt(inner * (1.0 - inner) * part)
        _estimate_costs(
            cells[e], weight[e], list_price[e], prior, cheapest, of_model, of_task, cost[e]
        )


@njit(cache=True)
def _centred_logs(list_price: Floats, log_price: Floats) -> None:
    """Logarithms of the list prices less their mean; 0 where unknown."""
    total, known = 0.0, 0
    for m in range(len(list_price)):
        log_price[m] = 0.0
        if list_price[m] > 0.0:
            log_price[m] = math.log(list_price[m])
            total += log_price[m]
            known += 1
    for m in range(len(list_price)):
        if list_price[m] > 0.0:
            log_price[m] -= total / known


@njit(cache=True)
def _score_effects(
    cells: Floats,
    weight: Floats,
    log_price: Floats,
    prior: Prior,
    pulls: Floats,
    expected: Floats,
    of_model: Floats,
    of_task: Floats,
) -> None:
    """Write the scores' effects of the models, and those of the tasks, whose mean is 0."""
    groups, n = cells.shape[:2]
    score_prior = prior.score_prior
    of_task[:] = 0.0
    for _ in range(_SWEEPS if groups > 1 else 1):
        for m in range(n):
            of_model[m] = 0.0
            for g in range(groups):
                of_model[m] += cells[g, m, SCORE_SUM] - cells[g, m, SCORES] * of_task[g]
        _expect_scores(of_model, pulls, log_price, prior, expected)
        for m in range(n):
            of_model[m] = (of_model[m] + score_prior * expected[m]) / (pulls[m] + score_prior)
        if groups > 1:
            centre = 0.0
            for g in range(groups):
                total, number = 0.0, score_prior
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
    log_price: Floats,
    prior: Prior,
    expected: Floats,
) -> None:
    """What to expect of each model's score before it is tried, from those that have been."""
    slope_prior = prior.slope_prior
    s0, s1, s2 = _LEVEL_WEIGHT, 0.0, slope_prior
    t0, t1 = _LEVEL_WEIGHT * prior.prior_mean, slope_prior * prior.price_slope
    for m in range(len(pulls)):
        if pulls[m] > 0.0:
            weight = pulls[m] / (pulls[m] + prior.score_prior)
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
        expected[m] = min(max(level + slope * log_price[m], _LOWEST), _HIGHEST)


@njit(cache=True)
def _estimate_costs(
    cells: Floats,
    weight: Floats,
    list_price: Floats,
    prior: Prior,
    cheapest: float,
    of_model: Floats,
    of_task: Floats,
    cost: Floats,
) -> None:
    """Write the costs; the two arrays of effects are working space."""
    groups, n = cells.shape[:2]
    cost_prior, cell_prior = prior.cost_prior, prior.cell_prior
    number, total = 0.0, 0.0
    for g in range(groups):
        for m in range(n):
            number += cells[g, m, COSTS]
            total += cells[g, m, COST_SUM]
    pooled = max(total / max(number, 1.0), cheapest)
    of_task[:] = 1.0
    for _ in range(_SWEEPS if groups > 1 else 1):
        for m in range(n):
            guess = list_price[m] if list_price[m] > 0.0 else pooled
            number, total = cost_prior, cost_prior * guess
            for g in range(groups):
                number += cells[g, m, COSTS] * of_task[g]
                total += cells[g, m, COST_SUM]
            of_model[m] = total / number
        if groups > 1:
            centre = 0.0
            for g in range(groups):
                # Where all costs are 0, all tasks are alike.
                number = total = max(cost_prior * pooled, _TINY)
                for m in range(n):
                    number += cells[g, m, COSTS] * of_model[m]
                    total += cells[g, m, COST_SUM]
                of_task[g] = total / number
                centre += weight[g] * of_task[g]
            of_task /= centre
    for g in range(groups):
        for m in range(n):
            cost[g, m] = of_model[m] * of_task[g]
            if groups > 1:
                cost[g, m] *= cell_prior
                cost[g, m] += cells[g, m, COST_SUM]
                cost[g, m] /= cells[g, m, COSTS] + cell_prior
