"""The best assignment of groups of queries to models under one budget: a linear programme.

What it is an oracle for depends on the groups: with one group a stage it is blind to the queries,
with one for each task it knows their tasks, with one for each query it knows everything.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stageroute_gym.array_types import Floats, Integers


class AssignmentPlan(NamedTuple):
    """Solution of `assign`.

    Attributes:
        value: expected score over the horizon.
        shares: share of each group's queries that each model serves, float64 ``(R, N)``; what a row
            lacks to 1 is declined.
        price: optimal multiplier ``lambda`` of the budget, score per USD; 0 where it does not bind.
        spend: expected cost over the horizon, USD.
    """

    value: float
    shares: Floats
    price: float
    spend: float


def assign(
    score: Floats,
    cost: Floats,
    queries: Floats,
    stage: Integers,
    capacity: Floats,
    total_budget: float,
) -> AssignmentPlan:
    """Maximise ``sum_rm score_rm x_rm``, where model m serves ``x_rm >= 0`` queries of group r.

    Subject to ``sum_m x_rm <= queries_r``, ``sum_(r in stage k) x_rm <= capacity_km`` and
    ``sum_rm cost_rm x_rm <= total_budget``. Solved by HiGHS, whose interior point
    method ends with a crossover to a vertex; the value is the best up to a part of 1e-8, at any
    scale of scores and costs.

    Args:
        score: expected score of each model on each group, ``(R, N)``.
        cost: expected cost in USD per query, at least 0, ``(R, N)``.
        queries: number of queries in each group, above 0, ``(R,)``.
        stage: stage of each group, int64 ``(R,)``.
        capacity: how many queries each model can serve in each stage, ``(K, N)``; 0 for a model not
            on offer.
        total_budget: USD, above 0.

    Returns:
        The plan; with no group or no model on offer: zeros.

    Raises:
        RuntimeError: the solver failed.
    """
    group, model = np.nonzero((capacity[stage] > 0.0) & (score > 0.0))
    most = np.minimum(queries[group], capacity[stage[group], model])
    price = cost[group, model]
    # The whole budget on one model bounds it as well, so that nothing is worth more than the plan.
    most = np.minimum(most, np.divide(total_budget, price, out=most.copy(), where=price > 0.0))
    served = np.zeros(score.shape)
    multiplier = 0.0
    if len(group):
        served[group, model], multiplier = _solve(
            score[group, model] * most,
            [
                (group, most / queries[group]),
                (stage[group] * score.shape[1] + model, most / capacity[stage[group], model]),
                (np.zeros(len(group), dtype=np.int64), price * most / total_budget),
            ],
        )
        served[group, model] *= most
    # Sums, not matrix products, whose last bits depend on the number of threads.
    return AssignmentPlan(
        value=float((score * served).sum()),
        shares=served / queries[:, None],
        price=multiplier / total_budget,
        spend=float((cost * served).sum()),
    )


def _solve(worth: Floats, limits: list[tuple[Integers, Floats]]) -> tuple[Floats, float]:
    """Maximise ``sum worth y`` over ``0 <= y <= 1``, where some weighted sums of y are at most 1.

    HiGHS has absolute tolerances, so all that it sees is of order 1: the worth against the largest,
    which no plan falls short of, and each row against its largest weight.

    Args:
        worth: float64 ``(V,)``, above 0; no plan falls short of the largest.
        limits: number of the row that each variable belongs to and its weight there, at most 1.

    Returns:
        ``y`` within all limits, and the multiplier of the last row, in units of ``worth``.
    """
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    count, scale = len(worth), worth.max()
    rows: list[Integers] = []
    weights: list[Floats] = []
    right: list[Floats] = []
    for name, weight in limits:
        _, row = np.unique(name, return_inverse=True)
        largest = np.zeros(row.max() + 1)
        np.maximum.at(largest, row, weight)
        # A row without weights, as of free models, limits nothing.
        largest[largest == 0.0] = 1.0
        rows.append(row + sum(map(len, right)))
        weights.append(weight / largest[row])
        right.append(1.0 / largest)
    matrix = csr_array(
        (np.concatenate(weights), (np.concatenate(rows), np.tile(np.arange(count), len(limits)))),
        shape=(sum(map(len, right)), count),
    )
    solved = linprog(
        -worth / scale,
        A_ub=matrix,
        b_ub=np.concatenate(right),
        method="highs-ipm",
        options={
            "primal_feasibility_tolerance": 1e-10,
            "dual_feasibility_tolerance": 1e-10,
        },
    )
    if not solved.success:
        raise RuntimeError(f"HiGHS did not solve the assignment: {solved.message}")
    y = np.clip(solved.x, 0.0, 1.0)
    for row, weight in limits:
        # What the tolerances let pass is taken back.
        used = np.bincount(row, weight * y)
        y /= np.maximum(used, 1.0)[row]
    return y, max(-float(solved.ineqlin.marginals[-1]) * scale * right[-1][-1], 0.0)
