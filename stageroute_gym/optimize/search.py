"""Branch and bound for DeployOPT: which models to deploy when the relaxation uses too many.

A node fixes some models in (deployed) and some out. Its relaxation lets the free models share the
slots left: ``sum d / alpha <= slots``. The price ``theta`` of a slot is found as RouteOPT finds
``lambda``: two mixtures bracket the slots, and RouteOPT with scores ``mu - theta / alpha`` yields
the next. Any prices ``lambda, theta >= 0`` and ``tau`` (of mass) give the bound that separates over
models, ``lambda b + theta slots + tau s + sum max(0, (mu - lambda c - tau) d - theta)``, and with it
what forcing one model in or out would cost: models for which that is too much are fixed.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from stageroute_gym.optimize.route import MASS_TOLERANCE, VALUE_TOLERANCE, solve_mixture

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

GAP = 1e-11  # a branch must promise more than this part of the largest score to be searched
SLOT_TOLERANCE = 1e-9  # slots used beyond what there are by less than this are rounding
IN, FREE, OUT = 1, 0, -1


@njit(cache=True)
def largest_caps(cap: Floats, count: int, number: int, largest: Floats) -> float:
    """Write the ``number`` largest caps in descending order and return their sum.

    Args:
        cap: float64, the first ``count`` entries are read.
        count: number of models.
        number: how many, at least 1.
        largest: written, float64 ``(number + 1,)``; zeros where there are fewer.
    """
    largest[:] = 0.0
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


@njit(cache=True)
def _least_shares(
    cap: Floats, count: int, slots: int, mass: float, largest: Floats, least: Floats
) -> None:
    """What a model must serve at least if it is deployed, as the others cannot serve more."""
    total = largest_caps(cap, count, slots, largest)
    for i in range(count):
        others = total - max(cap[i], largest[slots - 1])
        short = mass - others
        least[i] = min(short, cap[i]) if short > MASS_TOLERANCE else 0.0


@njit(cache=True)
def _relax(
    score: Floats,
    cost: Floats,
    count: int,
    room: Floats,
    per_share: Floats,
    mass: float,
    budget: float,
    slack: float,
    slots: int,
    mixtures: Floats,
    keyed: Floats,
    keys: Floats,
    orders: Integers,
) -> tuple[int, float, float, float]:
    """Solve the relaxation of a node over compact rows.

    ``per_share`` is the part of a slot that a share of 1 takes; 0 for models already in.

    Returns:
        Row of ``mixtures`` with the solution or -1 if there is none, ``lambda``, ``theta``,
        ``tau``.
    """
    over, within, new = 0, 1, 2
    over_value, price, marginal, feasible = solve_mixture(
        score, cost, room, count, mass, budget, slack, mixtures[over], keys, orders
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
        _, price, marginal, _ = solve_mixture(
            keyed, cost, room, count, mass, budget, slack, mixtures[new], keys, orders
        )
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


@njit(cache=True)
def search(
    score: Floats,
    cost: Floats,
    cap: Floats,
    count: int,
    mass: float,
    budget: float,
    slack: float,
    slots: int,
    chosen: NDArray[np.bool_],
    incumbent: float,
    target: float,
) -> tuple[float, int]:
    """Find the best set of at most ``slots`` models, exactly, by depth-first branch and bound.

    Args:
        score: score of each model, float64; the first ``count`` entries are read.
        cost: cost of each model, at least 0.
        cap: largest share of each model, above 0.
        count: number of models.
        mass: total share, at most the sum of the ``slots`` largest caps.
        budget: largest cost of the mixture; may be infinite.
        slack: overspending that counts as rounding.
        slots: largest number of models.
        chosen: a set to begin with, bool ``(count,)``; overwritten with the best one.
        incumbent: a value that the mixture over ``chosen`` reaches; minus infinity if it holds none.
        target: value at which the search stops.

    Returns:
        Value of the best set, and the number of nodes searched.
    """
    n = count
    mu, c, alpha = score[:n].copy(), cost[:n].copy(), cap[:n].copy()
    name = np.arange(n)
    least = np.empty(n)
    largest = np.empty(slots + 1)
    room, per_share, node_score, node_cost = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    keyed, keys, shares = np.empty(n), np.empty(n + 1), np.empty(n)
    member = np.empty(n + 1, dtype=np.int64)
    mixtures = np.empty((3, n))
    orders = np.empty((3, n + 1), dtype=np.int64)
    stack = np.zeros((n + 2, n), dtype=np.int8)
    bounds = np.full(n + 2, math.inf)
    gap = GAP * max(np.abs(mu).max(), 1e-300)
    _least_shares(alpha, n, slots, mass, largest, least)
    depth = 1
    nodes = 0
    while depth > 0 and incumbent < target:
        depth -= 1
        if bounds[depth] <= incumbent + gap:
            continue
        nodes += 1
        state = stack[depth]
        # Gather the node: models in are lifted to their least share, free ones start at 0.
        m = 0
        taken = 0
        node_mass, node_budget, node_slack = mass, budget, 10.0 * slack
        reach = 0.0
        for i in range(n):
            if state[i] == IN:
                taken += 1
        for i in range(n):
            if state[i] == OUT or (state[i] == FREE and taken >= slots):
                continue
            if state[i] == IN:
                node_mass -= least[i]
                node_budget -= least[i] * c[i]
                room[m] = alpha[i] - least[i]
                per_share[m] = 0.0
            else:
                room[m] = alpha[i]
                per_share[m] = 1.0 / alpha[i]
            reach += room[m]
            if room[m] > 0.0:
                node_score[m], node_cost[m], member[m] = mu[i], c[i], i
                m += 1
        if taken > slots or node_mass < -SLOT_TOLERANCE or reach < node_mass - SLOT_TOLERANCE:
            continue
        free_slots = slots - taken
        row, price, theta, tau = _relax(
            node_score, node_cost, m, room, per_share, max(min(node_mass, reach), 0.0),
            node_budget, node_slack, free_slots, mixtures, keyed, keys, orders,
        )  # fmt: skip
        if row < 0:
            continue
        shares[:n] = 0.0
        for j in range(m):
            shares[member[j]] = mixtures[row, j]
        # Round: the models in, and the free ones with the largest shares; then route over them.
        m = 0
        reach = 0.0
        positive = 0
        for i in range(n):
            if state[i] == IN:
                member[m] = i
                reach += alpha[i]
                m += 1
            elif shares[i] > 0.0:
                positive += 1
        for _ in range(min(free_slots, positive)):
            best = -1
            for i in range(n):
                if state[i] == FREE and shares[i] > 0.0 and (best < 0 or shares[i] > shares[best]):
                    best = i
            member[m] = best
            reach += alpha[best]
            shares[best] = -shares[best]
            m += 1
        if reach >= mass - MASS_TOLERANCE:
            for j in range(m):
                i = member[j]
                node_score[j], node_cost[j], room[j] = mu[i], c[i], alpha[i]
            value, _, _, affordable = solve_mixture(
                node_score, node_cost, room, m, min(mass, reach), budget, slack, keyed, keys, orders
            )
            if affordable and value > incumbent:
                incumbent = value
                chosen[:] = False
                for j in range(m):
                    chosen[name[member[j]]] = True
        if positive <= free_slots:
            continue  # the relaxation is a solution
        # The bound, and what it loses by forcing each free model the other way.
        bound = theta * free_slots + tau * mass + (price * budget if price > 0.0 else 0.0)
        for i in range(n):
            if state[i] != OUT:
                worth = mu[i] - price * c[i] - tau
                gain = worth * (alpha[i] if worth > 0.0 else least[i])
                if state[i] == FREE:
                    gain -= theta
                    keyed[i] = gain
                    gain = max(gain, 0.0)
                bound += gain
        if bound <= incumbent + gap:
            continue
        split = -1
        most = -1.0
        for i in range(n):
            if state[i] != FREE:
                continue
            if bound - abs(keyed[i]) <= incumbent + gap:
                state[i] = IN if keyed[i] > 0.0 else OUT
                continue
            part = abs(shares[i]) / alpha[i]
            if min(part, 1.0 - part) > most:
                split = i
                most = min(part, 1.0 - part)
        if nodes == 1:
            # Later nodes never see the models that the root rules out.
            kept = 0
            new_split = -1
            for i in range(n):
                if state[i] != OUT:
                    mu[kept], c[kept], alpha[kept], name[kept] = mu[i], c[i], alpha[i], name[i]
                    shares[kept] = shares[i]
                    state[kept] = state[i]
                    if i == split:
                        new_split = kept
                    kept += 1
            n = kept
            split = new_split
            _least_shares(alpha, n, slots, mass, largest, least)
        if split < 0:
            bounds[depth] = bound
            depth += 1
            continue
        promising = IN if 2.0 * abs(shares[split]) >= alpha[split] else OUT
        stack[depth + 1] = state
        state[split] = -promising
        stack[depth + 1, split] = promising
        bounds[depth] = bound
        bounds[depth + 1] = bound
        depth += 2
    return incumbent, nodes
