"""The horizon oracle's programme without the limit on the number of models, and its dual bound."""

from __future__ import annotations

import numpy as np

from stageroute_gym.array_types import Floats
from stageroute_gym.optimize.mixture import MASS_TOLERANCE, VALUE_TOLERANCE
from stageroute_gym.optimize.route import COST_TOLERANCE, route_lp


def _fill(score: Floats, cost: Floats, caps: Floats, weight: float, price: float) -> Floats:
    """Fill each stage at a price, ``(K, N)``; ties go to the cheaper model."""
    worth = weight * score - price * cost
    # Declining is worth 0: at an infinite price (weight 0) models that cost nothing are still used.
    usable = np.where((worth > 0.0) | ((worth == 0.0) & (cost == 0.0)), caps, 0.0)
    order = np.lexsort((-caps, cost - score, -worth), axis=1)
    sorted_caps = np.take_along_axis(usable, order, axis=1)
    before = np.cumsum(sorted_caps, axis=1) - sorted_caps
    left = 1.0 - before
    shares = np.minimum(sorted_caps, np.where(left > MASS_TOLERANCE, left, 0.0))
    weights = np.empty_like(shares)
    np.put_along_axis(weights, order, shares, axis=1)
    return weights


def couple_stages(
    score: Floats, cost: Floats, caps: Floats, lengths: Floats, total: float
) -> tuple[Floats, float]:
    """Solve without the limit on the number of models.

    Args:
        score: of each model in each stage, float64 ``(K, N)``.
        cost: USD, float64 ``(K, N)``.
        caps: throughput, 0 for what is not on offer, float64 ``(K, N)``.
        lengths: queries in each stage, float64 ``(K,)``.
        total: budget of the horizon, USD.

    Returns:
        The weights, float64 ``(K, N)``, and the budget's price in score per USD.
    """

    def earned(weights: Floats) -> tuple[float, float]:
        per_stage = lengths[:, None] * weights
        return float((per_stage * score).sum()), float((per_stage * cost).sum())

    limit = total * (1.0 + COST_TOLERANCE)
    high = _fill(score, cost, caps, 1.0, 0.0)
    high_value, high_cost = earned(high)
    if high_cost <= limit:
        return high, 0.0
    low = _fill(score, cost, caps, 0.0, 1.0)
    low_value, low_cost = earned(low)
    while True:
        price = max((high_value - low_value) / (high_cost - low_cost), 0.0)
        new = _fill(score, cost, caps, 1.0, price)
        value, spend = earned(new)
        gain = (value - price * spend) - (high_value - price * high_cost)
        rounding = 100.0 * VALUE_TOLERANCE * (high_value + price * high_cost)
        if gain <= rounding or not low_cost < spend < high_cost:
            break
        if spend > limit:
            high, high_value, high_cost = new, value, spend
        else:
            low, low_value, low_cost = new, value, spend
    return _change_over(score, cost, caps, lengths, total, low, high), price


def _change_over(
    score: Floats,
    cost: Floats,
    caps: Floats,
    lengths: Floats,
    total: float,
    low: Floats,
    high: Floats,
) -> Floats:
    """Take ``high`` for ``low`` in one stage after the other until the budget is spent."""
    weights = low.copy()
    step = lengths * ((high - low) * cost).sum(axis=1)
    # Stages that save by changing over come first: they only leave more for the others.
    order = np.argsort(step, kind="stable")
    left = total - float((lengths[:, None] * low * cost).sum())
    for k in order:
        if step[k] <= left:
            weights[k] = high[k]
            left -= step[k]
            continue
        # The one mixed stage is a RouteOPT of its own, with declining as one more model.
        own = left / lengths[k] + float((low[k] * cost[k]).sum())
        if own > 0.0:
            plan = route_lp(
                np.append(score[k], 0.0), np.append(cost[k], 0.0), own, np.append(caps[k], 1.0)
            )
            weights[k] = plan.probabilities[:-1]
        break
    return weights


def dual_bound(
    score: Floats, cost: Floats, caps: Floats, lengths: Floats, total: float, price: float
) -> float:
    """What no plan within the budget can exceed: ``lambda B + sum L_k worth_k``, any ``lambda``.

    Args:
        score: as for `couple_stages`, like the next four.
        cost: see there.
        caps: see there.
        lengths: see there.
        total: see there.
        price: ``lambda``, score per USD, at least 0.
    """
    filled = _fill(score, cost, caps, 1.0, price)
    worth = float((lengths[:, None] * filled * (score - price * cost)).sum())
    return worth + (price * total if price > 0.0 else 0.0)
