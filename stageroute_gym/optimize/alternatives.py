"""What each stage offers near the price of the budget: vertices, edges, and what each loses.

All amounts are for a whole stage: USD, and score lost against the best that the stage is worth at
the price. Stages that offer the same are one group with a number of copies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.array_types import Floats, Integers
from stageroute_gym.optimize.edges import Edges, edges_of
from stageroute_gym.optimize.vertices import Stage, Vertices, good_vertices

ROUNDING = 1e-13  # amounts that differ by this part of what they are compared with are equal


@dataclass(frozen=True)
class StageGroup:
    """Stages that are alike.

    Args:
        stage: what they offer.
        length: queries of each.
        members: their numbers.
        worth: the most that a query can be worth at the price.
    """

    stage: Stage
    length: float
    members: list[int]
    worth: float


@dataclass(frozen=True)
class Options:
    """Groups of stages that offer the same alternatives, in amounts for a whole stage.

    Args:
        groups: the groups, with the vertices of each in one order.
        cost: USD of each vertex, ``(V,)``.
        loss: what each vertex loses, ``(V,)``.
        edges: number of the vertex, USD and loss per USD of each edge, three arrays ``(E,)``.
    """

    groups: list[tuple[StageGroup, Vertices, Edges]]
    cost: Floats
    loss: Floats
    edges: tuple[Integers, Floats, Floats]

    @property
    def copies(self) -> int:
        """Number of stages."""
        return sum(len(group.members) for group, _, _ in self.groups)


def list_options(
    groups: list[StageGroup], price: float, delta: float, bound: float, budget: float
) -> list[Options]:
    """List what each group offers at a loss of at most ``delta``, and merge what is the same.

    Args:
        groups: stages that are alike.
        price: of the budget, score per USD, above 0.
        delta: score that may be lost against the best at that price, over the horizon.
        bound: what no plan's score exceeds, above 0; rounding is judged by it.
        budget: of the horizon, USD.
    """
    merged: dict[bytes, Options] = {}
    for group in groups:
        slack = (delta + ROUNDING * bound) / group.length
        vertices = good_vertices(group.stage, price, group.worth - slack)
        loss = np.maximum(group.worth - (vertices.score - price * vertices.cost), 0.0)
        # In one order whatever the names of the models; what rounding tells apart is the same.
        cost_key = np.rint(vertices.cost * (group.length / budget) / ROUNDING)
        loss_key = np.rint(loss * (group.length / bound) / ROUNDING)
        order = np.lexsort((cost_key, loss_key))
        loss = loss[order]
        vertices = vertices.take(order)
        edges = edges_of(group.stage, vertices, price)
        keys = np.stack([cost_key, loss_key])[:, order]
        edge_cost = edges.cost * group.length
        edge_keys = np.stack(
            [
                edges.vertex,
                np.rint(edge_cost / budget / ROUNDING),
                np.rint(edges.loss / price / ROUNDING),
            ]
        )
        order = np.lexsort(edge_keys[::-1])
        edges = edges.take(order)
        name = np.float64(group.length).tobytes()
        name += b"".join(part.tobytes() for part in (keys, edge_keys[:, order]))
        if name in merged:
            merged[name].groups.append((group, vertices, edges))
            continue
        merged[name] = Options(
            [(group, vertices, edges)],
            vertices.cost * group.length,
            loss * group.length,
            (edges.vertex, edges.cost * group.length, edges.loss),
        )
    return list(merged.values())


class Slides:
    """All edges of all options: the least that meeting the budget can lose from some state."""

    def __init__(self, options: list[Options], price: float, budget: float) -> None:
        self.options = np.concatenate(
            [np.full(len(each.edges[0]), number) for number, each in enumerate(options)]
        )
        self.vertex, self.cost, self.rate = (
            np.concatenate([each.edges[part] for each in options]) for part in range(3)
        )
        self.price, self._nothing = price, ROUNDING * budget
        self._stairs = {}
        for sign in (1.0, -1.0):
            side = np.flatnonzero(self.cost * sign > 0.0)
            side = side[np.argsort(self.cost[side] * sign, kind="stable")]
            # For each length the smallest rate among the edges at least as long.
            rate = np.minimum.accumulate(self.rate[side][::-1])[::-1]
            self._stairs[sign] = self.cost[side] * sign, np.append(rate, np.inf)

    def longest(self, sign: float) -> float:
        """USD of the longest edge to larger (1) or smaller (-1) costs."""
        return float(self._stairs[sign][0].max(initial=0.0))

    def flattest(self, sign: float) -> float:
        """Smallest loss per USD of such an edge; infinite if there is none."""
        return float(self._stairs[sign][1].min())

    def least_loss(self, left: Floats) -> Floats:
        """What spending ``left`` USD more loses at least, whichever vertices are in use, (S,)."""
        result = np.empty(len(left))
        for sign in (1.0, -1.0):
            side = left > 0.0 if sign > 0.0 else left <= 0.0
            lengths, rates = self._stairs[sign]
            amount = left[side] * sign
            rate = rates[np.searchsorted(lengths, amount, side="left")]
            if sign > 0.0:
                rate = np.minimum(rate, self.price)
            result[side] = np.where(amount > self._nothing, rate * amount, 0.0)
        return result

    def best(self, left: float, used: list[NDArray[np.bool_]]) -> tuple[float, int]:
        """The smallest loss and its edge from the vertices in use; -1: leave the rest unspent."""
        if abs(left) <= self._nothing:
            return 0.0, -1
        loss, edge = (self.price * left if left > 0.0 else np.inf), -1
        reach = (self.cost * left > 0.0) & (np.abs(self.cost) >= abs(left))
        candidates = np.flatnonzero(reach & (self.rate * abs(left) < loss))
        for e in candidates[np.argsort(self.rate[candidates], kind="stable")].tolist():
            if used[self.options[e]][self.vertex[e]]:
                return float(self.rate[e] * abs(left)), e
        return loss, edge
