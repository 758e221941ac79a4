"""The edges between the vertices of a stage's mixtures: exchanges of mass between two models.

Where some mass is left over, in a model filled in part or declined, each edge moves mass to or from
there; where all mass is in full models, from any of them to any other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stageroute_gym.array_types import Floats, Integers
from stageroute_gym.compiling import njit
from stageroute_gym.optimize.vertices import MASS_ROUNDING, Stage, Vertices


class Edges(NamedTuple):
    """Exchanges of mass that lead from a vertex to its neighbours.

    Attributes:
        vertex: number of the vertex, int64 ``(E,)``.
        giver: position of the model that gives, -1: queries declined so far, int64 ``(E,)``.
        taker: position of the model that takes, -1: declining, int64 ``(E,)``.
        share: share of the queries that changes over on the whole edge, float64 ``(E,)``.
        cost: expected cost of a query that it adds, USD, not 0, float64 ``(E,)``.
        loss: what each USD more or less loses at the price, score per USD, float64 ``(E,)``.
    """

    vertex: Integers
    giver: Integers
    taker: Integers
    share: Floats
    cost: Floats
    loss: Floats

    def take(self, order: Integers) -> Edges:
        """Some of them, or all in another order."""
        vertex, giver, taker, share, cost, loss = self
        return Edges(
            vertex[order], giver[order], taker[order], share[order], cost[order], loss[order]
        )


@njit(cache=True)
def _edges(stage: Stage, vertices: Vertices, price: float, whole: Integers, numbers: Floats) -> int:
    """Write the edges that lead away from each vertex, see `edges_of`; -1 if room is short."""
    mu, c, cap, better = stage.score, stage.cost, stage.cap, stage.better
    n, slots = better.shape
    full = np.zeros(n, dtype=np.bool_)
    found = 0
    for v in range(vertices.members.shape[0]):
        members = vertices.members[v]
        share = vertices.partial[v]
        size = 0
        mass = 0.0
        full[:] = False
        for j in members:
            if j < 0:
                break
            full[j] = True
            mass += cap[j]
            size += 1
        carrier, carried = -1, 0.0
        if share > 0.0:
            carrier = members[size - 1]
            full[carrier] = False
            carried = share
        elif mass < 1.0 - MASS_ROUNDING:
            carried = 1.0 - mass
        first = found
        for giver in range(-1, n):
            gives = giver == carrier or (giver >= 0 and full[giver])
            if not gives:
                continue
            for taker in range(-1, n):
                if taker == giver or (taker >= 0 and full[taker]):
                    continue
                # Whatever the carrier of the mass left over is, it takes part in each exchange;
                # where all mass is in full models there is none.
                if carried > 0.0 and carrier not in (giver, taker):
                    continue
                if taker >= 0 and taker != carrier and size + 1 > slots:
                    continue
                available = carried if giver == carrier else cap[giver]
                if taker >= 0:
                    available = min(available, cap[taker] - (carried if taker == carrier else 0.0))
                if available <= 0.0:
                    continue
                usable = True
                if taker >= 0:
                    for b in better[taker]:
                        if b < 0:
                            break
                        if not full[b] or b == giver:
                            usable = False
                            break
                if not usable:
                    continue
                score = (mu[taker] if taker >= 0 else 0.0) - (mu[giver] if giver >= 0 else 0.0)
                cost = (c[taker] if taker >= 0 else 0.0) - (c[giver] if giver >= 0 else 0.0)
                if cost == 0.0:
                    continue
                slope = max(price * cost - score, 0.0) / abs(cost)
                length = available * abs(cost)
                # Of two ways to spend more, or less, the flatter and longer one is enough.
                worse = False
                kept = first
                for e in range(first, found):
                    if (numbers[1, e] > 0.0) != (cost > 0.0):
                        continue
                    if numbers[2, e] <= slope and abs(numbers[1, e]) >= length:
                        worse = True
                        break
                if worse:
                    continue
                for e in range(first, found):
                    if (
                        (numbers[1, e] > 0.0) == (cost > 0.0)
                        and slope <= numbers[2, e]
                        and length >= abs(numbers[1, e])
                    ):
                        continue
                    whole[:, kept] = whole[:, e]
                    numbers[:, kept] = numbers[:, e]
                    kept += 1
                found = kept
                if found == whole.shape[1]:
                    return -1
                whole[0, found], whole[1, found], whole[2, found] = v, giver, taker
                numbers[0, found], numbers[1, found] = available, available * cost
                numbers[2, found] = slope
                found += 1
    return found


def edges_of(stage: Stage, vertices: Vertices, price: float) -> Edges:
    """The edges that lead from each vertex to neighbours of other costs.

    Of those of one vertex that lead to larger costs, and of those that lead to smaller ones, only
    such are kept that no other is longer than and loses less per USD.

    Args:
        stage: the stage.
        vertices: its vertices that count.
        price: of the budget, score per USD, above 0.
    """
    room = 8 * len(vertices.partial) + 8
    while True:
        whole, numbers = np.empty((3, room), dtype=np.int64), np.empty((3, room))
        found = _edges(stage, vertices, price, whole, numbers)
        if found >= 0:
            return Edges(*whole[:, :found], *numbers[:, :found])
        room *= 2
