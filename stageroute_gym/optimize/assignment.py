"""The best assignment of groups of queries to models under one budget: a linear programme.

What it is an oracle for depends on the groups: with one group a stage it is blind to the queries,
with one for each task it knows their tasks, with one for each query it knows everything.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.array_types import Floats


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
    stage: NDArray[np.int64],
    capacity: Floats,
    total_budget: float,
) -> AssignmentPlan:
    """Maximise ``sum_rm score_rm x_rm``, where model m serves ``x_rm >= 0`` queries of group r.

    Subject to ``sum_m x_rm <= queries_r``, ``sum_(r in stage k) x_rm <= capacity_km`` and
    ``sum_rm cost_rm x_rm <= total_budget``. Exact up to the tolerances of HiGHS (1e-7), whose
    interior point method ends with a crossover to a vertex.

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
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    num_groups, num_models = score.shape
    num_stages = len(capacity)
    group, model = np.nonzero(capacity[stage] > 0)
    if len(group) == 0:
        return AssignmentPlan(0.0, np.zeros(score.shape), 0.0, 0.0)
    variable = np.arange(len(group))
    # In units of the budget per query the rows of the matrix are of one size.
    scale = queries.sum() / total_budget
    matrix = csr_array(
        (
            np.concatenate([np.ones(2 * len(group)), cost[group, model] * scale]),
            (
                np.concatenate(
                    [
                        group,
                        num_groups + stage[group] * num_models + model,
                        np.full(len(group), num_groups + num_stages * num_models),
                    ]
                ),
                np.tile(variable, 3),
            ),
        ),
        shape=(num_groups + num_stages * num_models + 1, len(group)),
    )
    limits = np.concatenate([queries, capacity.ravel(), [queries.sum()]])
    solved = linprog(-score[group, model], A_ub=matrix, b_ub=limits, method="highs-ipm")
    if not solved.success:
        raise RuntimeError(f"HiGHS did not solve the assignment: {solved.message}")
    shares = np.zeros(score.shape)
    shares[group, model] = solved.x / queries[group]
    return AssignmentPlan(
        value=-float(solved.fun),
        shares=shares,
        price=-float(solved.ineqlin.marginals[-1]) * scale,
        spend=float(cost[group, model] @ solved.x),
    )
