"""DeployOPT where the task of a query is known: one set for all tasks, shares by task, exact.

A mixed-integer programme, solved by cuts. For one set it is a linear programme (`route_tasks`),
whose multipliers of the budget and of each model's throughput bound what *every* set can reach; the
set with the largest bound comes next, until no bound is above the best set found. A set that cannot
serve all queries bounds in the same way what share of them every set can serve.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stageroute_gym.array_types import Floats
from stageroute_gym.checks import count
from stageroute_gym.errors import FieldError
from stageroute_gym.optimize.arguments import as_budget, as_caps, as_rows
from stageroute_gym.optimize.set_cuts import best_set
from stageroute_gym.optimize.task_routing import Routed, TaskProblem, route_tasks

# Gains by this part of the best value, and differences by this part of what they are taken of, are
# rounding.
_GAIN, _ROUNDING = 1e-12, 4e-15
# Sets that lack less than this share of the queries are passed over one by one, without a cut.
_LEAST_LACK = 1e-9
# Shares of a group's queries below this part are rounding.
_SHARE = 1e-15


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


class _Cut(NamedTuple):
    """An upper bound on what every set can reach, as `best_set` takes it.

    Attributes:
        values: ``(G, N)``.
        rents: ``(N,)``.
        constant: what is the same for all sets.
        idle: what a group is worth at least, ``(G,)``.
        size: the sum of its parts without their signs, which its rounding follows.
    """

    values: Floats
    rents: Floats
    constant: float
    idle: Floats
    size: float


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
    group this is DeployOPT (Li & Li 2026, Eq. 3). Exact in relative terms, at any scale of scores
    and costs.

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
    """
    problem, score_unit, cost_unit = _checked(
        weight, score, cost, as_budget(budget), throughput, allowed
    )
    slots = min(count("max_deployed", max_deployed, 1), problem.score.shape[1])
    first = None if start is None else np.asarray(start, dtype=np.int64)
    routed = _solve(problem._replace(decline=decline), slots, first)
    return None if routed is None else _plan(problem, routed, score_unit, cost_unit)


def _checked(
    weight: ArrayLike,
    score: ArrayLike,
    cost: ArrayLike,
    budget: float,
    throughput: ArrayLike,
    allowed: NDArray[np.bool_] | None,
) -> tuple[TaskProblem, float, float]:
    """The programme in its units, and what one unit of score and of cost is."""
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
    problem = TaskProblem(
        weight=w / w.sum(),
        score=mu / score_unit,
        cost=c / cost_unit,
        limit=1.0 if limited else math.inf,
        cap=cap,
        allowed=usable,
        decline=False,
    )
    return problem, score_unit, cost_unit


def _solve(problem: TaskProblem, slots: int, start: NDArray[np.int64] | None) -> Routed | None:
    """The shares over the best set; None where no set serves all queries and none is declined."""
    models = problem.score.shape[1]
    cuts: list[_Cut] = []
    best: Routed | None = None
    chosen = start
    if chosen is not None and len(chosen) == slots:
        best = route_tasks(problem, chosen)
    if best is None or chosen is None:
        # The relaxation without M_max is the first bound, and its busiest models the first set.
        everything = np.arange(models)
        relaxed = route_tasks(problem, everything)
        if relaxed is None:
            return None
        cuts += _bounds(problem, everything, relaxed)
        busiest = np.argsort(-relaxed.mass.sum(axis=0), kind="stable")
        chosen = np.sort(busiest[:slots])
        best = route_tasks(problem, chosen)
    routed = best
    tried: list[NDArray[np.bool_]] = []
    while True:
        tried.append(np.isin(np.arange(models), chosen))
        if routed is not None:
            cuts += _bounds(problem, chosen, routed)
            if best is None or routed.value > best.value:
                best = routed
        elif (cut := _feasibility(problem, chosen)) is not None:
            cuts.append(cut)
        # No plan is worth less than -1, the unit being the largest score.
        least = -2.0
        if best is not None:
            rounding = _ROUNDING * min(cut.size for cut in cuts)
            least = best.value + max(_GAIN * abs(best.value), rounding)
        values, rents, constants, idle, _ = (np.stack(part) for part in zip(*cuts, strict=True))
        following = np.empty(slots, dtype=np.int64)
        bound = best_set(values, rents, constants, idle, np.stack(tried), least, following)
        if bound <= least:
            return best
        chosen = np.sort(following)
        routed = route_tasks(problem, chosen)


def _bounds(problem: TaskProblem, chosen: NDArray[np.int64], routed: Routed) -> list[_Cut]:
    """The bounds that one set's multipliers give.

    Where the budget is just enough, every price from 0 to the one found is optimal. The largest
    bounds the sets that spend less, and 0 those that would spend more if they could; by one of them
    alone, sets are passed over one by one.
    """
    cuts = [_bound(problem, chosen, routed)]
    if routed.price > 0.0 and not routed.binds:
        unlimited = route_tasks(problem._replace(limit=math.inf), chosen)
        assert unlimited is not None
        cuts.append(_bound(problem, chosen, unlimited))
    return cuts


def _bound(problem: TaskProblem, chosen: NDArray[np.int64], routed: Routed) -> _Cut:
    """What every set can reach at most, by weak duality from one set's multipliers.

    Any rent of at least 0 gives a valid bound. A model outside the set gets the rent at which the
    groups that it would win just fill its throughput.
    """
    weight, cap, allowed = problem.weight, problem.cap, problem.allowed
    spent = routed.price * problem.cost
    worth = np.where(allowed, problem.score - spent, -np.inf)
    rents = routed.rents.copy()
    size = np.abs(problem.score) + spent + rents
    own = np.where(allowed, worth - rents, -np.inf)
    # All cells in use are worth the same to a group, up to rounding, which is least where little
    # is added up; what rounding tells apart is the same.
    in_use = np.where(routed.mass > 0.0, size, np.inf)
    groups, cell = np.arange(len(weight)), in_use.argmin(axis=1)
    covered, extent = own[groups, cell], in_use[groups, cell]
    # A group without queries, or one that is declined in part, uses none, or is worth nothing.
    empty = ~np.isfinite(extent) | (routed.mass.sum(axis=1) < weight * (1.0 - _GAIN))
    covered = np.where(empty, 0.0 if problem.decline else own[:, chosen].max(axis=1), covered)
    extent = np.where(empty, np.abs(covered), extent)
    same = np.abs(own - covered[:, None]) <= _ROUNDING * (size + extent[:, None])
    covered = np.where(same, covered[:, None], own)[:, chosen].max(axis=1, initial=-np.inf)
    idle = np.zeros(len(weight))
    if problem.decline:
        covered = np.maximum(covered, 0.0)
    else:
        # Every set that serves all queries serves a group with some model that may.
        idle = np.where(allowed, worth, np.inf).min(axis=1)
    ahead = np.where(same, 0.0, np.maximum(worth - covered[:, None], 0.0))
    order = np.argsort(-ahead, axis=0, kind="stable")
    filled = np.cumsum(weight[order], axis=0)
    last = np.argmax(filled >= cap - _GAIN, axis=0)
    models = np.arange(len(rents))
    filling = np.where(cap < 1.0, ahead[order[last, models], models], 0.0)
    outside = ~np.isin(models, chosen)
    rents[outside] = filling[outside]
    values = np.where(allowed, worth - rents, -np.inf)
    values = np.where(same & ~(outside & (rents > 0.0)), covered[:, None], values)
    if not problem.decline:
        idle = np.where(allowed, values, np.inf).min(axis=1)
    constant = routed.price * problem.limit if routed.price > 0.0 else 0.0
    total = constant + float((rents * cap).sum()) + float((weight * np.abs(covered)).sum())
    return _Cut(weight[:, None] * values, rents * cap, constant, weight * idle, total)


def _feasibility(problem: TaskProblem, chosen: NDArray[np.int64]) -> _Cut | None:
    """A bound that is out of reach for sets as unable to serve all queries as this one.

    It is at least 2 for a set that serves all, more than any plan is worth, and -3 for this one.
    """
    served = problem._replace(score=problem.allowed.astype(np.float64), decline=True)
    routed = route_tasks(served, chosen)
    assert routed is not None
    lack = 1.0 - routed.value
    if lack < _LEAST_LACK:
        return None
    values, rents, constant, idle, size = _bound(served, chosen, routed)
    factor = 5.0 / lack
    return _Cut(
        factor * values, factor * rents, factor * (constant - 1.0) + 2.0, idle, factor * size
    )


def _plan(problem: TaskProblem, routed: Routed, score_unit: float, cost_unit: float) -> TaskPlan:
    weight, mass = problem.weight, routed.mass
    shares = np.divide(mass, weight[:, None], out=np.zeros(mass.shape), where=weight[:, None] > 0.0)
    shares = np.where(shares > _SHARE, shares, 0.0)
    # What a full row lacks, or has too much, is rounding.
    full = shares.sum(axis=1) > 1.0 - _GAIN
    shares[full] /= shares[full].sum(axis=1, keepdims=True)
    mass = weight[:, None] * shares
    return TaskPlan(
        shares=shares,
        models=np.flatnonzero(mass.sum(axis=0) > 0.0),
        value=float((mass * problem.score).sum()) * score_unit,
        cost=float((mass * problem.cost).sum()) * cost_unit,
        price=routed.price * score_unit / cost_unit if routed.binds else 0.0,
        rents=routed.rents * score_unit,
        served=float(mass.sum()),
    )
