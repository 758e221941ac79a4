"""The best shares of a set of models where the task of a query is known: exact at any scale.

At a price ``lambda`` of the budget this is a transportation problem: groups of queries are served
by models of limited throughput, each at a worth of ``mu_gm - lambda c_gm`` (`transport`). The price
is found as in `mixture`: of two plans that bracket the budget, the price at which both are worth
the same yields a third.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.array_types import Floats
from stageroute_gym.optimize.transport import rents_at, transport

# Parts of the budget and of values below which differences are rounding.
_BUDGET, _VALUE = 1e-12, 1e-14


class TaskProblem(NamedTuple):
    """The numbers of the programme, in units in which they are of the order of 1.

    Attributes:
        weight: share of all queries that are of each group, ``(G,)``.
        score: in units of the largest, ``(G, N)``.
        cost: in units of the budget, or of the largest where there is none, ``(G, N)``.
        limit: the budget in these units; infinite where there is none.
        cap: throughput, ``(N,)``.
        allowed: whether a model may serve a group, ``(G, N)``.
        decline: whether queries may be declined.
    """

    weight: Floats
    score: Floats
    cost: Floats
    limit: float
    cap: Floats
    allowed: NDArray[np.bool_]
    decline: bool


class Routed(NamedTuple):
    """The best shares for one set.

    Attributes:
        value: expected score of a query.
        mass: share of all queries that are of a group and served by a model, ``(G, N)``.
        price: multiplier of the budget; where it has a range, the largest.
        rents: multipliers of the models' throughput, ``(N,)``; 0 outside the set.
        binds: whether a larger budget would be worth anything.
    """

    value: float
    mass: Floats
    price: float
    rents: Floats
    binds: bool


class _Served(NamedTuple):
    """A plan that is best at some price: shares of all queries, their score and their cost."""

    mass: Floats
    value: float
    spend: float


def route_tasks(problem: TaskProblem, chosen: NDArray[np.int64]) -> Routed | None:
    """The best shares for a set; of equal ones, where money is no object, the cheapest.

    Args:
        problem: the programme.
        chosen: models of the set, ``(S,)``.

    Returns:
        The shares; None where the set cannot serve all queries within the budget and none may be
        declined.
    """
    # Declining is one more model, which scores and costs nothing.
    idle = np.zeros((len(problem.weight), int(problem.decline)))
    score = np.concatenate([problem.score[:, chosen], idle], axis=1)
    cost = np.concatenate([problem.cost[:, chosen], idle], axis=1)
    cap = np.append(problem.cap[chosen], np.full(idle.shape[1], 2.0))
    usable = np.concatenate([problem.allowed[:, chosen], idle == 0.0], axis=1)
    limit, weight = problem.limit, problem.weight
    # No share is larger than what the whole budget pays. The plans are the same, and as no share
    # is worth more than a whole plan, rounding stays small against the value.
    room = np.where(usable, weight[:, None], 0.0)
    paid = np.divide(limit, cost, out=np.full(cost.shape, np.inf), where=cost > 0.0)
    room = np.minimum(room, paid)

    def best_at(factor: float, price: float) -> _Served | None:
        mass = np.zeros(score.shape)
        if not transport(factor * score - price * cost, room, weight, cap, mass):
            return None
        return _Served(mass, float((mass * score).sum()), float((mass * cost).sum()))

    def finish(mass: Floats, price: float, binds: bool) -> Routed:
        rents, shares = np.zeros(len(problem.cap)), np.zeros(problem.score.shape)
        worth = np.where(usable, score - price * cost, -np.inf)
        rents[chosen] = rents_at(worth, mass, weight, cap)[: len(chosen)]
        shares[:, chosen] = mass[:, : len(chosen)]
        return Routed(float((mass * score).sum()), shares, price, rents, binds)

    high, low = best_at(1.0, 0.0), best_at(0.0, 1.0)
    if high is None or low is None or low.spend > limit * (1.0 + _BUDGET):
        return None
    if low.value >= high.value - _VALUE * abs(high.value):
        return finish(low.mass, 0.0, binds=False)
    binds = high.spend > limit * (1.0 + _BUDGET)
    # Where the budget is just enough it has a price too, which bounds other sets the better.
    spent = high.spend >= limit * (1.0 - _BUDGET)
    price = 0.0
    while high.spend > low.spend:
        price = max((high.value - low.value) / (high.spend - low.spend), 0.0)
        new = best_at(1.0, price)
        assert new is not None
        gain = (new.value - price * new.spend) - (high.value - price * high.spend)
        rounding = _VALUE * (abs(high.value) + price * high.spend)
        if gain <= rounding or new.spend >= high.spend:
            break
        if new.spend <= low.spend:
            # Of the cheapest plans, as with free models, one that is worth more.
            if new.value <= low.value:
                break
            low = new
            continue
        if spent:
            above = new.spend >= limit * (1.0 - _BUDGET)
        else:
            above = new.value >= high.value - rounding
        high, low = (new, low) if above else (high, new)
    if not spent:
        return finish(high.mass, 0.0, binds=False)
    mix = 1.0
    if high.spend > limit:
        mix = max((limit - low.spend) / (high.spend - low.spend), 0.0)
    mass = high.mass if mix == 1.0 else low.mass + mix * (high.mass - low.mass)
    return finish(mass, price, binds)
