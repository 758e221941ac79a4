"""Random draws of an episode: each a function of the episode's key and the draw's number."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.simulator.arrays import ALIAS, KEEP_PROBABILITY, index, inlined

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


@inlined
def bits(key: int, index: int) -> np.uint64:
    """Number ``index`` of the 64-bit numbers that follow from ``key``: SplitMix64 as a counter.

    Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators". It depends on
    nothing but key and index, so agents under one seed meet the same queries whatever they do.
    """
    state = np.uint64(key) + (np.uint64(index) + np.uint64(1)) * _GOLDEN
    state = (state ^ (state >> np.uint64(30))) * _MIX_1
    state = (state ^ (state >> np.uint64(27))) * _MIX_2
    return state ^ (state >> np.uint64(31))


@inlined
def uniform(key: int, index: int) -> float:
    """Draw number ``index`` in [0, 1) of an episode's ``key``, by `bits`."""
    return np.float64(bits(key, index) >> np.uint64(11)) * 2.0**-53


# Where the draws of what befalls query t begin, beyond those of its row (2 t) and model (2 t + 1).
FAILURE = 1 << 40
FEEDBACK = 1 << 41


@inlined
def draw_row(sampler: NDArray[np.float64], mix: int, key: int, query: int) -> int:
    """Row of the table that query number ``query`` is, by the alias method.

    Where there are no mixes to draw from, the queries come in the table's order.
    """
    if sampler.shape[0] == 0:
        # The step that ends an episode looks one query too far.
        return min(query, sampler.shape[1] - 1)
    scaled = uniform(key, 2 * query) * sampler.shape[1]
    row = min(int(scaled), sampler.shape[1] - 1)
    if scaled - row < sampler[index(mix), index(row), KEEP_PROBABILITY]:
        return row
    return int(sampler[index(mix), index(row), ALIAS])
