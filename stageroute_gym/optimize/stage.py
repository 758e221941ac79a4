"""The stage oracle: what the best deployment and routing earn in each stage, the means known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stageroute_gym.array_types import Floats
from stageroute_gym.checks import count
from stageroute_gym.optimize.arguments import as_budget, as_budgets, stage_arrays
from stageroute_gym.optimize.deploy import deploy_rows
from stageroute_gym.optimize.horizon import horizon_oracle


class StagePlan(NamedTuple):
    """What the stage oracle does.

    Attributes:
        values: ``V_k``, expected score of a query in each stage, float64 ``(K,)``; 0 where no
            model is available.
        weights: share of a stage's queries that each model serves, float64 ``(K, N)``.
        feasible: whether some mixture of a stage that serves all queries, as far as the caps let
            it, is within the budget, bool ``(K,)``.

    """

    values: Floats
    weights: Floats
    feasible: NDArray[np.bool_]


def stage_oracle(
    mean_score: ArrayLike,
    mean_cost: ArrayLike,
    available: ArrayLike,
    budget: float,
    throughput: ArrayLike,
    max_deployed: int,
) -> StagePlan:
    """Solve for what the oracle of Li & Li (2026, arXiv 2506.17254) earns a query in each stage.

    ``V_k`` is the value of DeployOPT (Eq. 3) under the true means, see `deploy_mip`. Where no
    mixture that serves all queries is affordable, the oracle declines some: it earns what
    `horizon_oracle` would with this stage alone, so it never overspends. Equal stages are solved
    once.

    Args:
        mean_score: expected scores, at least 0, ``(K, N)``; not read where not available.
        mean_cost: expected costs, USD, at least 0, ``(K, N)``; not read where not available.
        available: whether a model may be deployed in a stage, bool ``(K, N)``.
        budget: ``b``, USD a query, above 0.
        throughput: ``alpha`` in [0, 1], scalar or ``(N,)``.
        max_deployed: ``M_max``, at least 1.

    Returns:
        The plan.

    Raises:
        FieldError: a shape or a value is not allowed.

    """
    score, cost, caps = stage_arrays(mean_score, mean_cost, available, throughput)
    slots = count("max_deployed", max_deployed, 1)
    _, first, copy = np.unique(
        np.concatenate([score, cost, caps], axis=1), axis=0, return_index=True, return_inverse=True
    )
    budgets = as_budgets(as_budget(budget), len(first))
    weights, values, _, feasible = deploy_rows(
        score[first], cost[first], budgets, caps[first], slots
    )
    for row in np.flatnonzero(~feasible).tolist():
        stage = first[row : row + 1]
        plan = horizon_oracle(
            score[stage], cost[stage], caps[stage] > 0.0, [1.0], budget, caps[stage[0]], slots
        )
        values[row], weights[row] = plan.value, plan.weights[0]
    return StagePlan(values[copy], weights[copy], feasible[copy])
