"""RouteOPT: the best mixture of deployed models within the budget, solved exactly on its dual.

For a price ``lambda`` of the budget, the best mixture fills models greedily in the order of
``score - lambda cost``. Two such mixtures bracket the budget; the price at which they are worth the
same either yields a third one that replaces one of them, or is optimal, and the two are mixed.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from stageroute_gym.optimize.arguments import (
    as_budget,
    as_budgets,
    as_caps,
    as_rows,
    refuse_shapes,
    refuse_values,
)

Floats = NDArray[np.float64]

MASS_TOLERANCE = 1e-12  # shares of queries below this are rounding
COST_TOLERANCE = 1e-12  # overspending by this part of the budget is rounding
VALUE_TOLERANCE = 1e-14  # gains by this part of what is compared are rounding


class RoutePlan(NamedTuple):
    """Solution of RouteOPT for one problem, or for a batch of ``E``.

    Attributes:
        probabilities: share of queries to each model, float64 ``(M,)`` or ``(E, M)``.
        value: expected score of a query, ``float`` or float64 ``(E,)``.
        price: optimal budget multiplier ``lambda``, score per USD; 0 where the budget does not
            bind, infinite where no mixture is affordable.
        feasible: whether a mixture of the full mass is within the budget, ``bool`` or ``(E,)``.
    """

    probabilities: Floats
    value: float | Floats
    price: float | Floats
    feasible: bool | NDArray[np.bool_]


@njit(cache=True)
def fill(
    score: Floats,
    cost: Floats,
    cap: Floats,
    count: int,
    weight: float,
    price: float,
    mass: float,
    keys: Floats,
    order: NDArray[np.int64],
) -> tuple[int, float, float, float]:
    """Fill ``mass`` greedily with the largest ``weight score - price cost`` under the caps.

    Reads the first ``count`` entries; the order is kept only as far as the mass reaches, so that a
    long row costs one comparison a model. Ties go to the larger ``score - cost``, then to the
    larger cap. All but the last model of ``order`` are filled to their cap.

    Args:
        score: score of each model, float64 ``(count,)`` or longer.
        cost: cost of each model, as long as ``score``.
        cap: largest share of each model, above 0.
        count: number of models.
        weight: factor of the scores.
        price: factor of the costs.
        mass: what to fill, at most the sum of the caps.
        keys: scratch, float64 ``(count + 1,)``: the keys in descending order.
        order: written: the models in the order in which they are filled, int64 ``(count + 1,)``.

    Returns:
        Number of models filled, their score, their cost, and the share of the last one.
    """
    filled = 0
    total = 0.0
    enough = mass - MASS_TOLERANCE
    for i in range(count):
        key = weight * score[i] - price * cost[i]
        if total >= enough and (filled == 0 or key < keys[filled - 1]):
            continue
        j = filled
        while j > 0:
            k = order[j - 1]
            if keys[j - 1] > key:
                break
            if keys[j - 1] == key:
                gain = (score[i] - cost[i]) - (score[k] - cost[k])
                if gain < 0.0 or (gain == 0.0 and cap[i] <= cap[k]):
                    break
            keys[j] = keys[j - 1]
            order[j] = k
            j -= 1
        keys[j] = key
        order[j] = i
        filled += 1
        total += cap[i]
        while filled > 0 and total - cap[order[filled - 1]] >= enough:
            filled -= 1
            total -= cap[order[filled]]
    left = mass
    value = 0.0
    spend = 0.0
    share = 0.0
    for j in range(filled):
        i = order[j]
        share = min(cap[i], left)
        left -= share
        value += score[i] * share
        spend += cost[i] * share
    return filled, value, spend, share


@njit(cache=True)
def solve_mixture(
    score: Floats,
    cost: Floats,
    cap: Floats,
    count: int,
    mass: float,
    budget: float,
    slack: float,
    shares: Floats,
    keys: Floats,
    orders: NDArray[np.int64],
) -> tuple[float, float, float, bool]:
    """Solve RouteOPT over compact rows: every model usable, the mass given and within the caps.

    Args:
        score: score of each model, float64; the first ``count`` entries are read.
        cost: cost of each model.
        cap: largest share of each model, above 0.
        count: number of models.
        mass: total share, at most the sum of the caps.
        budget: largest cost of the mixture; may be infinite or negative.
        slack: overspending that counts as rounding.
        shares: written: the mixture, a basic solution, float64 ``(count,)``.
        keys: scratch, float64 ``(count + 1,)``.
        orders: scratch, int64 ``(3, count + 1)``.

    Returns:
        Value, price, the key ``score - price cost`` of the marginal model, feasible. If nothing is
        affordable: the cheapest mixture, an infinite price, feasible false.
    """
    high, low, new = 0, 1, 2  # rows of orders: the mixture above the budget, within it, the next
    high_count, high_value, high_cost, high_share = fill(
        score, cost, cap, count, 1.0, 0.0, mass, keys, orders[high]
    )
    low_count, low_value, low_cost, low_share = high_count, high_value, high_cost, high_share
    price = 0.0
    mix = 0.0  # the part of the mixture above the budget
    feasible = True
    marginal = keys[high_count - 1] if high_count > 0 else 0.0
    if high_cost <= budget + slack:
        low = high
    else:
        low_count, low_value, low_cost, low_share = fill(
            score, cost, cap, count, 0.0, 1.0, mass, keys, orders[low]
        )
        feasible = low_cost <= budget + slack
        price = math.inf
        while feasible:
            price = max((high_value - low_value) / (high_cost - low_cost), 0.0)
            new_count, value, spend, share = fill(
                score, cost, cap, count, 1.0, price, mass, keys, orders[new]
            )
            marginal = keys[new_count - 1]
            worth = high_value - price * high_cost
            gain = (value - price * spend) - worth
            rounding = VALUE_TOLERANCE * (abs(high_value) + price * high_cost)
            if gain <= rounding or not low_cost < spend < high_cost:
                mix = max((budget - low_cost) / (high_cost - low_cost), 0.0)
                break
            if spend > budget + slack:
                high, new = new, high
                high_count, high_value, high_cost, high_share = new_count, value, spend, share
            else:
                low, new = new, low
                low_count, low_value, low_cost, low_share = new_count, value, spend, share
    shares[:count] = 0.0
    for j in range(low_count):
        i = orders[low, j]
        part = low_share if j == low_count - 1 else cap[i]
        shares[i] = part * (1.0 - mix)
    if mix > 0.0:
        fractional = 0
        for j in range(high_count):
            i = orders[high, j]
            shares[i] += (high_share if j == high_count - 1 else cap[i]) * mix
        # Snap what rounding moved off its bounds, and list what lies strictly between them.
        for i in range(count):
            if shares[i] >= cap[i] - MASS_TOLERANCE * cap[i]:
                shares[i] = cap[i]
            elif shares[i] <= MASS_TOLERANCE * cap[i]:
                shares[i] = 0.0
            else:
                orders[new, fractional] = i
                fractional += 1
        if fractional > 2:
            _make_basic(score, cost, cap, shares, orders[new], fractional)
    value = 0.0
    for i in range(count):
        value += score[i] * shares[i]
    return value, price, marginal, feasible


@njit(cache=True)
def _make_basic(
    score: Floats,
    cost: Floats,
    cap: Floats,
    shares: Floats,
    open_models: NDArray[np.int64],
    count: int,
) -> None:
    """Move mass among three open models at a time, at equal mass and cost, until two are open."""
    while count > 2:
        i, j, k = open_models[count - 3], open_models[count - 2], open_models[count - 1]
        di, dj, dk = cost[j] - cost[k], cost[k] - cost[i], cost[i] - cost[j]
        if di == 0.0 and dj == 0.0:
            di, dj, dk = 1.0, -1.0, 0.0
        if di * score[i] + dj * score[j] + dk * score[k] < 0.0:
            di, dj, dk = -di, -dj, -dk
        step = math.inf
        for model, direction in ((i, di), (j, dj), (k, dk)):
            if direction > 0.0:
                step = min(step, (cap[model] - shares[model]) / direction)
            elif direction < 0.0:
                step = min(step, shares[model] / -direction)
        count -= 3
        for model, direction in ((i, di), (j, dj), (k, dk)):
            share = shares[model] + step * direction
            if share >= cap[model] - MASS_TOLERANCE * cap[model]:
                shares[model] = cap[model]
            elif share <= MASS_TOLERANCE * cap[model]:
                shares[model] = 0.0
            else:
                shares[model] = share
                open_models[count] = model
                count += 1


@njit(cache=True)
def compact_row(
    score_row: Floats, cost_row: Floats, throughput_row: Floats, floats: Floats, names: Floats
) -> int:
    """Gather the usable models of a row.

    Args:
        score_row: float64 ``(M,)``.
        cost_row: float64 ``(M,)``.
        throughput_row: float64 ``(M,)``; models with 0 are left out, their values not read.
        floats: written: scores, costs and caps, float64 ``(3, M)`` or larger.
        names: written: index in the row of each usable model, int64 ``(M,)``.

    Returns:
        Number of usable models, or -1 if a value is not allowed.
    """
    count = 0
    for i in range(throughput_row.shape[0]):
        cap = throughput_row[i]
        if cap == 0.0:
            continue
        # Written so that a NaN is refused too.
        if not (
            0.0 < cap <= 1.0 and 0.0 <= cost_row[i] < math.inf and abs(score_row[i]) < math.inf
        ):
            return -1
        floats[0, count] = score_row[i]
        floats[1, count] = cost_row[i]
        floats[2, count] = cap
        names[count] = i
        count += 1
    return count


@njit(cache=True)
def _route_row(
    score_row: Floats,
    cost_row: Floats,
    budget: float,
    throughput_row: Floats,
    probabilities_out: Floats,
    floats: Floats,
    integers: NDArray[np.int64],
) -> tuple[float, float, bool]:
    probabilities_out[:] = 0.0
    count = compact_row(score_row, cost_row, throughput_row, floats, integers[3])
    if count < 0 or math.isnan(budget):
        return math.nan, math.nan, False
    mass = 0.0
    for i in range(count):
        mass += floats[2, i]
    value, price, _, feasible = solve_mixture(
        floats[0],
        floats[1],
        floats[2],
        count,
        min(1.0, mass),
        budget,
        COST_TOLERANCE * abs(budget),
        floats[3],
        floats[4],
        integers,
    )
    for i in range(count):
        probabilities_out[integers[3, i]] = floats[3, i]
    return value, price, feasible


@njit(cache=True)
def route_kernel(
    score_row: Floats,
    cost_row: Floats,
    budget: float,
    throughput_row: Floats,
    probabilities_out: Floats,
) -> tuple[float, float, bool]:
    """RouteOPT for one row, for compiled callers.

    Args:
        score_row: ``mu``, finite, float64 ``(M,)``, C-contiguous as all rows here.
        cost_row: ``c``, USD, at least 0, float64 ``(M,)``.
        budget: USD a query.
        throughput_row: ``alpha``, float64 ``(M,)``; 0: not usable, and the other values not read.
        probabilities_out: written: the mixture, float64 ``(M,)``.

    Returns:
        Value, price, feasible, as in `RoutePlan`; the value is NaN if an argument is not allowed.
    """
    size = score_row.shape[0] + 1
    floats = np.empty((5, size))
    integers = np.empty((4, size), dtype=np.int64)
    return _route_row(
        score_row, cost_row, budget, throughput_row, probabilities_out, floats, integers
    )


@njit(cache=True)
def route_rows(
    score: Floats,
    cost: Floats,
    budget: Floats,
    throughput: Floats,
    probabilities: Floats,
    value: Floats,
    price: Floats,
    feasible: NDArray[np.bool_],
) -> None:
    """RouteOPT for each row, equal to `route_kernel` to the bit.

    Args:
        score: float64 ``(E, M)``, C-contiguous as all arrays here.
        cost: USD, float64 ``(E, M)``.
        budget: USD a query, float64 ``(E,)``.
        throughput: float64 ``(E, M)``.
        probabilities: written, float64 ``(E, M)``.
        value: written, float64 ``(E,)``; NaN where a row holds a value that is not allowed.
        price: written, float64 ``(E,)``.
        feasible: written, bool ``(E,)``.
    """
    size = score.shape[1] + 1
    floats = np.empty((5, size))
    integers = np.empty((4, size), dtype=np.int64)
    for e in range(score.shape[0]):
        value[e], price[e], feasible[e] = _route_row(
            score[e], cost[e], budget[e], throughput[e], probabilities[e], floats, integers
        )


def route_lp(
    score: ArrayLike, cost: ArrayLike, budget: ArrayLike, throughput: ArrayLike
) -> RoutePlan:
    """Solve RouteOPT (Li & Li 2026, arXiv 2506.17254): how to split queries among models.

    Maximises ``sum mu_m p_m`` subject to ``sum c_m p_m <= b``, ``sum p_m = s`` and
    ``0 <= p_m <= alpha_m``, with ``s = min(1, sum alpha_m)``: where the caps do not add up to 1 all
    are filled and the rest of the queries is declined. Where no such mixture is affordable, the
    plan is the cheapest one. Of several best mixtures, ties go to the cheaper model, and at most
    two models lie strictly between 0 and their cap.

    Args:
        score: ``mu``, expected score of each model, ``(M,)`` or ``(E, M)``; any finite number.
        cost: ``c``, expected cost of each model, USD, at least 0, same shape.
        budget: ``b``, USD a query, above 0 (infinity: none); scalar, or ``(E,)`` for a batch.
        throughput: ``alpha`` in [0, 1]; scalar, ``(M,)``, or ``(E, M)`` for a batch. A model with 0
            may not be used, and its score and cost are not read.

    Returns:
        The plan; of rows ``(E, ...)`` for a batch. With no usable model: zeros, feasible.

    Raises:
        FieldError: a shape or a value is not allowed.
    """
    mu, c = as_rows(score), as_rows(cost)
    if mu.shape != c.shape or mu.ndim not in {1, 2}:
        refuse_shapes(mu, c, "(M,) or (E, M)")
    alpha = as_caps(throughput, mu.shape)
    probabilities = np.empty(mu.shape)
    if mu.ndim == 1:
        b = as_budget(budget)
        value, price, feasible = route_kernel(mu, c, b, alpha, probabilities)
        if value != value:  # noqa: PLR0124 - NaN; math.isnan takes three times as long
            refuse_values(mu, c, alpha)
        return RoutePlan(probabilities, value, price, feasible)
    budgets = as_budgets(budget, len(mu))
    values, prices, affordable = np.empty(len(mu)), np.empty(len(mu)), np.empty(len(mu), bool)
    route_rows(mu, c, budgets, alpha, probabilities, values, prices, affordable)
    if np.isnan(values).any():
        refuse_values(mu, c, alpha)
    return RoutePlan(probabilities, values, prices, affordable)
