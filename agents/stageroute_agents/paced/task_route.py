"""RouteOPT over tasks: one budget for queries of several tasks, each routed in its own way."""

from __future__ import annotations

import math

import numpy as np

from stageroute_agents.arrays import Floats, Integers
from stageroute_gym.compiling import njit

# Each step finds a new vertex of the concave value, so that the limit is never met in practice.
_MOST_STEPS = 100
_LEAST_GAIN = 1e-12


@njit(cache=True)
def route_tasks_kernel(
    score: Floats,
    cost: Floats,
    weight: Floats,
    budget: float,
    caps: Floats,
    cheap: Floats,
    dear: Floats,
) -> tuple[float, float, float]:
    """Solve RouteOPT over tasks for one episode.

    Maximises ``sum w_g mu_gm p_gm`` subject to ``sum w_g c_gm p_gm <= b``, ``sum_m p_gm = s`` and
    ``0 <= p_gm <= alpha_m``, where ``s = min(1, sum alpha_m)``. At a price ``lambda`` of the budget
    each task fills the models by ``mu - lambda c``; secants between a dear and a cheap such vertex
    find the price at which both are best, and mixing the two meets the budget. With one task this
    is RouteOPT. Where nothing is affordable the plan is the cheapest one.

    Args:
        score: ``mu``, shape (G, M), float64.
        cost: ``c``, USD, shape (G, M), float64.
        weight: ``w``, share of each task in the queries, adds up to 1, shape (G,), float64.
        budget: ``b``, USD a query.
        caps: ``alpha``; 0 for models that cannot be used, shape (M,), float64.
        cheap: written: the cheap vertex, shape (G, M), float64.
        dear: written: the dear vertex, shape (G, M), float64.

    Returns:
        Share of the dear vertex in the mixture, the mixture's expected score, and its cost in USD.
    """
    order = np.empty(len(caps), np.int64)
    keys = np.empty(len(caps))
    dear_score, dear_cost = _vertex(score, cost, weight, 0.0, caps, dear, keys, order)
    if dear_cost <= budget:
        return 1.0, dear_score, dear_cost
    cheap_score, cheap_cost = _vertex(score, cost, weight, math.inf, caps, cheap, keys, order)
    if cheap_cost >= budget:
        return 0.0, cheap_score, cheap_cost
    between = np.empty(score.shape)
    for _ in range(_MOST_STEPS):
        price = (dear_score - cheap_score) / (dear_cost - cheap_cost)
        value, spend = _vertex(score, cost, weight, price, caps, between, keys, order)
        gain = (value - cheap_score) - price * (spend - cheap_cost)
        if gain <= _LEAST_GAIN or not cheap_cost < spend < dear_cost:
            break
        if spend <= budget:
            cheap[:], cheap_score, cheap_cost = between, value, spend
        else:
            dear[:], dear_score, dear_cost = between, value, spend
    share = (budget - cheap_cost) / (dear_cost - cheap_cost)
    return share, cheap_score + share * (dear_score - cheap_score), budget


@njit(cache=True)
def _vertex(
    score: Floats,
    cost: Floats,
    weight: Floats,
    price: float,
    caps: Floats,
    shares: Floats,
    keys: Floats,
    order: Integers,
) -> tuple[float, float]:
    """Fill each task's models by their value at a price; the expected score and cost."""
    groups, n = score.shape
    usable = 0
    for m in range(n):
        if caps[m] > 0.0:
            order[usable] = m
            usable += 1
    total_score = total_cost = 0.0
    for g in range(groups):
        for i in range(usable):
            m = order[i]
            keys[m] = -cost[g, m] if price == math.inf else score[g, m] - price * cost[g, m]
        # By insertion, since the order of the task before is nearly right.
        for i in range(1, usable):
            m = order[i]
            j = i - 1
            while j >= 0 and (
                keys[m] > keys[order[j]]
                or (keys[m] == keys[order[j]] and cost[g, m] < cost[g, order[j]])
            ):
                order[j + 1] = order[j]
                j -= 1
            order[j + 1] = m
        for m in range(n):
            shares[g, m] = 0.0
        left = 1.0
        for i in range(usable):
            m = order[i]
            share = min(caps[m], left)
            shares[g, m] = share
            total_score += weight[g] * share * score[g, m]
            total_cost += weight[g] * share * cost[g, m]
            left -= share
            if left <= 0.0:
                break
    return total_score, total_cost


@njit(cache=True)
def route_tasks_rows(
    score: Floats,
    cost: Floats,
    weight: Floats,
    budget: Floats,
    caps: Floats,
    task: Integers,
    shares: Floats,
) -> None:
    """Solve RouteOPT over tasks in each episode, for the query at hand.

    Args:
        score: shape (E, G, N), float64.
        cost: USD, shape (E, G, N), float64.
        weight: shape (E, G), float64.
        budget: USD a query, shape (E,), float64.
        caps: shape (E, N), float64.
        task: task of the query to route, shape (E,), int64.
        shares: written: the shares for that query, shape (E, N), float64.
    """
    cheap, dear = np.zeros(score.shape[1:]), np.zeros(score.shape[1:])
    for e in range(len(score)):
        part, _, _ = route_tasks_kernel(
            score[e], cost[e], weight[e], budget[e], caps[e], cheap, dear
        )
        g = task[e]
        for m in range(len(caps[e])):
            # The other vertex was not written where one of them is the plan.
            shares[e, m] = (part * dear[g, m] if part > 0.0 else 0.0) + (
                (1.0 - part) * cheap[g, m] if part < 1.0 else 0.0
            )
