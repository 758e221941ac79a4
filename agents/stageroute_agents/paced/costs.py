"""Costs, from outcomes and from list prices, as far as these have proved to tell of the costs."""

from __future__ import annotations

import math

import numpy as np

from stageroute_agents.arrays import Floats
from stageroute_agents.paced.evidence import COST_SUM, COSTS
from stageroute_gym.compiling import njit

# Effects of models and of tasks are fitted in turn, so often.
_SWEEPS = 3
# Variances of logarithms: of one cost about its model's mean, of a model's mean about a list price
# that informs, and between models whose prices are unknown.
_ONE_COST, _LISTED, _UNLISTED = 0.75, 0.25, 1.5
# Evidence, in nats, that list prices inform: before any outcome, and at most from one model.
_TRUST, _LARGEST_STEP = 1.0, 5.0
_LEAST_SPREAD = 0.01
_TASK_WEIGHT = 3.0  # of the prior that all tasks are alike, in costs
_TINY = 1e-300


@njit(cache=True)
def estimate_costs(
    cells: Floats,
    weight: Floats,
    list_price: Floats,
    cell_prior: float,
    cheapest: float,
    of_model: Floats,
    of_task: Floats,
    cost: Floats,
) -> None:
    """Write the costs of one episode.

    A model's mean and what was expected of it are weighed on logarithms, where a guess that is a
    thousand times too high is forgotten after a few outcomes.

    Args:
        cells: the evidence, shape (G, N, 5), float64.
        weight: share of each task in the queries, shape (G,), float64.
        list_price: USD, 0 where unknown, shape (N,), float64.
        cell_prior: weight of model and task against their combination, in observations.
        cheapest: smallest cost that a query can have, USD.
        of_model: written: effect of each model, USD, shape (N,), float64.
        of_task: written: effect of each task, whose mean is 1, shape (G,), float64.
        cost: written, USD, shape (G, N), float64.
    """
    groups, n = cells.shape[:2]
    guess, doubt = np.empty(n), np.empty(n)
    pooled = guess_costs(cells, list_price, cheapest, guess, doubt)
    of_task[:] = 1.0
    for _ in range(_SWEEPS if groups > 1 else 1):
        for m in range(n):
            number = total = 0.0
            for g in range(groups):
                number += cells[g, m, COSTS] * of_task[g]
                total += cells[g, m, COST_SUM]
            of_model[m] = guess[m]
            if number > 0.0:
                part, mean = number / (number + _ONE_COST / doubt[m]), total / number
                if mean > 0.0 and guess[m] > 0.0:
                    of_model[m] *= (mean / guess[m]) ** part
                else:
                    of_model[m] += part * (mean - guess[m])
        if groups > 1:
            centre = 0.0
            for g in range(groups):
                # Where all costs are 0, all tasks are alike.
                number = total = max(_TASK_WEIGHT * pooled, _TINY)
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


@njit(cache=True)
def guess_costs(
    cells: Floats, list_price: Floats, cheapest: float, guess: Floats, doubt: Floats
) -> float:
    """Write what to expect of each model's cost before its own outcomes, and how unsure that is.

    Two suppositions are weighed by Bayes' rule on the models seen: that a list price tells of its
    model's cost, or that it might as well be another model's. Under the second a model is expected
    to cost what the list says in the middle. Without any list it is what the models seen cost, and
    one standard deviation less where a model has not been tried.

    Args:
        cells: the evidence of one episode, shape (G, N, 5), float64.
        list_price: USD, 0 where unknown, shape (N,), float64.
        cheapest: smallest cost that a query can have, USD.
        guess: written, USD, shape (N,), float64.
        doubt: written: variance of its logarithm, shape (N,), float64.

    Returns:
        The mean cost of all outcomes, USD; ``cheapest`` before any.
    """
    groups, n = cells.shape[:2]
    seen, number = guess, doubt  # mean cost and number of costs of each model, for now
    costs = spent = 0.0
    for m in range(n):
        number[m] = total = 0.0
        for g in range(groups):
            number[m] += cells[g, m, COSTS]
            total += cells[g, m, COST_SUM]
        seen[m] = total / number[m] if number[m] > 0.0 else 0.0
        costs += number[m]
        spent += total
    listed, middle, squares = _log_moments(list_price)
    spread = squares / max(listed, 1.0)
    if listed == 0.0:
        known, middle, squares = _log_moments(seen)
        spread = (squares + _UNLISTED) / max(known, 1.0)
        if known == 0.0:
            middle = math.log(max(cheapest, _TINY))
    spread += _LEAST_SPREAD
    evidence = _TRUST
    for m in range(n):
        if seen[m] > 0.0 and list_price[m] > 0.0:
            noise = _ONE_COST / number[m]
            found = math.log(seen[m])
            near = (found - math.log(list_price[m])) ** 2 / (_LISTED + noise)
            far = (found - middle) ** 2 / (spread + noise)
            step = 0.5 * (far - near + math.log((spread + noise) / (_LISTED + noise)))
            evidence += min(max(step, -_LARGEST_STEP), _LARGEST_STEP)
    told = 1.0 / (1.0 + math.exp(min(max(-evidence, -30.0), 30.0)))
    for m in range(n):
        expected, unsure = middle, max(spread, _LISTED)
        if list_price[m] > 0.0:
            expected = told * math.log(list_price[m]) + (1.0 - told) * middle
            unsure = told * _LISTED + (1.0 - told) * unsure
        elif listed == 0.0 and seen[m] == 0.0:
            # One that may be cheap has to be tried to be known. Taken for as dear as a dear one
            # that came first, none would be where the budget is tight.
            expected -= math.sqrt(unsure)
        guess[m], doubt[m] = max(math.exp(expected), cheapest), unsure
    return max(spent / max(costs, 1.0), cheapest)


@njit(cache=True)
def _log_moments(values: Floats) -> tuple[float, float, float]:
    """Number of positive values, mean of their logarithms, and squares about it."""
    number = total = squares = 0.0
    for value in values:
        if value > 0.0:
            number += 1.0
            total += math.log(value)
    mean = total / max(number, 1.0)
    for value in values:
        if value > 0.0:
            squares += (math.log(value) - mean) ** 2
    return number, mean, squares
