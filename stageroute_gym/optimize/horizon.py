"""The horizon oracle: the most that any agent blind to the queries can expect to earn in all.

It knows the means and the arrivals, and may spend the budget unevenly over the stages and decline
queries. One price ``lambda`` couples the stages: at that price, each stage fills its models in the
order of ``score - lambda cost`` as long as that is positive. Two such solutions bracket the budget,
as in RouteOPT; stages change over from one to the other until the budget is spent, so that at most
one of them is a mixture. Where some stage then needs more than ``M_max`` models, HiGHS chooses the
sets (a mixed integer programme with gap 0), and the same method the mixtures over them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stageroute_gym.array_types import Floats
from stageroute_gym.errors import FieldError
from stageroute_gym.optimize.arguments import as_budget, as_count
from stageroute_gym.optimize.mixture import MASS_TOLERANCE, VALUE_TOLERANCE
from stageroute_gym.optimize.oracle import stage_arrays
from stageroute_gym.optimize.route import COST_TOLERANCE, route_lp


class HorizonPlan(NamedTuple):
    """What the horizon oracle does.

    Attributes:
        value: expected score, summed over the horizon.
        weights: share of the queries of a stage that each model serves, float64 ``(K, N)``; a row
            sums to less than 1 where queries are declined.
        price: multiplier ``lambda`` of the budget for the sets deployed, score per USD; 0 where the
            budget does not bind.
        spend: expected cost, USD, summed over the horizon.

    """

    value: float
    weights: Floats
    price: float
    spend: float


def horizon_oracle(
    mean_score: ArrayLike,
    mean_cost: ArrayLike,
    available: ArrayLike,
    stage_lengths: ArrayLike,
    budget: float,
    throughput: ArrayLike,
    max_deployed: int,
) -> HorizonPlan:
    """Solve for the best deployments and mixtures of all stages under one budget.

    Maximises ``sum_k L_k sum_m mu_km d_km`` subject to ``sum_k L_k sum_m c_km d_km <= b T``,
    ``sum_m d_km <= 1``, ``0 <= d_km <= alpha_m z_km`` and ``sum_m z_km <= M_max`` with binary
    ``z``, where ``T = sum_k L_k``. With ``max_deployed`` of at least ``N`` the last is void, which
    makes the oracle stronger.

    Args:
        mean_score: expected scores, at least 0, ``(K, N)``; not read where not available.
        mean_cost: expected costs, USD, at least 0, ``(K, N)``; not read where not available.
        available: whether a model may be deployed in a stage, bool ``(K, N)``.
        stage_lengths: ``L_k``, queries in each stage, at least 0, ``(K,)``.
        budget: ``b``, USD a query, above 0 (infinity: none).
        throughput: ``alpha`` in [0, 1], scalar or ``(N,)``.
        max_deployed: ``M_max``, at least 1.

    Returns:
        The plan, exact.

    Raises:
        FieldError: a shape or a value is not allowed.

    """
    score, cost, caps = stage_arrays(mean_score, mean_cost, available, throughput)
    slots = as_count("max_deployed", max_deployed)
    lengths = np.asarray(stage_lengths, dtype=np.float64)
    if lengths.shape != score.shape[:1]:
        raise FieldError("stage_lengths.shape", lengths.shape, f"{score.shape[:1]}")
    if not ((lengths >= 0.0) & (lengths < np.inf)).all():
        raise FieldError("stage_lengths", lengths.tolist(), "numbers of queries, at least 0")
    b, queries = as_budget(budget), float(lengths.sum())
    total = b * queries if queries > 0.0 else 0.0
    weights, price = _couple(score, cost, caps, lengths, total)
    if (np.count_nonzero(weights, axis=1) > slots).any():
        deployed = _choose_sets(score, cost, caps, lengths, total, slots)
        weights, price = _couple(score, cost, np.where(deployed, caps, 0.0), lengths, total)
    per_stage = lengths[:, None] * weights
    return HorizonPlan(
        float((per_stage * score).sum()), weights, price, float((per_stage * cost).sum())
    )


def _fill(score: Floats, cost: Floats, caps: Floats, weight: float, price: float) -> Floats:
    """Fill each stage at a price, ``(K, N)``; ties go to the cheaper model."""
    worth = weight * score - price * cost
    # Declining is worth 0: at an infinite price (weight 0) models that cost nothing are still used.
    usable = np.where((worth > 0.0) | ((worth == 0.0) & (cost == 0.0)), caps, 0.0)
    order = np.lexsort((-caps, cost - score, -worth), axis=1)
    sorted_caps = np.take_along_axis(usable, order, axis=1)
    before = np.cumsum(sorted_caps, axis=1) - sorted_caps
    left = 1.0 - before
    shares = np.minimum(sorted_caps, np.where(left > MASS_TOLERANCE, left, 0.0))
    weights = np.empty_like(shares)
    np.put_along_axis(weights, order, shares, axis=1)
    return weights


def _couple(
    score: Floats, cost: Floats, caps: Floats, lengths: Floats, total: float
) -> tuple[Floats, float]:
    """Solve without the limit on the number of models; returns weights and price."""

    def earned(weights: Floats) -> tuple[float, float]:
        per_stage = lengths[:, None] * weights
        return float((per_stage * score).sum()), float((per_stage * cost).sum())

    limit = total * (1.0 + COST_TOLERANCE)
    high = _fill(score, cost, caps, 1.0, 0.0)
    high_value, high_cost = earned(high)
    if high_cost <= limit:
        return high, 0.0
    low = _fill(score, cost, caps, 0.0, 1.0)
    low_value, low_cost = earned(low)
    while True:
        price = max((high_value - low_value) / (high_cost - low_cost), 0.0)
        new = _fill(score, cost, caps, 1.0, price)
        value, spend = earned(new)
        gain = (value - price * spend) - (high_value - price * high_cost)
        rounding = 100.0 * VALUE_TOLERANCE * (high_value + price * high_cost)
        if gain <= rounding or not low_cost < spend < high_cost:
            break
        if spend > limit:
            high, high_value, high_cost = new, value, spend
        else:
            low, low_value, low_cost = new, value, spend
    return _change_over(score, cost, caps, lengths, total, low, high), price


def _change_over(
    score: Floats,
    cost: Floats,
    caps: Floats,
    lengths: Floats,
    total: float,
    low: Floats,
    high: Floats,
) -> Floats:
    """Take ``high`` for ``low`` in one stage after the other until the budget is spent."""
    weights = low.copy()
    step = lengths * ((high - low) * cost).sum(axis=1)
    # Stages that save by changing over come first: they only leave more for the others.
    order = np.argsort(step, kind="stable")
    left = total - float((lengths[:, None] * low * cost).sum())
    for k in order:
        if step[k] <= left:
            weights[k] = high[k]
            left -= step[k]
            continue
        # The one mixed stage is a RouteOPT of its own, with declining as one more model.
        own = left / lengths[k] + float(low[k] @ cost[k])
        if own > 0.0:
            plan = route_lp(
                np.append(score[k], 0.0), np.append(cost[k], 0.0), own, np.append(caps[k], 1.0)
            )
            weights[k] = plan.probabilities[:-1]
        break
    return weights


def _choose_sets(
    score: Floats, cost: Floats, caps: Floats, lengths: Floats, total: float, slots: int
) -> NDArray[np.bool_]:
    """Choose the deployed set of each stage under one budget by HiGHS, bool ``(K, N)``."""
    from scipy import sparse
    from scipy.optimize import Bounds, LinearConstraint, milp

    stages, models = score.shape
    size = stages * models
    one = np.ones((1, models))
    per_stage = sparse.kron(sparse.eye(stages), one)
    none = sparse.csr_matrix((stages, size))
    spend = (lengths[:, None] * cost).ravel()
    # A model's cost is divided by the largest, as HiGHS has absolute tolerances.
    scale = max(spend.max(), np.finfo(np.float64).tiny)
    constraints = [
        LinearConstraint(
            sparse.hstack([sparse.csr_matrix(spend[None] / scale), sparse.csr_matrix((1, size))]),
            -np.inf,
            total / scale,
        ),
        LinearConstraint(sparse.hstack([per_stage, none]), -np.inf, 1.0),
        LinearConstraint(sparse.hstack([none, per_stage]), -np.inf, slots),
        LinearConstraint(
            sparse.hstack([sparse.eye(size), -sparse.diags(caps.ravel())]), -np.inf, 0.0
        ),
    ]
    worth = (lengths[:, None] * score).ravel() / lengths.max()
    result = milp(
        -np.concatenate([worth, np.zeros(size)]),
        constraints=constraints,
        integrality=np.repeat([0, 1], size),
        bounds=Bounds(0.0, np.concatenate([caps.ravel(), np.ones(size)])),
        options={"mip_rel_gap": 0.0},
    )
    if result.x is None:
        raise RuntimeError(f"HiGHS found no solution: {result.message}")
    deployed: NDArray[np.bool_] = (result.x[size:] > 0.5).reshape(score.shape)
    return deployed
