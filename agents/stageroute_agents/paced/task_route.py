"""RouteOPT over tasks: one budget for queries of several tasks, each routed in its own way."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stageroute_agents.arrays import Floats, Integers
from stageroute_agents.paced.trials import trial_bonus
from stageroute_agents.streams import ACTION
from stageroute_gym.array_types import Singles
from stageroute_gym.compiling import njit
from stageroute_gym.simulator.draws import bits, uniform

# Each step finds a new vertex of the concave value, so that the limit is never met in practice.
_MOST_STEPS = 100
_LEAST_GAIN = 1e-12
_ROUNDING = 1e-9  # differences between sums of shares below this are rounding


class Settings(NamedTuple):
    """What `route_paced_rows` goes by in all episodes.

    Attributes:
        width: factor of what a model is worth above its expected score.
        horizon: queries in an episode.
        delay: queries after which an outcome is known.
        fixed: a fixed budget a query, USD; below 0 for a paced one.
        continuous: whether the shares are an action themselves. One that adds up to less than 1 is
            then scaled up by the environment, so that queries have to be declined one by one.
    """

    width: float
    horizon: int
    delay: int
    fixed: float
    continuous: bool


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

    Maximises ``sum w_g mu_gm p_gm`` subject to ``sum w_g c_gm p_gm <= b``, ``sum_m p_gm <= 1`` and
    ``0 <= p_gm <= alpha_m``: queries may be declined, so that a budget that cannot serve all goes
    to where it brings most, and the problem always has a solution. At a price ``lambda`` of the
    budget each task fills the models by ``mu - lambda c`` as long as that is above 0; secants
    between a dear and a cheap such vertex find the price at which both are best, and mixing the
    two meets the budget.

    Args:
        score: ``mu``, shape (G, M), float64.
        cost: ``c``, USD, shape (G, M), float64.
        weight: ``w``, share of each task in the queries, adds up to 1, shape (G,), float64.
        budget: ``b``, USD a query.
        caps: ``alpha``; 0 for models that cannot be used, shape (M,), float64.
        cheap: written where it has a part: the cheap vertex, shape (G, M), float64.
        dear: written where it has a part: the dear vertex, shape (G, M), float64. In each vertex
            the shares of a task add up to 1, or all models with a share are at their cap.

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
    """Fill each task's models by their value at a price, while it is above 0; score and cost."""
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
            if price < math.inf:
                keys[m] = score[g, m] - price * cost[g, m]
            else:
                keys[m] = score[g, m] if cost[g, m] == 0.0 else -1.0
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
            if keys[m] <= 0.0:
                break
            share = min(caps[m], left)
            shares[g, m] = share
            total_score += weight[g] * share * score[g, m]
            total_cost += weight[g] * share * cost[g, m]
            left -= share
            if left <= 0.0:
                break
    return total_score, total_cost


@njit(cache=True)
def query_budget(left: float, kept: float, queries: int, end: int, horizon: int) -> float:
    """What a query may cost from now on, USD: what is left over the queries left.

    Args:
        left: what is left of the budget, USD.
        kept: what of it the stage leaves for later ones, USD; NaN where all share it alike.
        queries: queries that are over.
        end: queries that are over when the stage is.
        horizon: queries in an episode.
    """
    left = max(left, 0.0)
    if math.isnan(kept):
        return left / max(horizon - queries, 1)
    return max(left - kept, 0.0) / max(end - queries, 1)


@njit(cache=True)
def route_paced_rows(
    rows: Integers,
    score: Floats,
    deviation: Floats,
    noise: Floats,
    cost: Floats,
    weight: Floats,
    task: Integers,
    queries: Integers,
    kept: Floats,
    left: Floats,
    deployed: Singles,
    throughput: Floats,
    stage_ends: Integers,
    keys: NDArray[np.uint64],
    settings: Settings,
    shares: Floats,
) -> None:
    """Bound the scores, pace the budget and solve RouteOPT over tasks, for the queries at hand.

    Args:
        rows: the episodes with a query to route, shape (R,), int64.
        score: estimates of all ``E`` episodes, shape (E, G, N), float64, like the next one.
        deviation: see there.
        noise: deviation of one score, shape (E, N), float64.
        cost: USD, as ``score``.
        weight: share of each task in the queries, shape (E, G), float64.
        task: task of the query, shape (E,), int64.
        queries: queries that are over, shape (E,), int64.
        kept: as for `query_budget`, shape (E,), float64.
        left: what is left of the budget in the ``R`` episodes, USD, shape (R,), float64.
        deployed: observation of the ``R`` episodes, shape (R, N), float32.
        throughput: shape (N,), float64.
        stage_ends: queries that are over when each stage is, shape (K,), int64.
        keys: keys of the episodes, shape (E,), uint64.
        settings: see `Settings`.
        shares: written, shape (R, N), float64.
    """
    width, horizon, delay, fixed, continuous = settings
    groups, n = score.shape[1:]
    bound, caps = np.empty((groups, n)), np.empty(n)
    cheap, dear = np.zeros((groups, n)), np.zeros((groups, n))
    for i in range(len(rows)):
        e = rows[i]
        budget = fixed
        if fixed < 0.0:
            stage = min(np.searchsorted(stage_ends, queries[e], side="right"), len(stage_ends) - 1)
            budget = query_budget(left[i], kept[e], queries[e], stage_ends[stage], horizon)
        for m in range(n):
            caps[m] = throughput[m] if deployed[i, m] > 0.0 else 0.0
            for g in range(groups):
                bound[g, m] = score[e, g, m]
                if caps[m] > 0.0:
                    more = caps[m] * weight[e, g] * (horizon - delay - queries[e])
                    bonus = trial_bonus(deviation[e, g, m], noise[e, m], more, 1.0)
                    bound[g, m] = min(score[e, g, m] + width * bonus, 1.0)
        part, _, _ = route_tasks_kernel(bound, cost[e], weight[e], budget, caps, cheap, dear)
        g = task[e]
        if continuous and 0.0 < part < 1.0 and abs((dear[g] - cheap[g]).sum()) > _ROUNDING:
            draw = uniform(bits(bits(keys[e], ACTION), 2 * queries[e] + 1), 0)
            part = 1.0 if draw < part else 0.0
        for m in range(n):
            # The other vertex was not written where one of them is the plan.
            shares[i, m] = (part * dear[g, m] if part > 0.0 else 0.0) + (
                (1.0 - part) * cheap[g, m] if part < 1.0 else 0.0
            )
