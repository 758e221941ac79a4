"""The slots that DeployOPT leaves empty: which further models to deploy (Li & Li 2026)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stageroute_gym.array_types import Floats
from stageroute_gym.checks import count
from stageroute_gym.compiling import njit
from stageroute_gym.errors import FieldError
from stageroute_gym.optimize.arguments import as_rows, refuse_shapes


@njit(cache=True)
def fill_slots_kernel(
    chosen_row: NDArray[np.bool_],
    score_row: Floats,
    cost_row: Floats,
    price: float,
    pulls_row: NDArray[np.int64],
    available_row: NDArray[np.bool_],
    max_deployed: int,
) -> int:
    """Add models to the chosen ones until the slots are full or none is left; see `fill_slots`.

    Args:
        chosen_row: read and written: the deployed models, bool ``(N,)``.
        score_row: ``mu^U``, float64 ``(N,)``.
        cost_row: ``c^L``, USD, float64 ``(N,)``.
        price: ``lambda``, score per USD; infinite: rank by cost alone.
        pulls_row: how often each model was pulled, int64 ``(N,)``.
        available_row: whether a model may be deployed, bool ``(N,)``.
        max_deployed: ``M_max``.

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


@njit(cache=True)
def fill_slots_rows(
    score: Floats,
    cost: Floats,
    available: NDArray[np.bool_],
    pulls: NDArray[np.int64],
    price: Floats,
    max_deployed: int,
    chosen: NDArray[np.bool_],
) -> None:
    """Fill the empty slots in each row; see `fill_slots`.

    Args:
        score: ``mu^U``, float64 ``(E, N)``.
        cost: ``c^L``, USD, float64 ``(E, N)``.
        available: whether a model may be deployed, bool ``(E, N)``.
        pulls: how often each model was pulled, int64 ``(E, N)``.
        price: ``lambda``, score per USD, float64 ``(E,)``.
        max_deployed: ``M_max``.
        chosen: read and written: the deployed models, bool ``(E, N)``.

    """
    for e in range(len(chosen)):
        fill_slots_kernel(
            chosen[e], score[e], cost[e], price[e], pulls[e], available[e], max_deployed
        )


def fill_slots(
    chosen: NDArray[np.bool_],
    score: ArrayLike,
    cost: ArrayLike,
    price: float,
    pulls: ArrayLike,
    available: ArrayLike,
    max_deployed: int,
) -> int:
    """Deploy further models in the slots that a `DeployPlan` leaves empty.

    They are those with the largest ``mu^U - lambda c^L`` among the available models not chosen;
    ties go to the model pulled least, then to the lowest index.

    Args:
        chosen: whether a model is deployed, bool ``(N,)``; the further models are marked in it.
        score: ``mu^U``, ``(N,)``.
        cost: ``c^L``, USD, ``(N,)``.
        price: ``lambda`` of the plan, score per USD, at least 0; infinite: the cheapest first.
        pulls: how often each model was pulled, integers ``(N,)``.
        available: whether a model may be deployed, bool ``(N,)``.
        max_deployed: ``M_max``, at least 1.

    Returns:
        Number of models added: ``min(M_max, available)`` less those chosen before.

    Raises:
        FieldError: a shape or a value is not allowed.

    """
    mu, c = as_rows(score), as_rows(cost)
    if mu.shape != c.shape or mu.ndim != 1:
        refuse_shapes(mu, c, "(N,)")
    may = np.array(available, dtype=np.bool_)
    seen = np.array(pulls, dtype=np.int64)
    for field, array in (("chosen", chosen), ("available", may), ("pulls", seen)):
        if array.shape != mu.shape:
            raise FieldError(f"{field}.shape", array.shape, f"{mu.shape}")
    if not price >= 0.0:
        raise FieldError("price", price, "score per USD, at least 0")
    slots = count("max_deployed", max_deployed, 1)
    mask = np.array(chosen, dtype=np.bool_)
    added = fill_slots_kernel(mask, mu, c, float(price), seen, may, slots)
    chosen[mask] = True
    return int(added)
