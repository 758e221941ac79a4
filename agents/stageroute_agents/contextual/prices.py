"""Prices of the budget and of throughput, from a sample of queries: how to route each by its own.

The programme over queries, ``max mean_x sum_m s_m(x) p_m(x)`` subject to ``mean_x sum c p <= b``,
has the dual ``min over lambda >= 0 of lambda b + mean_x V(x, lambda)``, where ``V`` is the worth of
routing ``x`` alone, by ``s_m - lambda c_m``. With shares as actions each query keeps the caps
``p_m(x) <= alpha_m`` itself. Where throughput is a share of all queries (`StageRoute-v0`, by token
buckets) it has prices of its own, ``nu_m`` for ``mean_x p_m(x) <= alpha_m``: the next query goes to
the largest ``s_m - lambda c_m - nu_m``. A query worth less than nothing is declined.
"""

from __future__ import annotations

import math

import numpy as np

from stageroute_agents.arrays import Flags, Floats, Integers
from stageroute_gym.compiling import njit

_SWEEPS = 3
# From the price that met the budget last, in strides at first.
_STRIDE = 1.25
_LEAST_PRICE = 1e-3  # in score for a query's budget
_HALVINGS = 20
_LEAST_GAP = 1e-5


@njit(cache=True)
def fill_query(
    score: Floats,
    cost: Floats,
    price: float,
    rent: Floats,
    members: Integers,
    caps: Floats,
    shares: Floats,
) -> tuple[float, float]:
    """Route one query at given prices: by worth, each model up to its cap.

    Args:
        score: shape (N,), float64.
        cost: USD, shape (N,), float64.
        price: ``lambda``, score per USD.
        rent: ``nu``, shape (N,), float64.
        members: models that can serve, shape (D,), int64.
        caps: largest share of each, shape (N,), float64.
        shares: written for the members, shape (N,), float64; 0 elsewhere is the caller's.

    Returns:
        Worth and expected cost in USD.
    """
    for m in members:
        shares[m] = 0.0
    left, worth, spend = 1.0, 0.0, 0.0
    for _ in range(len(members)):
        best, most = -1, 0.0
        for m in members:
            value = score[m] - price * cost[m] - rent[m]
            if shares[m] == 0.0 and caps[m] > 0.0 and value > most:
                best, most = m, value
        if best < 0:
            break
        share = min(caps[best], left)
        shares[best] = share
        worth += share * most
        spend += share * cost[best]
        left -= share
        if left <= 0.0:
            break
    return worth, spend


@njit(cache=True)
def worth_of(
    score: Floats,
    cost: Floats,
    price: float,
    rent: Floats,
    members: Integers,
    caps: Floats,
    shares: Floats,
) -> tuple[float, float]:
    """Mean worth and cost in USD of the queries of a sample.

    Args:
        score: shape (S, N), float64.
        cost: USD, shape (S, N), float64.
        price: as for `fill_query`, like all that follows; ``shares`` is written anew by each query.
        rent: see there.
        members: see there.
        caps: see there.
        shares: see there.
    """
    worth = spend = 0.0
    for i in range(len(score)):
        of_query = fill_query(score[i], cost[i], price, rent, members, caps, shares)
        worth += of_query[0]
        spend += of_query[1]
    return worth / len(score), spend / len(score)


@njit(cache=True)
def set_rents(
    score: Floats,
    cost: Floats,
    price: float,
    rent: Floats,
    members: Integers,
    throughput: Floats,
    sweeps: int,
) -> None:
    """Prices of throughput by coordinate descent on the dual, given that of the budget.

    The best ``nu_m`` given the others is the lead that the ``alpha_m`` S-th keenest query has for
    ``m`` over its next best choice.

    Args:
        score: as for `worth_of`, like what follows.
        cost: see there.
        price: see there.
        rent: read and written, see there.
        members: see there.
        throughput: shape (N,), float64.
        sweeps: how often each model's turn comes.
    """
    queries = len(score)
    lead = np.empty(queries)
    for _ in range(sweeps):
        for m in members:
            place = math.floor(throughput[m] * queries)
            if place >= queries:
                rent[m] = 0.0
                continue
            for i in range(queries):
                other = 0.0
                for o in members:
                    if o != m:
                        other = max(other, score[i, o] - price * cost[i, o] - rent[o])
                lead[i] = score[i, m] - price * cost[i, m] - other
            rent[m] = max(-np.partition(-lead, place)[place], 0.0)


@njit(cache=True)
def solve(
    score: Floats,
    cost: Floats,
    budget: float,
    members: Integers,
    throughput: Floats,
    shared: bool,
    price: float,
    rent: Floats,
) -> tuple[float, float, float, float]:
    """Prices at which the sample keeps to the budget and, where shared, to the throughput.

    Args:
        score: shape (S, N), float64.
        cost: USD, shape (S, N), float64.
        budget: USD a query, above 0.
        members: models that can serve, shape (D,), int64.
        throughput: shape (N,), float64.
        shared: whether throughput is a share of all queries, and not of each.
        price: ``lambda`` to start from.
        rent: ``nu`` to start from, shape (N,), float64; written.

    Returns:
        A price that spends the budget or more, one that spends it or less, the share of the first
        with which the two meet the budget, and the dual value.
    """
    n = score.shape[1]
    caps = np.ones(n) if shared else throughput
    if not shared:
        rent[:] = 0.0
    shares = np.zeros(n)
    low = high = price
    part, value = 1.0, 0.0
    for _ in range(_SWEEPS if shared else 1):
        if shared:
            set_rents(score, cost, price, rent, members, throughput, 1)
        low, high, part, value = _bracket(score, cost, budget, rent, members, caps, price, shares)
        price = high
    for m in members:
        value += throughput[m] * rent[m]
    return low, high, part, value


@njit(cache=True)
def _bracket(
    score: Floats,
    cost: Floats,
    budget: float,
    rent: Floats,
    members: Integers,
    caps: Floats,
    start: float,
    shares: Floats,
) -> tuple[float, float, float, float]:
    """Prices of the budget around the one that meets it, at given rents; see `solve`."""
    worth, dear = worth_of(score, cost, 0.0, rent, members, caps, shares)
    if dear <= budget:
        return 0.0, 0.0, 1.0, worth
    high = start if start > 0.0 else 0.1 / budget
    worth, cheap = worth_of(score, cost, high, rent, members, caps, shares)
    low = 0.0
    while cheap > budget:
        low, dear = high, cheap
        high *= _STRIDE
        worth, cheap = worth_of(score, cost, high, rent, members, caps, shares)
    while low == 0.0 and high * budget > _LEAST_PRICE:
        reached, spend = worth_of(score, cost, high / _STRIDE, rent, members, caps, shares)
        if spend > budget:
            low, dear = high / _STRIDE, spend
        else:
            high, cheap, worth = high / _STRIDE, spend, reached
    for _ in range(_HALVINGS):
        if high - low <= _LEAST_GAP * high or cheap == dear:
            break
        middle = 0.5 * (low + high)
        reached, spend = worth_of(score, cost, middle, rent, members, caps, shares)
        if spend > budget:
            low, dear = middle, spend
        else:
            high, cheap, worth = middle, spend, reached
    part = (budget - cheap) / (dear - cheap) if dear > cheap else 1.0
    return low, high, part, worth + high * budget


@njit(cache=True)
def mix_query(
    score: Floats,
    cost: Floats,
    prices: Floats,
    rent: Floats,
    members: Integers,
    caps: Floats,
    shares: Floats,
) -> None:
    """Route one query by a mixture of its best models at two prices of the budget.

    Args:
        score: as for `fill_query`, like what follows but ``prices``.
        cost: see there.
        prices: low and high price, share of the low one, shape (3,), float64; see `solve`.
        rent: see there.
        members: see there.
        caps: see there.
        shares: written, shape (N,), float64.
    """
    other = np.zeros(len(shares))
    shares[:] = 0.0
    fill_query(score, cost, prices[0], rent, members, caps, shares)
    fill_query(score, cost, prices[1], rent, members, caps, other)
    for m in members:
        shares[m] = prices[2] * shares[m] + (1.0 - prices[2]) * other[m]


@njit(cache=True)
def route_at_prices(
    score: Floats, cost: Floats, prices: Floats, rents: Floats, usable: Flags, caps: Floats
) -> Floats:
    """Route a query in each of some episodes, shape (R, N), float64.

    Args:
        score: shape (R, N), float64.
        cost: USD, shape (R, N), float64.
        prices: as for `mix_query`, shape (R, 3), float64.
        rents: prices of throughput, shape (R, N), float64.
        usable: models that can serve, shape (R, N), bool.
        caps: largest share of one query that each model may take, shape (N,), float64.
    """
    shares = np.zeros(score.shape)
    for i in range(len(score)):
        members = np.flatnonzero(usable[i])
        mix_query(score[i], cost[i], prices[i], rents[i], members, caps, shares[i])
    return shares
