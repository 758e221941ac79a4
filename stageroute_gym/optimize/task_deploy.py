"""DeployOPT where the task of a query is known: one set for all tasks, shares by task, exact.

A mixed-integer programme, solved by cuts. For one set it is a linear programme, whose dual values
(of the budget and of each model's throughput) bound what *every* set can reach; the set with the
largest bound comes next, until no bound is above the best set found. Two to seven linear programmes
are usual, one where the first set is the best.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stageroute_gym.array_types import Floats
from stageroute_gym.errors import FieldError
from stageroute_gym.optimize.arguments import as_budget, as_caps, as_count, as_rows
from stageroute_gym.optimize.set_cuts import best_set

# HiGHS's tolerance is 1e-7; a share below it is none.
TOLERANCE = 1e-7
# What a query declined costs, in units of the largest score, where none may be: raised until none
# is, since a mixture may gain by declining one dear query however small the gain of each other.
_PENALTIES = (10.0, 1e3, 1e5, 1e7)


class TaskPlan(NamedTuple):
    """Solution of `deploy_by_task`.

    Attributes:
        shares: share of each group's queries that each model serves, float64 ``(G, N)``; what a row
            lacks to 1 is declined.
        models: models that serve any query, ascending, int64.
        value: expected score of a query, 0 for one declined.
        cost: expected cost of a query, USD.
        price: optimal multiplier of the budget for this set, score per USD; 0 where it does not
            bind.
        rents: optimal multipliers of the throughput of each model for this set, score per unit of
            share, float64 ``(N,)``; 0 where it does not bind or the model is not in the set.
        served: share of the queries that is served.
    """

    shares: Floats
    models: NDArray[np.int64]
    value: float
    cost: float
    price: float
    rents: Floats
    served: float


class _Problem(NamedTuple):
    """The numbers of a programme, in units in which they are of the order of 1.

    Attributes:
        weight: share of all queries that are of each group, ``(G,)``.
        score: in units of the largest, ``(G, N)``.
        cost: in units of the budget, or of the largest where there is none, ``(G, N)``.
        limit: the budget in these units; out of reach where there is none.
        cap: throughput, ``(N,)``.
        allowed: ``(G, N)``.
        score_unit: what one unit of score is.
        cost_unit: USD in one unit of cost.
    """

    weight: Floats
    score: Floats
    cost: Floats
    limit: float
    cap: Floats
    allowed: NDArray[np.bool_]
    score_unit: float
    cost_unit: float


class _Routed(NamedTuple):
    """The best shares for one set, and the multipliers of the budget and of its models' caps."""

    objective: float
    shares: Floats
    price: float
    rents: Floats


def deploy_by_task(
    weight: ArrayLike,
    score: ArrayLike,
    cost: ArrayLike,
    budget: float,
    throughput: ArrayLike,
    max_deployed: int,
    *,
    decline: bool = False,
    allowed: NDArray[np.bool_] | None = None,
    start: NDArray[np.int64] | None = None,
) -> TaskPlan | None:
    """Choose the set to deploy and each task's shares.

    Maximises ``sum_gm w_g mu_gm x_gm`` subject to ``sum_gm w_g c_gm x_gm <= b``,
    ``sum_m x_gm = 1`` (at most 1 where queries may be declined), ``x_gm <= z_m``,
    ``sum_g w_g x_gm <= alpha_m z_m``, ``sum_m z_m <= M_max``, ``x >= 0``, binary ``z``. With one
    group this is DeployOPT (Li & Li 2026, Eq. 3). Exact up to HiGHS's tolerances (1e-7
    of the largest score, of the budget and of a share).

    Args:
        weight: share of each group of queries, at least 0, one above 0; normalised here, ``(G,)``.
        score: expected score of each model in each group, any finite number, ``(G, N)``.
        cost: expected cost, USD, at least 0, ``(G, N)``.
        budget: USD a query, above 0 (infinity: none).
        throughput: ``alpha`` in [0, 1], scalar or ``(N,)``, over all groups; 0: not available.
        max_deployed: ``M_max``, at least 1.
        decline: whether queries may be declined, which scores and costs nothing.
        allowed: whether a model may serve a group; elsewhere score and cost are not read. None:
            everywhere.
        start: a set to begin with; the nearer to the best, the faster.

    Returns:
        The plan, or None where not all queries can be served and none may be declined.

    Raises:
        FieldError: a shape or a value is not allowed.
        RuntimeError: HiGHS failed.
    """
    problem = _checked(weight, score, cost, as_budget(budget), throughput, allowed)
    slots = min(as_count("max_deployed", max_deployed), problem.score.shape[1])
    chosen = None if start is None else np.asarray(start, dtype=np.int64)
    for penalty in (0.0,) if decline else _PENALTIES:
        chosen, routed = _solve(problem, slots, chosen, -penalty)
        declined = 1.0 - float(problem.weight @ routed.shares.sum(axis=1))
        if decline or declined <= TOLERANCE:
            return _plan(problem, chosen, routed, -penalty)
    return None


def _checked(
    weight: ArrayLike,
    score: ArrayLike,
    cost: ArrayLike,
    budget: float,
    throughput: ArrayLike,
    allowed: NDArray[np.bool_] | None,
) -> _Problem:
    mu, c, w = as_rows(score), as_rows(cost), as_rows(weight)
    if mu.ndim != 2 or mu.size == 0:
        raise FieldError("score.shape", mu.shape, "(G, N), at least one of each")
    if c.shape != mu.shape:
        raise FieldError("cost.shape", c.shape, f"the shape of score, {mu.shape}")
    if w.shape != mu.shape[:1]:
        raise FieldError("weight.shape", w.shape, f"{mu.shape[:1]}")
    if not ((w >= 0.0) & (w < math.inf)).all() or not w.sum() > 0.0:
        raise FieldError("weight", w.tolist(), "finite numbers of at least 0, one of them above 0")
    usable = np.ones(mu.shape, dtype=np.bool_) if allowed is None else allowed
    if usable.shape != mu.shape:
        raise FieldError("allowed.shape", usable.shape, f"the shape of score, {mu.shape}")
    cap = as_caps(throughput, mu.shape[1:])
    if not ((cap >= 0.0) & (cap <= 1.0)).all():
        raise FieldError("throughput", cap.tolist(), "shares in [0, 1]")
    usable = usable & (cap > 0.0)
    for name, values in (
        ("score", np.isfinite(mu)),
        ("cost", (c >= 0.0) & (c < math.inf)),
    ):
        if not values[usable].all():
            rows = mu if name == "score" else c
            allowed_words = "finite numbers" if name == "score" else "finite USD, at least 0"
            raise FieldError(name, float(rows[usable & ~values][0]), allowed_words)
    mu, c = np.where(usable, mu, 0.0), np.where(usable, c, 0.0)
    score_unit = float(np.abs(mu).max()) or 1.0
    limited = budget < math.inf
    cost_unit = budget if limited else float(c.max()) or 1.0
    # Without a budget no mixture costs more than 1.
    limit = 1.0 if limited else 2.0
    share = w / w.sum()
    return _Problem(
        share, mu / score_unit, c / cost_unit, limit, cap, usable, score_unit, cost_unit
    )


def _solve(
    problem: _Problem, slots: int, start: NDArray[np.int64] | None, idle: float
) -> tuple[NDArray[np.int64], _Routed]:
    """The best set and its shares, where a query declined is worth ``idle``."""
    models = problem.score.shape[1]
    cuts: list[tuple[Floats, Floats, float]] = []
    if start is None or len(start) != slots:
        # The relaxation without M_max is the first bound, and its busiest models the first set.
        everything = np.arange(models)
        relaxed = _route(problem, everything, idle)
        cuts.append(_cut(problem, everything, relaxed, idle))
        busiest = np.argsort(-(problem.weight @ relaxed.shares), kind="stable")
        start = np.sort(busiest[:slots])
    chosen = best_set_found = start
    best: _Routed | None = None
    seen: set[tuple[int, ...]] = set()
    idle_row = idle * problem.weight
    while tuple(chosen.tolist()) not in seen:
        seen.add(tuple(chosen.tolist()))
        routed = _route(problem, chosen, idle)
        if best is None or routed.objective > best.objective:
            best, best_set_found = routed, chosen
        cuts.append(_cut(problem, chosen, routed, idle))
        following = np.empty(slots, dtype=np.int64)
        # A gain that the linear programmes cannot resolve is none.
        least = best.objective + TOLERANCE * 1e-2
        values, rents, constants = (np.stack(part) for part in zip(*cuts, strict=True))
        bound = best_set(values, rents, constants, idle_row, slots, least, following)
        if bound <= least:
            break
        chosen = np.sort(following)
    assert best is not None
    return best_set_found, best


def _route(
    problem: _Problem, chosen: NDArray[np.int64], idle: float, floor: float | None = None
) -> _Routed:
    """The best shares over a set: a linear programme, a variable for each cell that is allowed.

    With a floor: the cheapest shares that reach it.
    """
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, vstack

    weight, groups = problem.weight, len(problem.weight)
    group, place = np.nonzero(problem.allowed[:, chosen])
    model, size = chosen[place], len(group)
    cells, all_groups = np.arange(size), np.arange(groups)
    share = np.concatenate([weight[group], weight])
    worth = share * np.concatenate([problem.score[group, model], np.full(groups, idle)])
    spent = np.concatenate([weight[group] * problem.cost[group, model], np.zeros(groups)])
    # The last variables are the shares declined.
    upper = csr_array((weight[group], (place, cells)), shape=(len(chosen), size + groups))
    equal = csr_array(
        (
            np.ones(size + groups),
            (np.concatenate([group, all_groups]), np.arange(size + groups)),
        ),
        shape=(groups, size + groups),
    )
    objective, coupling, limit = -worth, spent, problem.limit
    if floor is not None:
        objective, coupling, limit = spent, -worth, -floor
    solved = linprog(
        objective,
        A_ub=vstack([csr_array(coupling[None]), upper], format="csr"),
        b_ub=np.concatenate([[limit], problem.cap[chosen]]),
        A_eq=equal,
        b_eq=np.ones(groups),
        method="highs-ds",
    )
    if not solved.success:
        raise RuntimeError(f"HiGHS did not solve the shares of a set: {solved.message}")
    shares = np.zeros(problem.score.shape)
    shares[group, model] = solved.x[:size]
    duals = np.maximum(-solved.ineqlin.marginals, 0.0)
    return _Routed(float(worth @ solved.x), shares, float(duals[0]), duals[1:])


def _cut(
    problem: _Problem, chosen: NDArray[np.int64], routed: _Routed, idle: float
) -> tuple[Floats, Floats, float]:
    """An upper bound on what every set can reach, by weak duality from one set's multipliers.

    Any rent of at least 0 gives a valid bound. A model outside the set gets the rent at which the
    groups that it would win just fill its throughput.
    """
    weight = problem.weight
    worth = problem.score - routed.price * problem.cost
    worth = np.where(problem.allowed, worth, -np.inf)
    rents = np.zeros(problem.score.shape[1])
    rents[chosen] = routed.rents
    covered = np.maximum((worth[:, chosen] - routed.rents).max(axis=1), idle)
    ahead = np.maximum(worth - covered[:, None], 0.0)
    order = np.argsort(-ahead, axis=0, kind="stable")
    mass = np.cumsum(weight[order], axis=0)
    last = np.argmax(mass >= problem.cap - TOLERANCE * 1e-3, axis=0)
    models = np.arange(len(rents))
    filling = np.where(problem.cap < 1.0, ahead[order[last, models], models], 0.0)
    outside = ~np.isin(models, chosen)
    rents[outside] = filling[outside]
    return weight[:, None] * (worth - rents), rents * problem.cap, routed.price * problem.limit


def _plan(problem: _Problem, chosen: NDArray[np.int64], routed: _Routed, idle: float) -> TaskPlan:
    shares = routed.shares
    if routed.price <= TOLERANCE:
        # The budget has no worth, so that of shares of equal score any may have come: the cheapest.
        shares = _route(problem, chosen, idle, routed.objective).shares
    shares = np.where(shares > TOLERANCE, shares, 0.0)
    # What HiGHS leaves beside a full row is rounding.
    full = shares.sum(axis=1) > 1.0 - TOLERANCE
    shares[full] /= shares[full].sum(axis=1, keepdims=True)
    mass = problem.weight[:, None] * shares
    rents = np.zeros(problem.score.shape[1])
    rents[chosen] = routed.rents * problem.score_unit
    return TaskPlan(
        shares=shares,
        models=np.flatnonzero(mass.sum(axis=0) > 0.0),
        value=float((mass * problem.score).sum()) * problem.score_unit,
        cost=float((mass * problem.cost).sum()) * problem.cost_unit,
        price=routed.price * problem.score_unit / problem.cost_unit,
        rents=rents,
        served=float(mass.sum()),
    )
