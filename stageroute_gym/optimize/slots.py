"""The slots that DeployOPT leaves empty: which further models to deploy (Li & Li 2026)."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from stageroute_gym.errors import FieldError
from stageroute_gym.optimize.arguments import as_count, as_rows, refuse_shapes

Floats = NDArray[np.float64]


@njit(cache=True)
def fill_slots_kernel(
    score_row: Floats,
    cost_row: Floats,
    available_row: NDArray[np.bool_],
    pulls_row: NDArray[np.int64],
    price: float,
    max_deployed: int,
    chosen_row: NDArray[np.bool_],
) -> int:
    """Add models to the chosen ones until the slots are full or none is left; see `fill_slots`.

    Args:
        score_row: ``mu^U``, float64 ``(N,)``.
        cost_row: ``c^L``, USD, float64 ``(N,)``.
        available_row: whether a model may be deployed, bool ``(N,)``.
        pulls_row: how often it was pulled, int64 ``(N,)``.
        price: ``lambda``, score per USD; infinite: rank by cost alone.
        max_deployed: ``M_max``.
        chosen_row: read and written: the deployed models, bool ``(N,)``.

    Returns:
        Number of models added.

    """
    count = score_row.shape[0]
    left = max_deployed
    for i in range(count):
        if chosen_row[i]:
            left -= 1
    added = 0
    while added < left:
        best = -1
        best_worth = 0.0
        for i in range(count):
            if chosen_row[i] or not available_row[i]:
                continue
            worth = -cost_row[i] if math.isinf(price) else score_row[i] - price * cost_row[i]
            if (
                best < 0
                or worth > best_worth
                or (worth == best_worth and pulls_row[i] < pulls_row[best])
            ):
                best = i
                best_worth = worth
        if best < 0:
            break
        chosen_row[best] = True
        added += 1
    return added


def fill_slots(
    score: ArrayLike,
    cost: ArrayLike,
    available: ArrayLike,
    pulls: ArrayLike,
    models: ArrayLike,
    price: float,
    max_deployed: int,
) -> NDArray[np.int64]:
    """Name the models that take the slots which a `DeployPlan` leaves empty.

    They are those with the largest ``mu^U - lambda c^L`` among the available models not chosen;
    ties go to the model pulled least, then to the lowest index.

    Args:
        score: ``mu^U``, ``(N,)``.
        cost: ``c^L``, USD, ``(N,)``.
        available: whether a model may be deployed, bool ``(N,)``.
        pulls: how often it was pulled, integers ``(N,)``.
        models: the chosen models, indices below ``N``.
        price: ``lambda`` of the plan, score per USD, at least 0; infinite: the cheapest first.
        max_deployed: ``M_max``, at least 1.

    Returns:
        The further models in the order of their rank, int64 ``(added,)``;
        ``min(M_max, available)`` less the number of ``models``.

    Raises:
        FieldError: a shape or a value is not allowed.

    """
    mu, c = as_rows(score), as_rows(cost)
    if mu.shape != c.shape or mu.ndim != 1:
        refuse_shapes(mu, c, "(N,)")
    may = np.array(available, dtype=np.bool_)
    seen = np.array(pulls, dtype=np.int64)
    for field, array in (("available", may), ("pulls", seen)):
        if array.shape != mu.shape:
            raise FieldError(f"{field}.shape", array.shape, f"{mu.shape}")
    if not price >= 0.0:
        raise FieldError("price", price, "score per USD, at least 0")
    slots = as_count("max_deployed", max_deployed)
    index = np.array(models, dtype=np.int64).reshape(-1)
    if index.size and not (index.min() >= 0 and index.max() < mu.size):
        raise FieldError("models", index.tolist(), f"indices in [0, {mu.size})")
    chosen = np.zeros(mu.shape, dtype=np.bool_)
    chosen[index] = True
    before = chosen.copy()
    fill_slots_kernel(mu, c, may, seen, float(price), slots, chosen)
    added = np.flatnonzero(chosen & ~before)
    worth = -c[added] if math.isinf(price) else mu[added] - price * c[added]
    return added[np.lexsort((added, seen[added], -worth))]
