"""Deploying and routing by rank: the one rule for algorithms that know no slots or no mixtures."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stageroute_agents.arrays import Flags, Floats, Integers
from stageroute_gym.compiling import njit
from stageroute_gym.simulator.projection import project


def ranking(index: Floats, caps: Floats, pulls: NDArray[np.float32]) -> Integers:
    """Models from the largest index to the smallest, unusable ones last, shape (E, N), int64.

    Ties go to the model with the fewest pulls, then to the lowest number.

    Args:
        index: what the models are ranked by, shape (E, N), float64.
        caps: throughput share of the models to rank, 0 for all others, shape (E, N), float64.
        pulls: outcomes observed of each model, shape (E, N).
    """
    return np.lexsort((pulls, -np.where(caps > 0, index, -np.inf)), axis=1)


def best_set(index: Floats, caps: Floats, pulls: NDArray[np.float32], slots: int) -> Flags:
    """The ``slots`` usable models with the largest index, shape (E, N), bool.

    This is the deployment rule of every algorithm that has no notion of slots.

    Args:
        index: as for `ranking`, like the next two.
        caps: see there.
        pulls: see there.
        slots: how many models, at least 1.
    """
    chosen = np.zeros(caps.shape, np.bool_)
    np.put_along_axis(chosen, ranking(index, caps, pulls)[:, :slots], True, axis=1)
    return chosen & (caps > 0)


def filled_shares(index: Floats, caps: Floats, pulls: NDArray[np.float32]) -> Floats:
    """The best model up to its throughput, the second best for what is left, and so on.

    Args:
        index: as for `ranking`, like the next two.
        caps: see there.
        pulls: see there.

    Returns:
        Shares of the queries, at most 1 in a row, shape (E, N), float64.
    """
    order = ranking(index, caps, pulls)
    ranked = np.take_along_axis(caps, order, axis=1)
    taken = np.cumsum(ranked, axis=1) - ranked
    shares = np.empty(caps.shape)
    np.put_along_axis(shares, order, np.clip(1.0 - taken, 0.0, ranked), axis=1)
    return shares


@njit(cache=True)
def capped_shares(weights: NDArray[Any], usable: NDArray[Any], throughput: Floats) -> Floats:
    """Shares in proportion to ``weights``, within the throughput, shape (E, N), float64.

    Args:
        weights: shape (E, N), float; not negative.
        usable: models to share among, shape (E, N), any type with a truth value.
        throughput: largest share of each model, shape (N,), float64.
    """
    shares = np.empty(weights.shape)
    for e in range(weights.shape[0]):
        project(weights[e], usable[e], throughput, shares[e])
    return shares
