"""Serving groups of queries by models of limited throughput so that most is gained, exactly.

Successive best paths: each group's queries go to the model where one more is worth most, if need be
by moving queries of other groups between full models.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.array_types import Floats
from stageroute_gym.compiling import njit

# Parts of what a cell or a model takes, and of all queries, below which amounts are rounding.
_ROOM, _QUERIES = 1e-15, 1e-12


@njit(cache=True)
def transport(worth: Floats, room: Floats, weight: Floats, cap: Floats, mass: Floats) -> bool:
    """Serve all queries so that the sum of what they are worth is the largest.

    Args:
        worth: of a query of each group with each model, any finite number, float64 ``(G, M)``.
        room: largest share of all queries that each cell takes, float64 ``(G, M)``.
        weight: share of all queries that are of each group, float64 ``(G,)``.
        cap: largest share of all queries that each model takes, float64 ``(M,)``.
        mass: written: share of all queries in each cell, float64 ``(G, M)``; zeros at first.

    Returns:
        Whether all could be served.
    """
    groups, models = worth.shape
    left = cap.copy()
    # The best group to move a query of from one model to another, and what that gains.
    movers = np.full((models, models), -1)
    # What one more query is worth that goes to a model, and whence it pushes one out.
    reach = np.empty(models)
    source = np.empty(models, dtype=np.int64)
    for g in range(groups):
        rest = weight[g]
        while rest > _ROOM * weight[g]:
            for m in range(models):
                is_open = room[g, m] - mass[g, m] > _ROOM * room[g, m]
                reach[m] = worth[g, m] if is_open else -math.inf
                source[m] = -1
            for _ in range(models):
                settled = True
                for a in range(models):
                    # A query is moved out of full models only: out of others it would gain nothing.
                    if reach[a] == -math.inf or left[a] > _ROOM * cap[a]:
                        continue
                    for b in range(models):
                        h = movers[a, b]
                        if h < 0:
                            continue
                        found = reach[a] + (worth[h, b] - worth[h, a])
                        if found <= reach[b]:
                            continue
                        # Rounding must not lead a path back to where it has been.
                        on_path = a
                        while on_path >= 0 and on_path != b:
                            on_path = source[on_path]
                        if on_path < 0:
                            reach[b], source[b] = found, a
                            settled = False
                if settled:
                    break
            end = -1
            for m in range(models):
                if left[m] > _ROOM * cap[m] and (end < 0 or reach[m] > reach[end]):
                    end = m
            if end < 0 or reach[end] == -math.inf:
                if rest > _QUERIES:
                    return False
                break  # what rounding has left over
            amount = min(rest, left[end])
            b = end
            while source[b] >= 0:
                a, h = source[b], movers[source[b], b]
                amount = min(amount, mass[h, a], room[h, b] - mass[h, b])
                b = a
            amount = min(amount, room[g, b] - mass[g, b])
            rest -= amount
            left[end] -= amount
            mass[g, b] += amount
            b = end
            while source[b] >= 0:
                a, h = source[b], movers[source[b], b]
                mass[h, a] -= amount
                mass[h, b] += amount
                b = a
            # Whoever was moved, and the group itself, may be the best to move from now on.
            b = end
            while source[b] >= 0:
                a = source[b]
                _offer(movers[a, b], worth, room, mass, movers)
                b = a
            _offer(g, worth, room, mass, movers)
            _replace_spent(g, worth, room, mass, movers)
    return True


@njit(cache=True)
def _movable(h: int, a: int, b: int, room: Floats, mass: Floats) -> bool:
    """Whether queries of a group can be moved from one model to another."""
    return mass[h, a] > 0.0 and room[h, b] - mass[h, b] > _ROOM * room[h, b]


@njit(cache=True)
def _offer(h: int, worth: Floats, room: Floats, mass: Floats, movers: NDArray[np.int64]) -> None:
    """Enter a group wherever it is the best one to move."""
    models = worth.shape[1]
    for a in range(models):
        for b in range(models):
            if a != b and _movable(h, a, b, room, mass):
                k = movers[a, b]
                if k < 0 or worth[h, b] - worth[h, a] > worth[k, b] - worth[k, a]:
                    movers[a, b] = h


@njit(cache=True)
def _replace_spent(
    last: int, worth: Floats, room: Floats, mass: Floats, movers: NDArray[np.int64]
) -> None:
    """Look for another group up to ``last`` where the best one can no longer be moved."""
    models = worth.shape[1]
    for a in range(models):
        for b in range(models):
            if movers[a, b] < 0 or _movable(movers[a, b], a, b, room, mass):
                continue
            movers[a, b] = -1
            for h in range(last + 1):
                if _movable(h, a, b, room, mass):
                    k = movers[a, b]
                    if k < 0 or worth[h, b] - worth[h, a] > worth[k, b] - worth[k, a]:
                        movers[a, b] = h


@njit(cache=True)
def rents_at(worth: Floats, mass: Floats, weight: Floats, cap: Floats) -> Floats:
    """What one more unit of each model's throughput is worth, float64 ``(M,)``.

    Args:
        worth: minus infinity where a model may not serve a group, float64 ``(G, M)``.
        mass: a best plan, float64 ``(G, M)``.
        weight: share of all queries that are of each group, float64 ``(G,)``.
        cap: largest share of all queries that each model takes, float64 ``(M,)``.
    """
    groups, models = worth.shape
    rents = np.zeros(models)
    full = np.empty(models, dtype=np.bool_)
    for m in range(models):
        used = 0.0
        for g in range(groups):
            used += mass[g, m]
        full[m] = used >= cap[m] * (1.0 - _QUERIES)
    for _ in range(models):
        settled = True
        for a in range(models):
            if not full[a]:
                continue
            for g in range(groups):
                if worth[g, a] == -math.inf or mass[g, a] >= weight[g]:
                    continue
                for b in range(models):
                    if b == a or mass[g, b] <= 0.0:
                        continue
                    gain = worth[g, a] - worth[g, b] + rents[b]
                    if gain > rents[a]:
                        rents[a] = gain
                        settled = False
        if settled:
            break
    return rents
