"""The relaxation of DeployOPT at a node of the search: free models share the slots left.

``sum d / alpha <= slots`` over the free models replaces the count of models. The price ``theta`` of
a slot is found as RouteOPT finds ``lambda``: two mixtures bracket the slots, and RouteOPT with
scores ``mu - theta / alpha`` yields the next.
"""

from __future__ import annotations

import math

from stageroute_gym.array_types import Floats
from stageroute_gym.compiling import njit
from stageroute_gym.optimize.mixture import (
    MASS_TOLERANCE,
    VALUE_TOLERANCE,
    Budget,
    Models,
    Scratch,
    solve_mixture,
)

SLOT_TOLERANCE = 1e-9  # slots used beyond what there are by less than this are rounding


@njit(cache=True, _nrt=False)
def largest_caps(cap: Floats, count: int, number: int, largest: Floats) -> float:
    """Write the ``number`` largest caps in descending order and return their sum.

    Args:
        cap: float64, the first ``count`` entries are read.
        count: number of models.
        number: how many, at least 1.
        largest: written, float64 ``(number + 1,)``; zeros where there are fewer.

    """
    for j in range(number + 1):
        largest[j] = 0.0
    for i in range(count):
        j = min(i, number)
        while j > 0 and largest[j - 1] < cap[i]:
            largest[j] = largest[j - 1]
            j -= 1
        if j < number:
            largest[j] = cap[i]
    total = 0.0
    for j in range(number):
        total += largest[j]
    return total


@njit(cache=True, _nrt=False)
def least_shares(
    cap: Floats, count: int, slots: int, mass: float, largest: Floats, least: Floats
) -> None:
    """Write what each model serves at least if it is deployed, as the others cannot serve more.

    Args:
        cap: largest share of each model, float64; the first ``count`` entries are read.
        count: number of models.
        slots: largest number of models.
        mass: total share.
        largest: scratch, float64 ``(slots + 1,)``.
        least: written, float64 ``(count,)``.

    """
    total = largest_caps(cap, count, slots, largest)
    for i in range(count):
        others = total - max(cap[i], largest[slots - 1])
        short = mass - others
        least[i] = min(short, cap[i]) if short > MASS_TOLERANCE else 0.0


@njit(cache=True, _nrt=False)
def relax(
    models: Models,
    count: int,
    per_share: Floats,
    mass: float,
    budget: Budget,
    slots: int,
    mixtures: Floats,
    scratch: Scratch,
) -> tuple[int, float, float, float]:
    """Solve the relaxation of a node over compact rows.

    Args:
        models: the models, the caps less what they serve at least; the first ``count`` entries are
            read.
        count: number of models.
        per_share: part of a slot that a share of 1 takes; 0 for models already in.
        mass: total share, within the sum of the caps.
        budget: what the mixture may cost.
        slots: slots left for the free models.
        mixtures: scratch and result, float64 ``(4, count)``.
        scratch: for `solve_mixture`.

    Returns:
        Row of ``mixtures`` with the solution or -1 if there is none, ``lambda``, ``theta``,
        ``tau``.

    """
    score, keyed = models.score, mixtures[3]
    at_price = Models(keyed, models.cost, models.cap)
    over, within, new = 0, 1, 2
    over_value, price, marginal, feasible = solve_mixture(
        models, count, mass, budget, mixtures[over], scratch
    )
    if not feasible:
        return -1, 0.0, 0.0, 0.0
    over_used = 0.0
    for i in range(count):
        over_used += per_share[i] * mixtures[over, i]
    if over_used <= slots + SLOT_TOLERANCE:
        return over, price, 0.0, marginal
    within_used = math.inf
    within_value = 0.0
    theta = 0.0
    first = True
    while True:
        # The first round asks for the fewest slots, whatever the score.
        theta = 1.0 if first else (over_value - within_value) / (over_used - within_used)
        theta = max(theta, 0.0)
        for i in range(count):
            keyed[i] = (0.0 if first else score[i]) - theta * per_share[i]
        _, price, marginal, _ = solve_mixture(at_price, count, mass, budget, mixtures[new], scratch)
        value = 0.0
        used = 0.0
        for i in range(count):
            value += score[i] * mixtures[new, i]
            used += per_share[i] * mixtures[new, i]
        if first:
            first = False
            if used > slots + SLOT_TOLERANCE:
                return -1, 0.0, 0.0, 0.0
            within, new = new, within
            within_value, within_used = value, used
            continue
        gain = (value - theta * used) - (over_value - theta * over_used)
        rounding = 10.0 * VALUE_TOLERANCE * (abs(over_value) + theta * over_used)
        if gain <= rounding or not within_used < used < over_used:
            break
        if used > slots:
            over, new = new, over
            over_value, over_used = value, used
        else:
            within, new = new, within
            within_value, within_used = value, used
    mix = max((slots - within_used) / (over_used - within_used), 0.0)
    for i in range(count):
        low, high = mixtures[within, i], mixtures[over, i]
        mixtures[within, i] = low if low == high else low + mix * (high - low)
    return within, price, theta, marginal
