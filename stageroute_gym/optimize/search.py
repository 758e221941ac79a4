"""Branch and bound for DeployOPT: which models to deploy when the relaxation uses too many.

A node fixes some models in (deployed) and some out. Any prices ``lambda, theta >= 0`` (of budget
and slots) and ``tau`` (of mass) give a bound that separates over models, ``lambda b + theta slots +
tau s + sum max(0, (mu - lambda c - tau) d - theta)``, and with it what forcing one model in or out
would cost: models for which that is too much are fixed. The relaxation of the node yields good
prices. Problems that are subset sums in disguise (scores exactly linear in costs, one cap of
exactly ``1 / M_max``, a hundred models) take exponential time, as they do by any such method.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.array_types import Floats, Integers
from stageroute_gym.compiling import njit
from stageroute_gym.optimize.mixture import (
    MASS_TOLERANCE,
    ZERO,
    Budget,
    Models,
    Scratch,
    solve_mixture,
)
from stageroute_gym.optimize.relaxation import SLOT_TOLERANCE, least_shares, relax

GAP = 2e-10  # a branch must promise more than this part of the best value so far to be searched
ROUNDING = 4e-16  # differences by this part of the largest score are rounding
IN, FREE, OUT = 1, 0, -1


@njit(cache=True, _nrt=False)
def _swap(
    models: Models,
    count: int,
    member: Integers,
    shares: Floats,
    members: int,
    budget: float,
    inside: NDArray[np.bool_],
) -> tuple[int, int, float]:
    """Find the best affordable mixture that hands one member's share to a model outside.

    Returns:
        Who leaves, who enters, and the value; -1, -1 and minus infinity if there is none.

    """
    score, cost, cap = models
    value = 0.0
    spend = 0.0
    for i in range(count):
        inside[i] = False
    for j in range(members):
        inside[member[j]] = True
        value += score[member[j]] * shares[j]
        spend += cost[member[j]] * shares[j]
    leave, enter, best = -1, -1, -math.inf
    for k in range(count):
        if inside[k]:
            continue
        for j in range(members):
            i = member[j]
            new = value + shares[j] * (score[k] - score[i])
            dearer = shares[j] * (cost[k] - cost[i])
            if new > best and shares[j] <= cap[k] and spend + dearer <= budget:
                leave, enter, best = i, k, new
    return leave, enter, best


@njit(cache=True)
def search(
    models: Models,
    count: int,
    mass: float,
    budget: Budget,
    slots: int,
    chosen: NDArray[np.bool_],
    incumbent: float,
    target: float,
) -> float:
    """Find the best set of at most ``slots`` models, exactly, by depth-first branch and bound.

    Args:
        models: the models, costs at least 0; the first ``count`` entries are read.
        count: number of models.
        mass: total share, at most the sum of the ``slots`` largest caps.
        budget: what the mixture may cost.
        slots: largest number of models.
        chosen: a set to begin with, bool ``(count,)``; overwritten with the best one.
        incumbent: a value that the mixture over ``chosen`` reaches, or minus infinity.
        target: value at which the search stops.

    Returns:
        Value of the best set.

    """
    score, cost, cap = models
    limit, slack = budget
    n = count
    # One scratch array and loops rather than array expressions, which take seconds to compile.
    floats = np.empty((11, n + 2))
    mu, c, alpha, least, room = floats[0], floats[1], floats[2], floats[3], floats[4]
    per_share, node_score, node_cost = floats[5], floats[6], floats[7]
    keyed, keys, shares = floats[8], floats[9], floats[10]
    integers = np.empty((2, n + 1), dtype=np.int64)
    name, member = integers[0], integers[1]
    mixtures = np.empty((4, n))
    orders = np.empty((3, n + 1), dtype=np.int64)
    everyone, node = Models(mu, c, alpha), Models(node_score, node_cost, room)
    scratch = Scratch(keys, orders)
    inside = np.empty(n, dtype=np.bool_)
    largest = np.empty(slots + 1)
    stack = np.empty((n + 2, n), dtype=np.int8)
    bounds = np.empty(n + 2)
    bounds[0] = math.inf
    scale = 1e-300
    for i in range(n):
        mu[i], c[i], alpha[i], name[i] = score[i], cost[i], cap[i], i
        stack[0, i] = FREE
        scale = max(scale, abs(mu[i]))
    gap = ROUNDING * scale
    if incumbent > -math.inf:
        gap = max(gap, GAP * abs(incumbent))
    least_shares(alpha, n, slots, mass, largest, least)
    depth = 1
    at_root = True
    while depth > 0 and incumbent < target:
        depth -= 1
        if bounds[depth] <= incumbent + gap:
            continue
        state = stack[depth]
        # Gather the node: models in are lifted to their least share, free ones start at 0.
        m = ZERO
        taken = 0
        node_mass, node_budget = mass, limit
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
        row, price, theta, tau = relax(
            node, m, per_share, max(min(node_mass, reach), 0.0),
            Budget(node_budget, 10.0 * slack), free_slots, mixtures, scratch,
        )  # fmt: skip
        if row < 0:
            continue
        for i in range(n):
            shares[i] = 0.0
        for j in range(m):
            shares[member[j]] = mixtures[row, j]
        # Round: the models in, and the free ones with the largest shares; then route over them.
        m = ZERO
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
                node, m, min(mass, reach), budget, keyed, scratch
            )
            leave, enter, swapped = _swap(everyone, n, member, keyed, m, limit, inside)
            if max(swapped, value if affordable else -math.inf) > incumbent:
                for i in range(count):
                    chosen[i] = False
                for j in range(m):
                    chosen[name[member[j]]] = True
                incumbent = value
                if not affordable or swapped > value:
                    chosen[name[leave]] = False
                    chosen[name[enter]] = True
                    incumbent = swapped
                gap = max(ROUNDING * scale, GAP * abs(incumbent))
        if positive <= free_slots:
            continue  # the relaxation is a solution
        # The bound, and what it loses by forcing each free model the other way.
        bound = theta * free_slots + tau * mass + (price * limit if price > 0.0 else 0.0)
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
        if at_root:
            at_root = False
            # Later nodes never see the models that the root rules out.
            kept = ZERO
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
            least_shares(alpha, n, slots, mass, largest, least)
        if split < 0:
            bounds[depth] = bound
            depth += 1
            continue
        promising = IN if 2.0 * abs(shares[split]) >= alpha[split] else OUT
        for i in range(n):
            stack[depth + 1, i] = state[i]
        state[split] = -promising
        stack[depth + 1, split] = promising
        bounds[depth] = bound
        bounds[depth + 1] = bound
        depth += 2
    return incumbent
