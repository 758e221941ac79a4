"""Sets to deploy, if queries may be declined and the stages share the budget evenly or not."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from stageroute_agents.arrays import Flags, Floats, Integers
from stageroute_agents.paced.task_route import route_tasks_kernel
from stageroute_gym.compiling import njit
from stageroute_gym.optimize.deploy import deploy_rows

# Up to so many sets the best one is searched for. Among more, exactness in what are guesses could
# take hours: branch and bound is slow where many models are nearly alike and queries may be
# declined. Then those that are best at a price of the budget serve.
_FEW_SETS = 3_000
_MOST_STEPS = 30
_BISECTIONS = 30
_LEAST_STEP = 1e-12
# An uneven spend has to gain this part of the score; less is not worth its risk.
_LEAST_GAIN = 1e-3


class Sets(NamedTuple):
    """What to deploy in each of ``R`` episodes.

    Attributes:
        chosen: models that serve, shape (R, N), bool.
        cost: expected cost of a query in USD, shape (R,), float64.
        price: of the budget, score per USD, shape (R,), float64.
        uneven: where the stage is meant to spend ``cost`` instead of the budget, shape (R,), bool.
    """

    chosen: Flags
    cost: Floats
    price: Floats
    uneven: Flags


def best_sets(
    score: Floats, cost: Floats, budget: Floats, caps: Floats, slots: int, stages_left: Integers
) -> Sets:
    """What to deploy in this stage, if the stages left share their budget as is best.

    DeployOPT, where queries may be declined: that takes a model more, of score and cost 0, which
    takes no slot. With few slots the value of a stage is not concave in its budget: dear and cheap
    stages in turn can beat equal ones, which is part of what the horizon oracle does. Secants
    between the dearest and the cheapest set find the two that mix best, each the best one at the
    same price of the budget. The one whose cost is nearer to the budget comes first; the budget
    left then decides the next stage.

    Args:
        score: shape (R, N), float64.
        cost: USD, shape (R, N), float64.
        budget: USD a query, shape (R,), float64.
        caps: throughput, 0 for models that are not on offer, shape (R, N), float64.
        slots: models that can be deployed.
        stages_left: stages from this one on that share the budget, shape (R,), int64.
    """
    rows, n = score.shape
    sets = Sets(
        np.zeros((rows, n), np.bool_), np.zeros(rows), np.zeros(rows), np.zeros(rows, np.bool_)
    )
    _sets_at_prices(score, cost, budget, caps, slots, stages_left, *sets)
    offered = np.count_nonzero(caps > 0, axis=1)
    exact = [
        e
        for e in np.flatnonzero(~sets.uneven).tolist()
        if math.comb(offered[e], min(slots, offered[e])) <= _FEW_SETS
    ]
    if exact:
        _search(score, cost, budget, caps, slots, np.array(exact), sets)
    return sets


def _search(
    score: Floats,
    cost: Floats,
    budget: Floats,
    caps: Floats,
    slots: int,
    rows: Integers,
    sets: Sets,
) -> None:
    """DeployOPT in some rows, where a model that stands for declining takes a slot more."""
    none = np.zeros((len(rows), 1))
    weights, _, price, _ = deploy_rows(
        np.append(score[rows], none, axis=1),
        np.append(cost[rows], none, axis=1),
        budget[rows],
        np.append(caps[rows], none + 1.0, axis=1),
        slots + 1,
    )
    used = weights[:, :-1] > 0
    fits = np.count_nonzero(used, axis=1) <= slots
    sets.chosen[rows[fits]], sets.price[rows[fits]] = used[fits], price[fits]
    # Where nothing is declined, that one may be a model too many.
    for e in rows[~fits].tolist():
        _try_all(score[e], cost[e], float(budget[e]), caps[e], slots, sets.chosen[e])


@njit(cache=True)
def _try_all(
    score: Floats, cost: Floats, budget: float, caps: Floats, slots: int, chosen: Flags
) -> None:
    """Write the best of all sets of so many models; there are more of them on offer."""
    offered = np.flatnonzero(caps > 0.0)
    places, one, joined = np.arange(slots), np.ones(1), np.zeros(len(caps))
    parts, best = np.zeros((2, 1, len(caps))), -1.0
    while True:
        joined[:] = 0.0
        for i in range(slots):
            joined[offered[places[i]]] = caps[offered[places[i]]]
        _, value, _ = route_tasks_kernel(
            score.reshape(1, -1), cost.reshape(1, -1), one, budget, joined, parts[0], parts[1]
        )
        if value > best:
            best = value
            chosen[:] = joined > 0.0
        # The next set in lexical order.
        i = slots - 1
        while i >= 0 and places[i] == len(offered) - slots + i:
            i -= 1
        if i < 0:
            break
        places[i] += 1
        for j in range(i + 1, slots):
            places[j] = places[j - 1] + 1


@njit(cache=True)
def _sets_at_prices(
    score: Floats,
    cost: Floats,
    budget: Floats,
    caps: Floats,
    slots: int,
    stages_left: Integers,
    chosen: Flags,
    spend: Floats,
    price: Floats,
    uneven: Flags,
) -> None:
    """Write the sets of `Sets` as secants find them, see `best_sets`."""
    rows, n = score.shape
    cheap, dear, between = np.zeros(n), np.zeros(n), np.zeros(n)
    one = np.ones(1)
    parts, joined = np.zeros((2, 1, n)), np.zeros(n)
    for e in range(rows):
        dear_score, dear_cost = set_at_price(score[e], cost[e], 0.0, caps[e], slots, dear)
        if dear_cost <= budget[e]:
            chosen[e] = dear > 0.0
            spend[e] = dear_cost
            continue
        cheap_score, cheap_cost = set_at_price(score[e], cost[e], math.inf, caps[e], slots, cheap)
        for _ in range(_MOST_STEPS):
            price[e] = (dear_score - cheap_score) / (dear_cost - cheap_cost)
            value, used = set_at_price(score[e], cost[e], price[e], caps[e], slots, between)
            gain = (value - cheap_score) - price[e] * (used - cheap_cost)
            if gain <= _LEAST_STEP or not cheap_cost < used < dear_cost:
                break
            if used <= budget[e]:
                cheap[:], cheap_score, cheap_cost = between, value, used
            else:
                dear[:], dear_score, dear_cost = between, value, used
        part = (budget[e] - cheap_cost) / (dear_cost - cheap_cost)
        mixed = cheap_score + part * (dear_score - cheap_score)
        best = -1.0
        for first, other in ((cheap, dear), (dear, cheap)):
            _join(first, other, caps[e], slots, joined)
            _, value, used = route_tasks_kernel(
                score[e : e + 1], cost[e : e + 1], one, budget[e], joined, parts[0], parts[1]
            )
            if value > best:
                best, spend[e] = value, used
                chosen[e] = joined > 0.0
        if stages_left[e] >= 2 and mixed > best * (1.0 + _LEAST_GAIN):
            uneven[e] = True
            chosen[e] = dear > 0.0 if part >= 0.5 else cheap > 0.0
            spend[e] = dear_cost if part >= 0.5 else cheap_cost


@njit(cache=True)
def _join(first: Floats, other: Floats, caps: Floats, slots: int, joined: Floats) -> None:
    """Write the caps of the first set's models, and of the other's in the slots left over."""
    left = slots
    for m in range(len(caps)):
        joined[m] = caps[m] if first[m] > 0.0 else 0.0
        left -= first[m] > 0.0
    while left > 0:
        more = -1
        for m in range(len(caps)):
            if joined[m] == 0.0 and other[m] > 0.0 and (more < 0 or other[m] > other[more]):
                more = m
        if more < 0:
            break
        joined[more] = caps[more]
        left -= 1


@njit(cache=True)
def set_at_price(
    score: Floats, cost: Floats, price: float, caps: Floats, slots: int, weights: Floats
) -> tuple[float, float]:
    """Write the shares of a set that is worth most at a price of the budget, or nearly so.

    A price ``tau`` of a query, found by bisection, makes each model worth
    ``(mu - lambda c - tau) alpha`` whatever the others are; the best ``slots`` of these are filled.

    Args:
        score: shape (N,), float64.
        cost: USD, shape (N,), float64.
        price: of the budget, score per USD; infinite: only what is free serves.
        caps: throughput, 0 for models that are not on offer, shape (N,), float64.
        slots: models that can be deployed.
        weights: written: the shares, shape (N,), float64.

    Returns:
        The expected score of a query, and its cost in USD.
    """
    n = len(caps)
    worth, order = np.empty(n), np.empty(n, np.int64)
    high = 0.0
    for m in range(n):
        weights[m] = 0.0
        if caps[m] <= 0.0:
            worth[m] = 0.0
        elif price == math.inf:
            worth[m] = score[m] if cost[m] == 0.0 else 0.0
        else:
            worth[m] = score[m] - price * cost[m]
        high = max(high, worth[m])
    low = 0.0
    mass, held = _best_models(worth, caps, 0.0, slots, order)
    if mass > 1.0:
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            mass, _ = _best_models(worth, caps, middle, slots, order)
            if mass > 1.0:
                low = middle
            else:
                high = middle
        _, held = _best_models(worth, caps, low, slots, order)
    left, total_score, total_cost = 1.0, 0.0, 0.0
    for i in range(held):
        best = i
        for j in range(i + 1, held):
            if worth[order[j]] > worth[order[best]]:
                best = j
        order[i], order[best] = order[best], order[i]
        m = order[i]
        weights[m] = min(caps[m], left)
        left -= weights[m]
        total_score += weights[m] * score[m]
        total_cost += weights[m] * cost[m]
        if left <= 1e-12:
            break
    return total_score, total_cost


@njit(cache=True)
def _best_models(
    worth: Floats, caps: Floats, tau: float, slots: int, order: Integers
) -> tuple[float, int]:
    """Write the ``slots`` models with the largest positive ``(worth - tau) alpha``."""
    held = 0
    for m in range(len(caps)):
        key = (worth[m] - tau) * caps[m]
        if key <= 0.0:
            continue
        if held == slots:
            last = order[held - 1]
            if key <= (worth[last] - tau) * caps[last]:
                continue
            held -= 1
        j = held
        while j > 0 and (worth[order[j - 1]] - tau) * caps[order[j - 1]] < key:
            order[j] = order[j - 1]
            j -= 1
        order[j] = m
        held += 1
    mass = 0.0
    for i in range(held):
        mass += caps[order[i]]
    return mass, held
