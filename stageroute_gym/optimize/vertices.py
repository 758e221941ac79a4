"""The vertices of one stage's mixtures that are best, or nearly best, at a price of the budget.

A vertex of ``{d: sum d <= 1, 0 <= d <= cap}`` fills some models to their cap and at most one
further model in part, with what is then left of the mass. What counts here are those of at most
``M_max`` models. The optimum of a stage within any budget is a vertex, or lies on an edge between
two vertices that together keep to ``M_max`` models.

Prices ``theta`` of a slot and ``tau`` of mass bound what a set that begins with some models can be
worth, ``worth + theta slots + tau mass + sum max(0, (worth_m - tau) cap_m - theta)`` over the
others. A model is left out as long as one that is no worse in score, cost and cap is not full.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stageroute_gym.array_types import Floats, Integers
from stageroute_gym.compiling import njit

MASS_ROUNDING = 1e-14  # shares of all queries below this are rounding
WORTH_ROUNDING = 1e-13  # differences by this part of the best worth are rounding
_BISECTIONS = 45


class Stage(NamedTuple):
    """The models of a stage that some best plan may use, in the order of their index.

    Attributes:
        score: expected score, above 0, float64 ``(n,)``.
        cost: expected cost, USD, float64 ``(n,)``.
        cap: largest share, above 0, float64 ``(n,)``.
        name: index of the model, int64 ``(n,)``.
        better: models no worse than each in all three, -1 after the last, int64 ``(n, M_max)``.
    """

    score: Floats
    cost: Floats
    cap: Floats
    name: Integers
    better: Integers


class Vertices(NamedTuple):
    """Some vertices of a stage.

    Attributes:
        members: positions in the `Stage` of the models used, -1 after the last, ``(V, M_max)``;
            the last one is that filled in part, if any.
        partial: share of the last member if it is filled in part, else 0, float64 ``(V,)``.
        score: expected score of a query, float64 ``(V,)``.
        cost: expected cost of a query, USD, float64 ``(V,)``.
    """

    members: Integers
    partial: Floats
    score: Floats
    cost: Floats

    def take(self, order: Integers) -> Vertices:
        """Some of them, or all in another order."""
        members, partial, score, cost = self
        return Vertices(members[order], partial[order], score[order], cost[order])


@njit(cache=True)
def _count_better(score: Floats, cost: Floats, cap: Floats, better: Integers) -> Integers:
    """Write which models are no worse than each, and return how many, up to one too many."""
    n, slots = better.shape
    counts = np.zeros(n, dtype=np.int64)
    for j in range(n):
        for i in range(n):
            if i == j or score[i] < score[j] or cost[i] > cost[j] or cap[i] < cap[j]:
                continue
            if i > j and score[i] == score[j] and cost[i] == cost[j] and cap[i] == cap[j]:
                continue
            if counts[j] < slots:
                better[j, counts[j]] = i
            counts[j] += 1
            if counts[j] >= slots:
                break
    return counts


def stage_of(score: Floats, cost: Floats, cap: Floats, slots: int) -> Stage:
    """Gather what is worth using: scores above 0 and fewer than ``slots`` models no worse.

    Args:
        score: expected scores, at least 0, float64 ``(N,)``.
        cost: expected costs, USD, at least 0, float64 ``(N,)``.
        cap: largest shares; 0 where a model is not available, float64 ``(N,)``.
        slots: ``M_max``.
    """
    name = np.flatnonzero((score > 0.0) & (cap > 0.0))
    slots = min(slots, max(len(name), 1))
    for _ in range(2):  # the second round writes positions among the models that are left
        better = np.full((len(name), slots), -1)
        counts = _count_better(score[name], cost[name], cap[name], better)
        if (counts < slots).all():
            break
        name = name[counts < slots]
    return Stage(score[name], cost[name], cap[name], name, better)


@njit(cache=True)
def _prices(worth: Floats, cap: Floats, slots: int) -> tuple[float, float]:
    """Prices ``theta`` of a slot and ``tau`` of mass that bound the worth of a stage well."""
    n = worth.shape[0]
    largest = np.zeros(slots + 1)
    holder = np.zeros(slots + 1, dtype=np.int64)
    low, high, tau, theta = 0.0, 0.0, 0.0, 0.0
    for i in range(n):
        high = max(high, worth[i])
    for step in range(_BISECTIONS):
        tau = 0.0 if step == 0 else 0.5 * (low + high)
        held = 0
        for i in range(n):
            key = (worth[i] - tau) * cap[i]
            if key <= 0.0 or (held == slots and key <= largest[held - 1]):
                continue
            j = min(held, slots - 1)
            while j > 0 and largest[j - 1] < key:
                largest[j], holder[j] = largest[j - 1], holder[j - 1]
                j -= 1
            largest[j], holder[j] = key, i
            held = min(held + 1, slots)
        theta = largest[slots - 1] if held == slots else 0.0
        mass = 0.0
        for j in range(held):
            mass += cap[holder[j]]
        if mass > 1.0:
            low = tau
        elif step == 0:
            break
        else:
            high = tau
    return theta, tau


@njit(cache=True)
def _search(
    stage: Stage,
    price: float,
    threshold: float,
    only_best: bool,
    members: Integers,
    numbers: Floats,
) -> tuple[int, float]:
    """Write the vertices worth at least ``threshold``, or the best one alone.

    Args:
        stage: the stage.
        price: ``lambda``, score per USD.
        threshold: least worth, score of a query.
        only_best: raise the threshold to the best worth found, and keep that vertex only.
        members: written, int64 ``(V, M_max)``.
        numbers: written: partial share, score and cost of each vertex, float64 ``(3, V)``.

    Returns:
        Number of vertices found, which may be larger than there is room for, and the best worth.

    """
    mu, c, cap, better = stage.score, stage.cost, stage.cap, stage.better
    n, slots = better.shape
    worth = mu - price * c
    theta, tau = _prices(worth, cap, slots)
    gain = (worth - tau) * cap - theta
    order = np.argsort(-gain, kind="mergesort")
    rest = np.zeros(n + 1)
    for k in range(n - 1, -1, -1):
        rest[k] = rest[k + 1] + max(gain[order[k]], 0.0)
    inside = np.zeros(n, dtype=np.bool_)
    # One level for each model taken: what is next in the order, what is left, what was passed over.
    following = np.zeros(slots + 1, dtype=np.int64)
    taken = np.zeros(slots + 1, dtype=np.int64)
    mass, total = np.zeros(slots + 1), np.zeros(slots + 1)
    passed = np.zeros(slots + 1)
    mass[0] = 1.0
    found, best = 0, -np.inf
    depth, fresh = 0, True
    while depth >= 0:
        left = mass[depth]
        if fresh:
            fresh = False
            # The set itself, and with each further model in part.
            for part in range(-1, n):
                value, share = total[depth], 0.0
                if part >= 0:
                    if depth == slots or left <= MASS_ROUNDING:
                        break
                    if inside[part] or cap[part] <= left + MASS_ROUNDING:
                        continue
                    share = left
                    value += worth[part] * share
                if value < threshold or (only_best and found > 0 and value <= best):
                    continue
                closed = True
                for k in range(depth + (part >= 0)):
                    j = part if k == depth else taken[k]
                    for b in better[j]:
                        if b < 0:
                            break
                        if not inside[b]:
                            closed = False
                            break
                if not closed:
                    continue
                place = 0 if only_best else found
                best = max(best, value)
                if only_best:
                    threshold = max(threshold, value)
                    found = 1
                else:
                    found += 1
                if place < members.shape[0]:
                    members[place, :] = -1
                    numbers[0, place] = share
                    numbers[1, place] = mu[part] * share if part >= 0 else 0.0
                    numbers[2, place] = c[part] * share if part >= 0 else 0.0
                    for k in range(depth):
                        members[place, k] = taken[k]
                        numbers[1, place] += mu[taken[k]] * cap[taken[k]]
                        numbers[2, place] += c[taken[k]] * cap[taken[k]]
                    if part >= 0:
                        members[place, depth] = part
        # Take the next model of the order that fits, or go back.
        advanced = False
        base = total[depth] + theta * (slots - depth) + tau * left
        while depth < slots and following[depth] < n:
            k = following[depth]
            j = order[k]
            allowance = WORTH_ROUNDING * (abs(base) + rest[k] + passed[depth])
            if base + rest[k] + passed[depth] < threshold - allowance:
                break
            following[depth] += 1
            before = passed[depth]
            bound = base + gain[j] + rest[k + 1] + before
            passed[depth] = max(before, gain[j])
            if bound < threshold - allowance:
                if gain[j] <= 0.0:
                    break
                continue
            if cap[j] > left + MASS_ROUNDING:
                continue
            inside[j] = True
            taken[depth] = j
            depth += 1
            total[depth] = total[depth - 1] + worth[j] * cap[j]
            mass[depth] = max(left - cap[j], 0.0)
            following[depth] = k + 1
            passed[depth] = before  # what a model passed over may still be worth, in part
            advanced = True
            break
        if advanced:
            fresh = True
        else:
            depth -= 1
            if depth >= 0:
                inside[taken[depth]] = False
    return found, best


def best_vertex(stage: Stage, price: float) -> tuple[float, Vertices]:
    """The vertex with the largest ``score - price cost``, and what it is worth, at least 0."""
    members = np.full((1, stage.better.shape[1]), -1)
    numbers = np.zeros((3, 1))
    if len(stage.name):
        _search(stage, price, 0.0, True, members, numbers)
    vertex = Vertices(members, *numbers)
    return float(vertex.score[0] - price * vertex.cost[0]), vertex


def good_vertices(stage: Stage, price: float, threshold: float) -> Vertices:
    """All vertices with ``score - price cost`` of at least ``threshold``.

    Args:
        stage: the stage.
        price: of the budget, score per USD, at least 0.
        threshold: score of a query.
    """
    room = 64
    while True:
        members = np.full((room, stage.better.shape[1]), -1)
        numbers = np.zeros((3, room))
        if len(stage.name) == 0:
            found = int(threshold <= 0.0)
        else:
            found, _ = _search(stage, price, threshold, False, members, numbers)
        if found <= room:
            return Vertices(members[:found], *numbers[:, :found])
        room = found


def shares_at(stage: Stage, vertices: Vertices, number: int) -> Floats:
    """The shares of a stage's models at one of its vertices, float64 ``(n,)``."""
    shares = np.zeros(len(stage.name))
    used = vertices.members[number]
    used = used[used >= 0]
    shares[used] = stage.cap[used]
    if vertices.partial[number] > 0.0:
        shares[used[-1]] = vertices.partial[number]
    return shares
