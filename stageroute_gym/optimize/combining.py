"""Sets and mixtures of many stages under one budget, where ``M_max`` binds: an exact search.

At the price ``lambda`` of the budget that minimises the dual, ``lambda B + sum L_k worth_k``, each
stage is worth most at one or more of its vertices. Any plan falls short of this bound by the sum of
what its stages lose against their best worth, and ``lambda`` for each USD not spent. In a best plan
every stage but one is at a vertex, and that one slides along an edge from a vertex until the budget
is spent. So the search lists, for a loss ``delta``, the vertices of each stage that lose no more,
all their combinations that lose no more in sum and can still meet the budget, and slides from each.
A plan that loses no more than ``delta`` is then a best one; ``delta`` grows until there is one.

Stages that offer the same vertices are one group with integer counts, and combinations of one cost
and loss are one state, so the number of states follows the number of different stages and how close
their alternatives are, not the number of stages. With many stages the loss is that of parts of one
stage, so few vertices come near it. The worst case is a subset sum in disguise, and exponential:
many stages of unequal lengths whose alternatives all lose nothing and never add up to the budget.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stageroute_gym.array_types import Floats, Integers
from stageroute_gym.optimize.alternatives import (
    ROUNDING,
    Options,
    Slides,
    StageGroup,
    list_options,
)
from stageroute_gym.optimize.vertices import Stage, shares_at

TARGET = 1e-11  # a plan that is this part of the bound below it counts as best
# The number of states grows exponentially with the root of the loss allowed. So the loss grows by
# what makes them about ten times as many, and by no more than this.
_GROWTH = 6.0


class _Step(NamedTuple):
    """One more alternative to the first vertex of some options, and what later steps can add."""

    options: int
    vertex: int
    cost: float
    loss: float
    dearer: float  # USD that later steps can add at most
    cheaper: float  # USD that later steps can save at most
    dearer_rate: float  # the same for each unit of loss
    cheaper_rate: float


class _States(NamedTuple):
    """Combinations of alternatives after one step; ``parent`` is the state of the step before."""

    left: Floats  # USD of the budget not yet spent
    loss: Floats
    copies: Integers  # stages of the options at hand that are still at the first vertex
    parent: Integers
    added: Integers


class Choice(NamedTuple):
    """What one stage does: its number, its models, and the share of each, float64 ``(n,)``."""

    number: int
    stage: Stage
    shares: Floats


def combine(
    groups: list[StageGroup], price: float, total_budget: float, bound: float
) -> list[Choice]:
    """Find the best vertex of each stage, and the edge along which one of them spends the rest.

    Args:
        groups: all stages with something to offer.
        price: ``lambda``, above 0, score per USD.
        total_budget: ``B``, USD.
        bound: the dual bound at the price, score over the horizon.

    Returns:
        A mixture for each stage; their value is within `TARGET` of the best, in relative terms.

    """
    target = TARGET * bound
    delta, best, plan = 10.0 * target, np.inf, None
    while True:
        options = list_options(groups, price, delta, bound, total_budget)
        loss, found, states = _search(options, price, total_budget, delta)
        if loss < best:
            best, plan = loss, found
        if plan is not None and best <= max(delta, target):
            return plan
        delta = min(min(_GROWTH, (1.0 + np.log(10.0) / np.log(states + 1.0)) ** 2) * delta, best)


def _plan_steps(options: list[Options]) -> list[_Step]:
    """Order the alternatives: groups with the smallest losses first, so that what is left is dear.

    The windows of what later steps can add are narrow then.
    """
    smallest = [np.min(each.loss[1:], initial=np.inf) for each in options]
    steps: list[_Step] = []
    dearer = cheaper = dearer_rate = cheaper_rate = 0.0
    for number in np.argsort(smallest, kind="stable")[::-1].tolist():
        each = options[number]
        cost = each.cost[1:] - each.cost[0]
        loss = np.maximum(each.loss[1:] - each.loss[0], 0.0)
        beyond_dearer, beyond_cheaper = dearer, cheaper
        for vertex in range(len(cost) - 1, -1, -1):
            steps.append(
                _Step(
                    number, vertex + 1, float(cost[vertex]), float(loss[vertex]),
                    dearer, cheaper, dearer_rate, cheaper_rate,
                )
            )  # fmt: skip
            later = cost[vertex:]
            dearer = beyond_dearer + each.copies * max(float(later.max()), 0.0)
            cheaper = beyond_cheaper + each.copies * max(float(-later.min()), 0.0)
            rate = abs(steps[-1].cost) / steps[-1].loss if steps[-1].loss > 0.0 else np.inf
            if steps[-1].cost > 0.0:
                dearer_rate = max(dearer_rate, rate)
            else:
                cheaper_rate = max(cheaper_rate, rate)
    return steps[::-1]


def _search(
    options: list[Options], price: float, budget: float, delta: float
) -> tuple[float, list[Choice] | None, int]:
    """Find the combination that loses least, and its mixtures; infinity if none meets the budget.

    Exact among those that lose at most ``delta``. Also returns the number of states it took.
    """
    slides, steps = Slides(options, price, budget), _plan_steps(options)
    for merge in (True, False):
        layers = _enumerate(options, steps, slides, budget, delta, merge=merge)
        states = layers[-1]
        least = states.loss + slides.least_loss(states.left)
        best, choice = np.inf, None
        missed = np.inf
        for state in np.argsort(least, kind="stable").tolist():
            if least[state] >= best or not np.isfinite(least[state]):
                break
            counts = _trace(options, steps, layers, state)
            used = [count > 0 for count in counts]
            loss, edge = slides.best(float(states.left[state]), used)
            loss += float(states.loss[state])
            missed = min(missed, float(least[state]))
            if loss < best:
                best, choice = loss, (counts, edge, float(states.left[state]))
        # Where the least loss is not reached, a state merged away may have had the edge for it.
        if not merge or best <= missed * (1.0 + ROUNDING) or missed > delta:
            break
    size = max(len(layer.loss) for layer in layers)
    return best, None if choice is None else _mixtures(options, slides, *choice), size


def _enumerate(
    options: list[Options],
    steps: list[_Step],
    slides: Slides,
    budget: float,
    delta: float,
    *,
    merge: bool,
) -> list[_States]:
    """All combinations that lose at most ``delta`` and can still meet the budget, step by step."""
    start = budget - sum(each.copies * each.cost[0] for each in options)
    base = sum(each.copies * each.loss[0] for each in options)
    zero = np.zeros(1, dtype=np.int64)
    states = _States(np.array([start]), np.array([base]), zero, zero, zero)
    layers = [states]
    current = -1
    for step in steps:
        if step.options != current:
            current = step.options
            copies = np.full(len(states.loss), options[current].copies)
            if merge:
                keep = _distinct(states, budget, delta)
                copies = copies[keep]
                states = _States(
                    states.left[keep], states.loss[keep], copies, keep, np.zeros_like(keep)
                )
            else:
                everyone = np.arange(len(copies))
                states = _States(
                    states.left, states.loss, copies, everyone, np.zeros_like(everyone)
                )
            layers.append(states)
        room = np.maximum(delta - states.loss, 0.0)
        # How much may be over or left after this step: later steps and one slide make it up.
        more = np.minimum(step.dearer, _product(step.dearer_rate, room))
        less = np.minimum(step.cheaper, _product(step.cheaper_rate, room))
        more = more + np.maximum(
            room / slides.price,
            np.minimum(slides.longest(1.0), _quotient(room, slides.flattest(1.0))),
        )
        less = less + np.minimum(slides.longest(-1.0), _quotient(room, slides.flattest(-1.0)))
        more, less = more + ROUNDING * budget, less + ROUNDING * budget
        most = states.copies.astype(np.float64)
        if step.loss > 0.0:
            most = np.minimum(most, np.floor(room / step.loss))
        fewest = np.zeros(len(most))
        if step.cost != 0.0:
            one, other = (states.left - more) / step.cost, (states.left + less) / step.cost
            fewest = np.maximum(fewest, np.ceil(np.minimum(one, other)))
            most = np.minimum(most, np.floor(np.maximum(one, other)))
        else:
            most = np.where((states.left <= more) & (states.left >= -less), most, -1.0)
        number = np.maximum(most - fewest + 1.0, 0.0).astype(np.int64)
        parent = np.repeat(np.arange(len(number)), number)
        first = np.repeat(np.cumsum(number) - number, number)
        count = fewest.astype(np.int64)[parent] + np.arange(len(parent)) - first
        states = _States(
            states.left[parent] - count * step.cost,
            states.loss[parent] + count * step.loss,
            states.copies[parent] - count,
            parent,
            count,
        )
        layers.append(states)
    return layers


def _product(rate: float, room: Floats) -> Floats:
    return np.full(len(room), np.inf) if np.isinf(rate) else rate * room


def _quotient(room: Floats, rate: float) -> Floats:
    return room / rate if rate > 0.0 else np.full(len(room), np.inf)


def _distinct(states: _States, budget: float, delta: float) -> Integers:
    """Of states that have spent the same, the one that loses least."""
    spent = np.rint(states.left / (ROUNDING * budget))
    order = np.lexsort((states.loss, spent))
    sorted_spent = spent[order]
    first = np.append(True, sorted_spent[1:] != sorted_spent[:-1])
    return np.asarray(order[first[: len(order)]])


def _trace(
    options: list[Options], steps: list[_Step], layers: list[_States], state: int
) -> list[Integers]:
    """How many stages of each of the options are at each of their vertices in a final state."""
    counts = [np.zeros(len(each.cost), dtype=np.int64) for each in options]
    layer = len(layers) - 1
    for number in range(len(steps) - 1, -1, -1):
        step = steps[number]
        states = layers[layer]
        counts[step.options][step.vertex] = states.added[state]
        state = int(states.parent[state])
        layer -= 1
        if number == 0 or steps[number - 1].options != step.options:
            state = int(layers[layer].parent[state])
            layer -= 1
    for count, each in zip(counts, options, strict=True):
        count[0] = each.copies - count.sum()
    return counts


def _mixtures(
    options: list[Options], slides: Slides, counts: list[Integers], edge: int, left: float
) -> list[Choice]:
    """The mixture of each stage; ``edge`` is -1 where none slides."""
    plan = []
    for number, each in enumerate(options):
        vertices_left = np.repeat(np.arange(len(counts[number])), counts[number]).tolist()
        sliding = edge >= 0 and slides.options[edge] == number
        if sliding:
            # The first stage is the one that slides.
            vertices_left.remove(int(slides.vertex[edge]))
            vertices_left.insert(0, int(slides.vertex[edge]))
        for group, vertices, edges in each.groups:
            for stage in group.members:
                shares = shares_at(group.stage, vertices, vertices_left.pop(0))
                if sliding:
                    own = edge - int(np.searchsorted(slides.options, number))
                    part = min(abs(left) / (abs(edges.cost[own]) * group.length), 1.0)
                    for model, sign in ((edges.giver[own], -1.0), (edges.taker[own], 1.0)):
                        if model >= 0:
                            shares[model] += sign * part * edges.share[own]
                    sliding = False
                plan.append(Choice(stage, group.stage, np.maximum(shares, 0.0)))
    return plan
