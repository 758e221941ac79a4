"""From the weights that an agent gives to shares that respect the throughput."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.array_types import Floats
from stageroute_gym.simulator.arrays import kernel

# A float32 distribution adds up to 1, and stays below its caps, only to within this much.
SHARE_TOLERANCE = 1e-6


@kernel
def asks(weights: NDArray[Any]) -> bool:
    """Whether some weight is positive, usable or not."""
    largest = 0.0
    for weight in weights:
        largest = max(largest, weight)
    return largest > 0.0


@kernel
def project(
    weights: NDArray[Any], usable: NDArray[Any], throughput: Floats, shares: Floats
) -> float:
    """Shares in [0, 1] that the positive, usable ``weights`` ask for, within the throughput.

    Args:
        weights: what the agent asks for, shape (N,), float.
        usable: which models may be used, shape (N,), any type with a truth value.
        throughput: largest share of each model, shape (N,), float64.
        shares: the result, shape (N,), float64.

    Returns:
        The sum of ``shares``; 0 if no usable weight is positive.
    """
    for m in range(weights.shape[0]):
        shares[m] = max(np.float64(weights[m]), 0.0) if usable[m] else 0.0
    return fit(shares, throughput)


@kernel
def fit(shares: Floats, throughput: Floats) -> float:
    """Turn weights into shares within the throughput, in place.

    What a model cannot take is shared among the others in proportion to their weights; the mass
    that fits nowhere is left out. A distribution that respects the throughput is not changed.

    Args:
        shares: weights that are not negative, shape (N,), float64.
        throughput: largest share of each model, shape (N,), float64.

    Returns:
        The sum of ``shares``; 0 if no weight is positive.
    """
    n = shares.shape[0]
    total = 0.0
    fits = True
    for m in range(n):
        total += shares[m]
        fits = fits and shares[m] <= throughput[m] + SHARE_TOLERANCE
    if total == 0.0 or (fits and abs(total - 1.0) <= SHARE_TOLERANCE):
        return total
    for m in range(n):
        shares[m] /= total
    for _ in range(n):
        excess, below = 0.0, 0.0
        for m in range(n):
            if shares[m] > throughput[m]:
                excess += shares[m] - throughput[m]
                shares[m] = throughput[m]
            elif shares[m] < throughput[m]:
                below += shares[m]
        if excess == 0.0 or below == 0.0:
            break
        for m in range(n):
            if shares[m] < throughput[m]:
                shares[m] *= 1.0 + excess / below
    return shares.sum()


@kernel
def sample(shares: Floats, total: float, draw: float) -> int:
    """Index drawn from ``shares``; -1 with the mass that they lack to 1."""
    if total < 1.0 - SHARE_TOLERANCE and draw >= total:
        return -1
    # Shares add up to 1 only within rounding, so the draw is scaled and the last model closes it.
    target = draw * total if total >= 1.0 - SHARE_TOLERANCE else draw
    chosen, cumulative = -1, 0.0
    for m in range(shares.shape[0]):
        if shares[m] > 0.0:
            chosen = m
            cumulative += shares[m]
            if target < cumulative:
                break
    return chosen
