"""What a set is worth once its models are known: sets improved one exchange at a time."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from stageroute_agents.paced.task_route import route_tasks_kernel

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_MOST_EXCHANGES = 6
_MOST_CANDIDATES = 10
# An exchange has to raise the expected score of a query by this much.
_LEAST_GAIN = 1e-3
# An exchange that shows no gain in this many samples is not looked at in all of them.
_FIRST_SAMPLES = 8


@njit(cache=True)
def improve_sets(
    score: Floats,
    spread: Floats,
    cost: Floats,
    weight: Floats,
    budget: Floats,
    caps: Floats,
    draws: Floats,
    order: Integers,
    chosen: NDArray[np.bool_],
) -> None:
    """`improve_set` in each episode, with samples ``score + spread draw``, clipped to [0, 1].

    Args:
        score: expected score, shape (R, G, N), float64.
        spread: scale of the samples, shape (R, G, N), float64.
        cost: USD, shape (R, G, N), float64.
        weight: shape (R, G), float64.
        budget: USD a query, shape (R,), float64.
        caps: shape (R, N), float64.
        draws: one for each model, the same for all tasks and episodes, shape (S, N), float64.
        order: shape (R, N), int64.
        chosen: read and written, shape (R, N), bool.
    """
    samples = np.empty((len(draws), *score.shape[1:]))
    for e in range(len(score)):
        for i in range(len(draws)):
            for g in range(score.shape[1]):
                for m in range(score.shape[2]):
                    drawn = score[e, g, m] + spread[e, g, m] * draws[i, m]
                    samples[i, g, m] = min(max(drawn, 0.0), 1.0)
        improve_set(samples, cost[e], weight[e], budget[e], caps[e], order[e], chosen[e])


@njit(cache=True)
def improve_set(
    score: Floats,
    cost: Floats,
    weight: Floats,
    budget: float,
    caps: Floats,
    order: Integers,
    chosen: NDArray[np.bool_],
) -> None:
    """Exchange deployed models for others while that makes the set worth more.

    A stage's queries soon tell what its models are, and RouteOPT then drops the poor ones. So a set
    is worth the mean of RouteOPT's value over samples of the scores: an untried model counts for
    what it may turn out to be, and only as far as the others can stand in for it.

    Args:
        score: samples of the scores, shape (S, G, N), float64.
        cost: USD, shape (G, N), float64.
        weight: share of each task, shape (G,), float64.
        budget: USD a query.
        caps: throughput, 0 for models that are not on offer, shape (N,), float64.
        order: the models, most promising first; the first ones on offer are tried, shape (N,),
            int64.
        chosen: read and written: the set, shape (N,), bool.
    """
    size = chosen.sum()
    if size == 0:
        return
    groups = score.shape[1]
    members = np.empty(size, np.int64)
    parts = np.empty((4, groups, size))
    best, first = _set_value(score, cost, weight, budget, caps, chosen, members, parts, -np.inf)
    for _ in range(_MOST_EXCHANGES):
        highest, leaving, entering = best + _LEAST_GAIN, -1, -1
        for i in range(len(chosen)):
            if not chosen[i]:
                continue
            tried = 0
            for j in order:
                if chosen[j] or caps[j] == 0.0:
                    continue
                tried += 1
                if tried > _MOST_CANDIDATES:
                    break
                chosen[i], chosen[j] = False, True
                value, _ = _set_value(
                    score, cost, weight, budget, caps, chosen, members, parts, first
                )
                chosen[i], chosen[j] = True, False
                if value > highest:
                    highest, leaving, entering = value, i, j
        if leaving < 0:
            break
        chosen[leaving], chosen[entering] = False, True
        best, first = _set_value(score, cost, weight, budget, caps, chosen, members, parts, -np.inf)


@njit(cache=True)
def _set_value(
    score: Floats,
    cost: Floats,
    weight: Floats,
    budget: float,
    caps: Floats,
    chosen: NDArray[np.bool_],
    members: Integers,
    parts: Floats,
    required: float,
) -> tuple[float, float]:
    """Mean value of RouteOPT over the samples, and the total over the first of them.

    The mean is minus infinity where that total is not above ``required``. ``members`` and ``parts``
    are working space.
    """
    size = 0
    for m in range(len(chosen)):
        if chosen[m]:
            members[size] = m
            size += 1
    groups = score.shape[1]
    of_set, cost_of_set = parts[0], parts[1]
    shares = np.empty(size)
    for j in range(size):
        shares[j] = caps[members[j]]
        for g in range(groups):
            cost_of_set[g, j] = cost[g, members[j]]
    total = first = 0.0
    for sample in range(len(score)):
        if sample == _FIRST_SAMPLES:
            first = total
            if first <= required:
                return -np.inf, first
        for g in range(groups):
            for j in range(size):
                of_set[g, j] = score[sample, g, members[j]]
        _, value, spend = route_tasks_kernel(
            of_set, cost_of_set, weight, budget, shares, parts[2], parts[3]
        )
        # What overspends leaves queries at the end without an answer.
        total += value * budget / spend if spend > budget else value
    return total / len(score), first
