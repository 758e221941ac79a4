"""DeployOPT (Eq. 3): the best set of at most ``M_max`` models and the mixture over it, exactly."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stageroute_gym.array_types import Flags, Floats
from stageroute_gym.checks import count
from stageroute_gym.compiling import njit
from stageroute_gym.optimize.arguments import (
    as_budget,
    as_caps,
    as_rows,
    refuse_shapes,
    refuse_values,
)
from stageroute_gym.optimize.mixture import ZERO, Budget, Models, Scratch, fill, solve_mixture
from stageroute_gym.optimize.relaxation import largest_caps
from stageroute_gym.optimize.route import COST_TOLERANCE, compact_row
from stageroute_gym.optimize.search import search


class DeployPlan(NamedTuple):
    """Solution of DeployOPT.

    Attributes:
        weights: share of queries to each model, float64 ``(N,)``.
        models: models with a positive weight, ascending, int64 ``(at most M_max,)``.
        value: expected score of a query.
        price: optimal multiplier ``lambda`` of the budget for the chosen set, score per USD; 0
            where the budget does not bind, infinite where no mixture is affordable.
        feasible: whether a mixture of at most ``M_max`` models is within the budget.

    """

    weights: Floats
    models: NDArray[np.int64]
    value: float
    price: float
    feasible: bool


class DeployPlans(NamedTuple):
    """Solutions of DeployOPT for a batch of ``E``, as in `DeployPlan`.

    Attributes:
        weights: share of queries to each model, float64 ``(E, N)``.
        value: expected score of a query, float64 ``(E,)``.
        price: multiplier of the budget, score per USD, float64 ``(E,)``.
        feasible: whether a mixture of at most ``M_max`` models is within the budget, bool ``(E,)``.

    """

    weights: Floats
    value: Floats
    price: Floats
    feasible: Flags


@njit(cache=True)
def _relaxed_row(
    score_row: Floats,
    cost_row: Floats,
    budget: float,
    throughput_row: Floats,
    max_deployed: int,
    weights_out: Floats,
) -> tuple[float, float, bool, bool]:
    """Solve RouteOPT over all models; also tells whether it keeps to ``max_deployed``."""
    size = score_row.shape[0]
    for i in range(size):
        weights_out[i] = 0.0
    floats = np.empty((5, size + 1))
    integers = np.empty((4, size + 1), dtype=np.int64)
    shares, names = floats[3], integers[3]
    count = compact_row(score_row, cost_row, throughput_row, floats, names)
    if count < 0 or math.isnan(budget):
        return math.nan, math.nan, False, True
    slots = min(max_deployed, count)
    if slots < 1:
        return 0.0, 0.0, True, True
    mass = min(1.0, largest_caps(floats[2], count, slots, floats[4]))
    value, price, _, feasible = solve_mixture(
        Models(floats[0], floats[1], floats[2]),
        count,
        mass,
        Budget(budget, COST_TOLERANCE * abs(budget)),
        shares,
        Scratch(floats[4], integers),
    )
    positive = 0
    for i in range(count):
        weights_out[names[i]] = shares[i]
        if shares[i] > 0.0:
            positive += 1
    return value, price, feasible, positive <= slots


@njit(cache=True)
def _searched_row(
    score_row: Floats,
    cost_row: Floats,
    budget: float,
    throughput_row: Floats,
    max_deployed: int,
    weights_out: Floats,
) -> tuple[float, float, bool]:
    """Search for the best set, where the relaxation needs too many models, and route over it."""
    size = score_row.shape[0]
    floats = np.empty((6, size + 1))
    integers = np.empty((4, size + 1), dtype=np.int64)
    score, cost, cap, shares, keys = floats[0], floats[1], floats[2], floats[3], floats[4]
    negative, names = floats[5], integers[3]
    count = compact_row(score_row, cost_row, throughput_row, floats, names)
    mass = min(1.0, largest_caps(cap, count, max_deployed, keys))
    slack = COST_TOLERANCE * abs(budget)
    chosen = np.empty(count, dtype=np.bool_)
    dearest = 0.0
    for i in range(count):
        chosen[i] = False
        negative[i] = -cost[i]
        dearest = max(dearest, cost[i])
    # Begin with the largest caps, the set that can serve the mass whatever it costs.
    filled, _, _, _ = fill(Models(cap, cost, cap), count, 1.0, 0.0, mass, keys, integers[0])
    for j in range(filled):
        chosen[integers[0, j]] = True
    # Then an affordable set or, if there is none, the cheapest; then the best one.
    objective, limit, value, target = negative, math.inf, -dearest, -(budget + slack)
    for cheapest in (True, False):
        value = search(
            Models(objective, cost, cap), count, mass, Budget(limit, slack), max_deployed,
            chosen, value, target,
        )  # fmt: skip
        if cheapest and value < target:
            break
        objective, limit, value, target = score, budget, -math.inf, math.inf
    kept = ZERO
    for i in range(count):
        weights_out[names[i]] = 0.0
        if chosen[i]:
            score[kept], cost[kept], cap[kept], names[kept] = score[i], cost[i], cap[i], names[i]
            kept += 1
    value, price, _, feasible = solve_mixture(
        Models(score, cost, cap),
        kept,
        mass,
        Budget(budget, slack),
        shares,
        Scratch(keys, integers),
    )
    for i in range(kept):
        weights_out[names[i]] = shares[i]
    return value, price, feasible


@njit(cache=True)
def _relaxed_rows(
    score: Floats,
    cost: Floats,
    budget: Floats,
    throughput: Floats,
    max_deployed: int,
    plans: DeployPlans,
    kept: Flags,
) -> None:
    for e in range(score.shape[0]):
        plans.value[e], plans.price[e], plans.feasible[e], kept[e] = _relaxed_row(
            score[e], cost[e], budget[e], throughput[e], max_deployed, plans.weights[e]
        )


def deploy_rows(
    score: Floats, cost: Floats, budget: Floats, throughput: Floats, max_deployed: int
) -> DeployPlans:
    """DeployOPT for each row, equal to `deploy_mip` to the bit; arguments are not checked.

    Equal rows are searched once. Not compiled as a whole: the search takes seconds to compile, and
    most problems never need it.

    Args:
        score: float64 ``(E, N)``, C-contiguous as all arrays here.
        cost: USD, float64 ``(E, N)``.
        budget: USD a query, float64 ``(E,)``.
        throughput: float64 ``(E, N)``.
        max_deployed: ``M_max``, at least 1.

    Returns:
        The plans; the value is NaN where a row holds a value that is not allowed.

    """
    rows = len(score)
    plans = DeployPlans(
        np.empty(score.shape), np.empty(rows), np.empty(rows), np.empty(rows, dtype=np.bool_)
    )
    kept = np.empty(rows, dtype=np.bool_)
    _relaxed_rows(score, cost, budget, throughput, max_deployed, plans, kept)
    weights, value, price, feasible = plans
    first: dict[bytes, int] = {}
    for e in np.flatnonzero(~kept).tolist():
        # Episodes start alike, so that many rows of a batch hold the same problem.
        problem = b"".join(part[e].tobytes() for part in (score, cost, budget, throughput))
        same = first.setdefault(problem, e)
        if same == e:
            value[e], price[e], feasible[e] = _searched_row(
                score[e], cost[e], float(budget[e]), throughput[e], max_deployed, weights[e]
            )
        else:
            weights[e] = weights[same]
            value[e], price[e], feasible[e] = value[same], price[same], feasible[same]
    return plans


def deploy_mip(
    score: ArrayLike,
    cost: ArrayLike,
    budget: float,
    throughput: ArrayLike,
    max_deployed: int,
) -> DeployPlan:
    """Solve DeployOPT (Li & Li 2026, arXiv 2506.17254, Eq. 3): which models to deploy.

    Maximises ``sum mu_m d_m`` subject to ``sum c_m d_m <= b``, ``sum d_m = s``,
    ``0 <= d_m <= alpha_m z_m`` and ``sum z_m <= M_max`` with binary ``z``, where ``s`` is 1 or, if
    less, the sum of the ``M_max`` largest caps. Where no such mixture is affordable, the plan is
    the cheapest mixture of at most ``M_max`` models. Exact: RouteOPT over all models if it uses no
    more than ``M_max`` of them, else branch and bound.

    Args:
        score: ``mu``, expected score of each model, ``(N,)``; any finite number.
        cost: ``c``, expected cost of each model, USD, at least 0, ``(N,)``.
        budget: ``b``, USD a query, above 0 (infinity: none).
        throughput: ``alpha`` in [0, 1], scalar or ``(N,)``; a model with 0 is not available, and
            its score and cost are not read.
        max_deployed: ``M_max``, at least 1.

    Returns:
        The plan; with no available model: zeros, feasible.

    Raises:
        FieldError: a shape or a value is not allowed.

    """
    mu, c = as_rows(score), as_rows(cost)
    if mu.shape != c.shape or mu.ndim != 1:
        refuse_shapes(mu, c, "(N,)")
    alpha = as_caps(throughput, mu.shape)
    limit = count("max_deployed", max_deployed, 1)
    weights = np.empty(mu.shape)
    row = mu, c, as_budget(budget), alpha, limit, weights
    value, price, feasible, kept = _relaxed_row(*row)
    if not kept:
        value, price, feasible = _searched_row(*row)
    if math.isnan(value):
        refuse_values(mu, c, alpha)
    return DeployPlan(weights, np.flatnonzero(weights), value, price, feasible)
