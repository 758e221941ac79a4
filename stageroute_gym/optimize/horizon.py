"""The horizon oracle: the best plan made in advance for all stages under one budget.

It knows the means and the arrivals, and may spend the budget unevenly over the stages and decline
queries. One price ``lambda`` of the budget couples the stages, and the dual at that price bounds
every plan from above. Where no stage needs more than ``M_max`` models, the plan without that limit
reaches the bound: so it does in most worlds. Else `combine` searches for the best sets. Both are
exact in relative terms at any scale of scores and costs, to a part of 1e-11.

What the plan expects is not a bound of what agents reach that are blind to the queries: where
``M_max`` binds, an agent that picks its sets by its luck with costs can exceed it, and under the
rule ``hard`` the last query may overspend. With ``max_deployed`` of at least ``N`` it is such a
bound, plus one query, for the continuous environment.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from stageroute_gym.array_types import Floats
from stageroute_gym.checks import count
from stageroute_gym.errors import FieldError
from stageroute_gym.optimize.alternatives import ROUNDING, StageGroup
from stageroute_gym.optimize.arguments import as_budget, stage_arrays
from stageroute_gym.optimize.combining import TARGET, combine
from stageroute_gym.optimize.relaxed_horizon import couple_stages, dual_bound
from stageroute_gym.optimize.route import COST_TOLERANCE
from stageroute_gym.optimize.vertices import Stage, best_vertex, shares_at, stage_of


class HorizonPlan(NamedTuple):
    """What the horizon oracle does.

    Attributes:
        value: expected score, summed over the horizon.
        weights: share of the queries of a stage that each model serves, float64 ``(K, N)``; a row
            sums to less than 1 where queries are declined.
        price: the price ``lambda`` of the budget with the smallest dual bound, score per USD; 0
            where the budget does not bind.
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
    makes the oracle stronger. The time grows with the number of different stages; see `combine`
    for its worst case.

    Args:
        mean_score: expected scores, at least 0, ``(K, N)``; not read where not available.
        mean_cost: expected costs, USD, at least 0, ``(K, N)``; not read where not available.
        available: whether a model may be deployed in a stage, bool ``(K, N)``.
        stage_lengths: ``L_k``, queries in each stage, at least 0, ``(K,)``.
        budget: ``b``, USD a query, above 0 (infinity: none).
        throughput: ``alpha`` in [0, 1], scalar or ``(N,)``.
        max_deployed: ``M_max``, at least 1.

    Returns:
        The plan; its value is the best up to a part of 1e-11.

    Raises:
        FieldError: a shape or a value is not allowed.

    """
    score, cost, caps = stage_arrays(mean_score, mean_cost, available, throughput)
    slots = count("max_deployed", max_deployed, 1)
    lengths = np.asarray(stage_lengths, dtype=np.float64)
    if lengths.shape != score.shape[:1]:
        raise FieldError("stage_lengths.shape", lengths.shape, f"{score.shape[:1]}")
    if not ((lengths >= 0.0) & (lengths < np.inf)).all():
        raise FieldError("stage_lengths", lengths.tolist(), "numbers of queries, at least 0")
    b, queries = as_budget(budget), float(lengths.sum())
    total = b * queries if queries > 0.0 else 0.0
    weights, price = couple_stages(score, cost, caps, lengths, total)
    bound = dual_bound(score, cost, caps, lengths, total, price)
    value = float((lengths[:, None] * weights * score).sum())
    few = (np.count_nonzero(weights, axis=1) <= slots).all()
    if not few or value < bound * (1.0 - TARGET):
        weights, price = _search(score, cost, caps, lengths, total, slots)
    per_stage = lengths[:, None] * weights
    return HorizonPlan(
        float((per_stage * score).sum()), weights, price, float((per_stage * cost).sum())
    )


def _search(
    score: Floats, cost: Floats, caps: Floats, lengths: Floats, total: float, slots: int
) -> tuple[Floats, float]:
    """Solve with at most ``slots`` models in each stage; returns weights and price."""
    # No model takes more than the whole budget pays. The plans are the same, and as no share is
    # worth more than a whole plan, rounding stays small against the value.
    spend = lengths[:, None] * cost
    caps = np.minimum(caps, np.divide(total, spend, out=np.full(cost.shape, 1.0), where=spend > 0))
    weights = np.zeros(score.shape)
    groups = _group(score, cost, caps, lengths, slots)
    high_value, high_cost = _best(groups, 0.0, lengths)
    price = 0.0
    if high_cost > total * (1.0 + COST_TOLERANCE):
        free = _group(score, cost, caps * (cost == 0.0), lengths, slots)
        low_value, low_cost = _best(free, 0.0, lengths)
        while True:
            price = max((high_value - low_value) / (high_cost - low_cost), 0.0)
            value, used = _best(groups, price, lengths)
            gain = (value - price * used) - (high_value - price * high_cost)
            rounding = ROUNDING * (high_value + price * high_cost)
            if gain <= rounding or not low_cost < used < high_cost:
                break
            if used > total:
                high_value, high_cost = value, used
            else:
                low_value, low_cost = value, used
    priced = []
    bound = price * total if price > 0.0 else 0.0
    for stage, members in groups:
        worth, vertex = best_vertex(stage, price)
        length = float(lengths[members[0]])
        bound += len(members) * length * worth
        priced.append(StageGroup(stage, length, members, worth))
        if price == 0.0:
            weights[np.array(members)[:, None], stage.name] = shares_at(stage, vertex, 0)
    if price > 0.0:
        for k, stage, shares in combine(priced, price, total, bound):
            weights[k, stage.name] = shares
    return weights, price


def _group(
    score: Floats, cost: Floats, caps: Floats, lengths: Floats, slots: int
) -> list[tuple[Stage, list[int]]]:
    """Gather equal stages, those that have no queries or nothing to offer left out."""
    equal: dict[bytes, list[int]] = {}
    for k in np.flatnonzero((lengths > 0.0) & (caps > 0.0).any(axis=1)).tolist():
        name = b"".join(part[k].tobytes() for part in (score, cost, caps, lengths))
        equal.setdefault(name, []).append(k)
    stages = (
        (stage_of(score[members[0]], cost[members[0]], caps[members[0]], slots), members)
        for members in equal.values()
    )
    return [(stage, [*members]) for stage, members in stages if len(stage.name)]


def _best(
    groups: list[tuple[Stage, list[int]]], price: float, lengths: Floats
) -> tuple[float, float]:
    """Value and spend of the plan in which each stage is worth most at a price."""
    value = spend = 0.0
    for stage, members in groups:
        _, vertex = best_vertex(stage, price)
        queries = float(lengths[members[0]]) * len(members)
        value += queries * float(vertex.score[0])
        spend += queries * float(vertex.cost[0])
    return value, spend
