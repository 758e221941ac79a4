"""Turning the arguments of the programmes into the arrays that the kernels take, or refusing them.

Kernels take C-contiguous, writeable float64 arrays: any other kind would compile them once more.
"""

from __future__ import annotations

import math
from typing import NoReturn

import numpy as np
from numpy.typing import ArrayLike

from stageroute_gym.array_types import Floats
from stageroute_gym.errors import FieldError

_FLOAT64 = np.dtype(np.float64)


def as_rows(value: ArrayLike) -> Floats:
    """Return scores or costs as an array that the kernels take, copied only where needed."""
    if type(value) is np.ndarray and value.dtype is _FLOAT64 and value.flags.carray:
        return value
    array: Floats = np.asarray(value, dtype=np.float64, order="C")
    return array if array.flags.carray else array.copy()


def as_caps(value: ArrayLike, shape: tuple[int, ...]) -> Floats:
    """Return throughput as an array of the shape of the scores.

    Raises:
        FieldError: it cannot be broadcast to ``shape``.

    """
    if isinstance(value, float):
        caps = np.empty(shape)
        caps.fill(value)
        return caps
    array = as_rows(value)
    if array.shape == shape:
        return array
    if array.ndim and array.shape[-1:] != shape[-1:]:
        raise FieldError("throughput.shape", array.shape, f"a scalar, {shape[-1:]} or {shape}")
    if array.ndim > len(shape) or array.ndim == 2:
        raise FieldError("throughput.shape", array.shape, f"a scalar, {shape[-1:]} or {shape}")
    caps = np.empty(shape)
    caps[...] = array
    return caps


def as_budget(value: ArrayLike) -> float:
    """Return the budget of one problem, USD a query.

    Raises:
        FieldError: it is not one number above 0.

    """
    budget = value if isinstance(value, float) else _as_scalar(value)
    if not budget > 0.0:
        raise FieldError("budget", budget, "USD a query, above 0")
    return budget


def as_budgets(value: ArrayLike, rows: int) -> Floats:
    """Return the budgets of a batch, float64 ``(rows,)``.

    Raises:
        FieldError: the shape is neither that of a scalar nor ``(rows,)``, or one is not above 0.

    """
    array = np.asarray(value, dtype=np.float64)
    if array.shape not in {(), (rows,)}:
        raise FieldError("budget.shape", array.shape, f"a scalar or ({rows},)")
    if not (array > 0.0).all():
        raise FieldError("budget", float(array[~(array > 0.0)][0]), "USD a query, above 0")
    budgets = np.empty(rows)
    budgets[:] = array
    return budgets


def stage_arrays(
    mean_score: ArrayLike, mean_cost: ArrayLike, available: ArrayLike, throughput: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    """Check and return scores, costs and caps of each stage, zero where a model is not available.

    Args:
        mean_score: expected scores, at least 0, ``(K, N)``.
        mean_cost: expected costs, USD, at least 0, ``(K, N)``.
        available: whether a model may be deployed in a stage, bool ``(K, N)``.
        throughput: ``alpha`` in [0, 1], scalar or ``(N,)``.

    Returns:
        Three float64 arrays ``(K, N)``.

    Raises:
        FieldError: a shape or a value is not allowed.

    """
    may = np.asarray(available, dtype=np.bool_)
    if may.ndim != 2:
        raise FieldError("available.shape", may.shape, "(K, N)")
    arrays = []
    for field, value in (("mean_score", mean_score), ("mean_cost", mean_cost)):
        array = np.asarray(value, dtype=np.float64)
        if array.shape != may.shape:
            raise FieldError(f"{field}.shape", array.shape, f"the shape of available, {may.shape}")
        good = ~may | ((array >= 0.0) & (array < np.inf))
        if not good.all():
            raise FieldError(field, float(array[~good][0]), "finite numbers, at least 0")
        arrays.append(np.where(may, array, 0.0))
    score, cost = arrays
    caps = as_caps(throughput, may.shape[1:])
    if not ((caps >= 0.0) & (caps <= 1.0)).all():
        refuse_values(score[0], cost[0], caps)
    return score, cost, np.where(may, caps, 0.0)


def refuse_shapes(score: Floats, cost: Floats, allowed: str) -> NoReturn:
    """Raise the error about scores and costs of shapes that do not fit."""
    if cost.shape != score.shape:
        raise FieldError("cost.shape", cost.shape, f"the shape of score, {score.shape}")
    raise FieldError("score.shape", score.shape, allowed)


def refuse_values(score: Floats, cost: Floats, throughput: Floats) -> NoReturn:
    """Raise the error about the value for which a kernel returned NaN."""
    caps_good = (throughput >= 0.0) & (throughput <= 1.0)
    if not caps_good.all():
        raise FieldError("throughput", float(throughput[~caps_good][0]), "shares in [0, 1]")
    used = throughput > 0.0
    costs_good = ~used | ((cost >= 0.0) & (cost < math.inf))
    if not costs_good.all():
        raise FieldError("cost", float(cost[~costs_good][0]), "finite USD, at least 0")
    scores_good = ~used | np.isfinite(score)
    raise FieldError("score", float(score[~scores_good][0]), "finite numbers")


def _as_scalar(value: ArrayLike) -> float:
    array = np.asarray(value, dtype=np.float64)
    if array.shape != ():
        raise FieldError("budget.shape", array.shape, "a scalar")
    return float(array)
