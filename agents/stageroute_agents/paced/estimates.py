"""What PacedRoute concludes from its evidence, by model and task."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from stageroute_agents.arrays import Floats
from stageroute_agents.paced.costs import estimate_costs
from stageroute_agents.paced.evidence import SCORE_SUM, SCORES
from stageroute_agents.paced.scores import score_effects, score_variances, standard_logs
from stageroute_gym.compiling import njit


class Prior(NamedTuple):
    """What is expected before anything has been observed.

    Attributes:
        price_slope: rise in score for a list price that is dearer by one standard deviation (of
            the logarithms), in standard deviations between models.
        cell_prior: weight of model and task against their combination, in observations.
    """

    price_slope: float
    cell_prior: float


@njit(cache=True)
def estimate_rows(
    cells: Floats,
    weight: Floats,
    pending: Floats,
    scale: Floats,
    list_price: Floats,
    prior: Prior,
    cheapest: float,
    score: Floats,
    deviation: Floats,
    noise: Floats,
    cost: Floats,
) -> None:
    """Estimate every model's score and cost on every task, in each episode.

    A score is expected to be the model's effect plus the task's, and a cost the model's times the
    task's, as costs of different models on one query are nearly proportional; ``cell_prior``
    pseudo-observations hold each cell to that. How the effects are found stands in
    `stageroute_agents.paced.scores` and `stageroute_agents.paced.costs`.

    Args:
        cells: the evidence, shape (E, G, N, 5), float64.
        weight: share of each task in the queries, shape (E, G), float64.
        pending: queries whose outcome is still to come, shape (E, N), float64.
        scale: the largest score seen, 0 before any, shape (E,), float64.
        list_price: USD, 0 where unknown, shape (E, N), float64.
        prior: see `Prior`.
        cheapest: smallest cost that a query can have, USD.
        score: written, shape (E, G, N), float64.
        deviation: written: standard deviation of what the mean score is taken to be, once the
            pending outcomes are known, shape (E, G, N), float64.
        noise: written: standard deviation of one score about that mean, shape (E, N), float64.
        cost: written, USD, shape (E, G, N), float64.
    """
    rows, groups, n = cells.shape[:3]
    cell_prior = prior.cell_prior
    log_price, pulls, of_model, doubt = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    variance, of_task = np.empty(n), np.empty(groups)
    for e in range(rows):
        standard_logs(list_price[e], log_price)
        largest = scale[e] if scale[e] > 0.0 else 1.0
        score_variances(cells[e], largest, variance)
        for m in range(n):
            noise[e, m] = math.sqrt(variance[m])
            pulls[m] = 0.0
            for g in range(groups):
                pulls[m] += cells[e, g, m, SCORES]
        score_effects(
            cells[e],
            weight[e],
            log_price,
            prior.price_slope,
            largest,
            pulls,
            pending[e],
            variance,
            of_model,
            of_task,
            doubt,
        )
        for g in range(groups):
            for m in range(n):
                mean, spread = of_model[m], doubt[m]
                if groups > 1:
                    number = cells[e, g, m, SCORES] + cell_prior
                    mean = cell_prior * (of_model[m] + of_task[g]) + cells[e, g, m, SCORE_SUM]
                    mean /= number
                    spread = variance[m] / number + (cell_prior / number) ** 2 * spread
                score[e, g, m] = min(max(mean, 0.0), 1.0)
                deviation[e, g, m] = math.sqrt(spread)
        estimate_costs(
            cells[e], weight[e], list_price[e], cell_prior, cheapest, of_model, of_task, cost[e]
        )
