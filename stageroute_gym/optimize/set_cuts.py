"""The best set under several upper bounds at once, by branch and bound.

Each bound (a cut) is a sum over groups of the best value that a model of the set has there, plus
a rent of each model in the set. Such a function of the set is submodular: what a model adds shrinks
as the set grows, so that adding the largest gains bounds every completion of a part.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.array_types import Floats, Integers
from stageroute_gym.compiling import njit


class _Nodes(NamedTuple):
    """The nodes on the way from the root to where the search is, one for each model taken.

    Attributes:
        cover: best value of a model taken, for each cut and group, float64 ``(slots + 1, K, G)``.
        reached: bound of the models taken alone, by each cut, float64 ``(slots + 1, K)``.
        candidates: models that may still be taken, by falling gain, int64 ``(slots + 1, N)``.
        size: how many there are, int64 ``(slots + 1,)``.
        gains: what each adds under the tightest cut, float64 ``(slots + 1, N)``.
        base: bound of the models taken alone under that cut, float64 ``(slots + 1,)``.
    """

    cover: Floats
    reached: Floats
    candidates: Integers
    size: Integers
    gains: Floats
    base: Floats


@njit(cache=True)
def best_set(
    values: Floats,
    rents: Floats,
    constants: Floats,
    idle: Floats,
    excluded: NDArray[np.bool_],
    threshold: float,
    chosen_out: NDArray[np.int64],
) -> float:
    """The set of ``slots`` models whose smallest bound is the largest.

    The bound of set ``S`` by cut ``k`` is
    ``constants_k + sum_(m in S) rents_km + sum_g max(idle_kg, max_(m in S) values_kgm)``.

    Args:
        values: of each cut, group and model, minus infinity where a model may not serve a group,
            float64 ``(K, G, N)``, C-contiguous as all arrays here.
        rents: at least 0, float64 ``(K, N)``.
        constants: float64 ``(K,)``.
        idle: what a group is worth that no model serves, float64 ``(K, G)``.
        excluded: sets that are not looked for, bool ``(X, N)``.
        threshold: only a set whose bound is larger is looked for.
        chosen_out: written where there is one: its models, int64 ``(slots,)``; the size of the set,
            from 1 to ``N``.

    Returns:
        The largest bound, or ``threshold`` where no set has a larger one.
    """
    cuts, groups, models = values.shape
    slots = len(chosen_out)
    best = threshold
    cover = np.empty((slots + 1, cuts, groups))
    reached = np.empty((slots + 1, cuts))
    open_models = np.empty((slots + 1, models), dtype=np.int64)
    count = np.zeros(slots + 1, dtype=np.int64)
    place = np.zeros(slots + 1, dtype=np.int64)
    gains = np.empty((slots + 1, models))
    base = np.empty(slots + 1)
    nodes = _Nodes(cover, reached, open_models, count, gains, base)
    path = np.empty(slots, dtype=np.int64)
    scratch = np.empty((cuts, models))
    for k in range(cuts):
        total = 0.0
        for g in range(groups):
            cover[0, k, g] = idle[k, g]
            total += idle[k, g]
        reached[0, k] = constants[k] + total
    for m in range(models):
        open_models[0, m] = m
    count[0] = models
    depth, fresh = 0, True
    while depth >= 0:
        left = slots - depth
        if fresh:
            _expand(values, rents, nodes, scratch, depth, left)
            place[depth], fresh = 0, False
        at = place[depth]
        bound = base[depth]
        for i in range(at, min(at + left, count[depth])):
            bound += gains[depth, i]
        # Gains fall along the list, so that the later models are no better.
        if at + left > count[depth] or not bound > best:
            depth -= 1
            continue
        place[depth] += 1
        model = open_models[depth, at]
        path[depth] = model
        lowest = math.inf
        for k in range(cuts):
            added = rents[k, model]
            for g in range(groups):
                here = cover[depth, k, g]
                value = values[k, g, model]
                if value > here:
                    added += value - here
                    here = value
                cover[depth + 1, k, g] = here
            reached[depth + 1, k] = reached[depth, k] + added
            lowest = min(lowest, reached[depth + 1, k])
        if left == 1:
            if lowest > best and not _is_among(path, excluded):
                best = lowest
                chosen_out[:] = path
            continue
        count[depth + 1] = count[depth] - at - 1
        for i in range(count[depth + 1]):
            open_models[depth + 1, i] = open_models[depth, at + 1 + i]
        depth, fresh = depth + 1, True
    return best


@njit(cache=True)
def _is_among(path: NDArray[np.int64], sets: NDArray[np.bool_]) -> bool:
    """Whether some models are one of the sets of their size."""
    for x in range(len(sets)):
        inside = 0
        for m in path:
            if sets[x, m]:
                inside += 1
        if inside == len(path):
            return True
    return False


@njit(cache=True)
def _expand(
    values: Floats,
    rents: Floats,
    nodes: _Nodes,
    scratch: Floats,
    depth: int,
    left: int,
) -> None:
    """Sort the open models of a node by what they add under its tightest cut."""
    cuts, groups, _ = values.shape
    cover, reached, open_models, count, gains, base = nodes
    size = count[depth]
    tightest, least = 0, math.inf
    for k in range(cuts):
        for i in range(size):
            model = open_models[depth, i]
            added = rents[k, model]
            for g in range(groups):
                value = values[k, g, model]
                if value > cover[depth, k, g]:
                    added += value - cover[depth, k, g]
            scratch[k, i] = added
        largest = np.sort(scratch[k, :size])
        bound = reached[depth, k]
        for i in range(max(0, size - left), size):
            bound += largest[i]
        if bound < least:
            tightest, least = k, bound
    order = np.argsort(-scratch[tightest, :size])
    names = open_models[depth, :size].copy()
    base[depth] = reached[depth, tightest]
    for i in range(size):
        open_models[depth, i] = names[order[i]]
        gains[depth, i] = scratch[tightest, order[i]]
