"""Actions as users give them, checked and made fit for the kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.error import InvalidAction
from numpy.typing import NDArray


def action_space(num_models: int, *, continuous: bool) -> spaces.Discrete | spaces.Box:
    """The action space for ``N`` models: ``Box(-1, 1, (N,))``, or ``Discrete(N + 1)``."""
    if continuous:
        return spaces.Box(-1, 1, (num_models,), np.float32)
    return spaces.Discrete(num_models + 1)


def model_numbers(action: Any, shape: tuple[int, ...], num_models: int) -> NDArray[np.int64]:
    """Check discrete actions: a model's number, or ``num_models`` for PASS.

    Args:
        action: integers of shape ``shape``.
        shape: ``()`` for one environment, ``(E,)`` for a batch.
        num_models: number of models ``N``.

    Raises:
        InvalidAction: if dtype, shape or a value lies outside ``Discrete(N + 1)``.
    """
    array = _as_array(action, shape, "iu", "integers")
    # A copy: kernels are compiled for arrays that are contiguous and may be written to.
    array = np.array(array, np.int64, order="C")
    # Seen as unsigned, a negative number is a large one: one comparison tests both bounds.
    unsigned = array.view(np.uint64)
    if unsigned.max(initial=0) > num_models:
        outside = unsigned > num_models
        raise InvalidAction(
            f"action {array[outside].flat[0]}: expected 0 to {num_models - 1} for a model, "
            f"or {num_models} for PASS"
        )
    return array


def model_weights(action: Any, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Check continuous actions: a weight in [-1, 1] for every model.

    Args:
        action: numbers of shape ``shape``.
        shape: ``(N,)`` for one environment, ``(E, N)`` for a batch.

    Raises:
        InvalidAction: if dtype, shape or a value lies outside ``Box(-1, 1, (N,))``.
    """
    array = _as_array(action, shape, "fiu", "numbers")
    if not (array.min() >= -1 and array.max() <= 1):  # neither holds for NaN
        inside = (array >= -1) & (array <= 1)
        raise InvalidAction(f"action with a weight of {array[~inside].flat[0]}: expected [-1, 1]")
    # A copy, as in `model_numbers`.
    return np.array(array, np.float32, order="C")


def _as_array(action: Any, shape: tuple[int, ...], kinds: str, words: str) -> NDArray[Any]:
    """The action as an array of that shape, and of a dtype of one of those kinds."""
    try:
        array = np.asarray(action)
    except ValueError:
        raise InvalidAction(f"action {action!r}: expected {words} of shape {shape}") from None
    if array.shape != shape or array.dtype.kind not in kinds:
        raise InvalidAction(
            f"action of shape {array.shape} and dtype {array.dtype}: "
            f"expected {words} of shape {shape}"
        )
    return array
