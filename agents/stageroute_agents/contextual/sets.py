"""Which models to deploy for queries that are routed each by its features."""

from __future__ import annotations

import math

import numpy as np

from stageroute_agents.arrays import Flags, Floats, Integers
from stageroute_agents.contextual.prices import set_rents, solve, worth_of
from stageroute_gym.compiling import njit

_ROUNDS = 6
_LEAST_STEP = 0.02
_LEAST_GAIN = 1e-9


@njit(cache=True)
def best_members(
    score: Floats,
    cost: Floats,
    budget: float,
    offered: Flags,
    throughput: Floats,
    slots: int,
    shared: bool,
) -> Integers:
    """The models that serve a sample of queries best within a budget, by greedy steps and swaps.

    At a price of the budget models are added, each time the one that adds most to the worth of the
    sample, then swapped where that helps. The price moves from that of the whole pool to the one
    that the set itself needs; of the sets met the best is taken, each at its own price.

    Args:
        score: as for `stageroute_agents.contextual.prices.solve`, like what follows.
        cost: see there.
        budget: see there.
        offered: models to choose from, shape (N,), bool.
        throughput: see there.
        slots: models that can be deployed.
        shared: see there.

    Returns:
        The models, at most ``slots`` of them, shape (D,), int64.
    """
    n = score.shape[1]
    rent = np.zeros(n)
    pool = np.flatnonzero(offered)
    if len(pool) <= slots:
        return pool
    chosen, most = pool[:slots], -np.inf
    price = solve(score, cost, budget, pool, throughput, shared, 0.0, rent)[1]
    for _ in range(_ROUNDS):
        members = _climb(score, cost, price, pool, throughput, slots, shared)
        _, needed, _, value = solve(score, cost, budget, members, throughput, shared, price, rent)
        if value > most:
            chosen, most = members, value
        if abs(needed - price) <= _LEAST_STEP * price:
            break
        # Dear sets need a high price, at which cheap ones are chosen, and so on: half way.
        price = math.sqrt(price * needed) if price > 0.0 and needed > 0.0 else 0.5 * needed
    return chosen


@njit(cache=True)
def _worth(
    score: Floats,
    cost: Floats,
    price: float,
    members: Integers,
    throughput: Floats,
    shared: bool,
) -> float:
    n = score.shape[1]
    rent, shares = np.zeros(n), np.zeros(n)
    if not shared:
        return worth_of(score, cost, price, rent, members, throughput, shares)[0]
    set_rents(score, cost, price, rent, members, throughput, 2)
    value = worth_of(score, cost, price, rent, members, np.ones(n), shares)[0]
    for m in members:
        value += throughput[m] * rent[m]
    return value


@njit(cache=True)
def _climb(
    score: Floats,
    cost: Floats,
    price: float,
    pool: Integers,
    throughput: Floats,
    slots: int,
    shared: bool,
) -> Integers:
    """Greedy additions, then swaps, at a price of the budget."""
    chosen = np.empty(slots, np.int64)
    inside = np.zeros(score.shape[1], np.bool_)
    value = 0.0
    for place in range(slots):
        best, most = -1, -np.inf
        for m in pool:
            if not inside[m]:
                chosen[place] = m
                reached = _worth(score, cost, price, chosen[: place + 1], throughput, shared)
                if reached > most:
                    best, most = m, reached
        chosen[place] = best
        inside[best] = True
        value = most
    for place in range(slots):
        kept = chosen[place]
        best = kept
        for m in pool:
            if not inside[m]:
                chosen[place] = m
                reached = _worth(score, cost, price, chosen, throughput, shared)
                if reached > value + _LEAST_GAIN:
                    best, value = m, reached
        chosen[place] = best
        inside[kept] = False
        inside[best] = True
    return chosen
