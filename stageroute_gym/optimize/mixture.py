"""The mixture of models that earns most within a budget, solved exactly on its dual.

For a price ``lambda`` of the budget, the best mixture fills models greedily in the order of
``score - lambda cost``. Two such mixtures bracket the budget; the price at which they are worth the
same either yields a third one that replaces one of them, or is optimal, and the two are mixed.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.array_types import Floats, Integers
from stageroute_gym.compiling import njit

MASS_TOLERANCE = 1e-12  # shares of queries below this are rounding
# A share below this part of a cap is rounding. A model a million times dearer than the budget and a
# million times better than the others has shares far below MASS_TOLERANCE that count.
_SHARE_ROUNDING = 1e-15
VALUE_TOLERANCE = 1e-14  # gains by this part of what is compared are rounding
# The kernels of a decision allocate nothing and hold nothing, so they do without numba's reference
# counting (``_nrt=False``), which took more than half the time of one.
# A literal 0 passed on to another kernel is a type of its own, and compiles that kernel once more.
ZERO: Any = np.int64(0)


class Models(NamedTuple):
    """Compact rows, of usable models only; the arrays may be longer than there are models.

    Attributes:
        score: score of each model, float64.
        cost: cost of each model.
        cap: largest share of each model, above 0.
    """

    score: Floats
    cost: Floats
    cap: Floats


class Budget(NamedTuple):
    """What a mixture may cost.

    Attributes:
        limit: largest cost; may be infinite or negative.
        slack: overspending that counts as rounding.
    """

    limit: float
    slack: float


class Scratch(NamedTuple):
    """Room for `solve_mixture` to work in.

    Attributes:
        keys: float64 ``(count + 1,)``.
        orders: int64 ``(3, count + 1)``.
    """

    keys: Floats
    orders: Integers


@njit(cache=True, _nrt=False)
def fill(
    models: Models,
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
        models: the models.
        count: their number.
        weight: factor of the scores.
        price: factor of the costs.
        mass: what to fill, at most the sum of the caps.
        keys: scratch, float64 ``(count + 1,)``: the keys in descending order.
        order: written: the models in the order in which they are filled, int64 ``(count + 1,)``.

    Returns:
        Number of models filled, their score, their cost, and the share of the last one.

    """
    score, cost, cap = models
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


@njit(cache=True, _nrt=False)
def solve_mixture(
    models: Models, count: int, mass: float, budget: Budget, shares: Floats, scratch: Scratch
) -> tuple[float, float, float, bool]:
    """Solve RouteOPT over compact rows: every model usable, the mass given and within the caps.

    Args:
        models: the models; the first ``count`` entries are read.
        count: number of models.
        mass: total share, at most the sum of the caps.
        budget: what the mixture may cost.
        shares: written: the mixture, a basic solution, float64 ``(count,)``.
        scratch: for its own use.

    Returns:
        Value, price, the key ``score - price cost`` of the marginal model, feasible. If nothing is
        affordable: the cheapest mixture, an infinite price, feasible false.

    """
    score, cap = models.score, models.cap
    limit, slack = budget
    keys, orders = scratch
    high, low, new = 0, 1, 2  # rows of orders: the mixture above the budget, within it, the next
    high_count, high_value, high_cost, high_share = fill(
        models, count, 1.0, 0.0, mass, keys, orders[high]
    )
    low_count, low_value, low_cost, low_share = high_count, high_value, high_cost, high_share
    price = 0.0
    mix = 0.0  # the part of the mixture above the budget
    feasible = True
    marginal = keys[high_count - 1] if high_count > 0 else 0.0
    if high_cost <= limit + slack:
        low = high
    else:
        low_count, low_value, low_cost, low_share = fill(
            models, count, 0.0, 1.0, mass, keys, orders[low]
        )
        feasible = low_cost <= limit + slack
        price = math.inf
        while feasible:
            price = max((high_value - low_value) / (high_cost - low_cost), 0.0)
            new_count, value, spend, share = fill(
                models, count, 1.0, price, mass, keys, orders[new]
            )
            marginal = keys[new_count - 1]
            worth = high_value - price * high_cost
            gain = (value - price * spend) - worth
            rounding = VALUE_TOLERANCE * (abs(high_value) + price * high_cost)
            if gain <= rounding or not low_cost < spend < high_cost:
                mix = max((limit - low_cost) / (high_cost - low_cost), 0.0)
                break
            if spend > limit + slack:
                high, new = new, high
                high_count, high_value, high_cost, high_share = new_count, value, spend, share
            else:
                low, new = new, low
                low_count, low_value, low_cost, low_share = new_count, value, spend, share
    for i in range(count):
        shares[i] = 0.0
    for j in range(low_count):
        i = orders[low, j]
        part = low_share if j == low_count - 1 else cap[i]
        shares[i] = part * (1.0 - mix)
    if mix > 0.0:
        fractional = ZERO
        for j in range(high_count):
            i = orders[high, j]
            shares[i] += (high_share if j == high_count - 1 else cap[i]) * mix
        # Snap what rounding moved off its bounds, and list what lies strictly between them.
        for i in range(count):
            if shares[i] >= cap[i] - MASS_TOLERANCE * cap[i]:
                shares[i] = cap[i]
            elif shares[i] <= _SHARE_ROUNDING * cap[i]:
                shares[i] = 0.0
            else:
                orders[new, fractional] = i
                fractional += 1
        if fractional > 2:
            _make_basic(models, shares, orders[new], fractional)
    value = 0.0
    for i in range(count):
        value += score[i] * shares[i]
    return value, price, marginal, feasible


@njit(cache=True, _nrt=False)
def _make_basic(
    models: Models,
    shares: Floats,
    open_models: NDArray[np.int64],
    count: int,
) -> None:
    """Move mass among three open models at a time, at equal mass and cost, until two are open."""
    score, cost, cap = models
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
            elif share <= _SHARE_ROUNDING * cap[model]:
                shares[model] = 0.0
            else:
                shares[model] = share
                open_models[count] = model
                count += 1
