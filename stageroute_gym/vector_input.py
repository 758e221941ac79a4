"""What users give to the vector environments, checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeGuard

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from stageroute_gym.errors import FieldError


def check_render_mode(render_mode: str | None, modes: Sequence[str]) -> str | None:
    """A mode that the environment has, or None.

    Raises:
        FieldError: if it is neither.
    """
    if render_mode is not None and render_mode not in modes:
        raise FieldError("render_mode", render_mode, f"None, or one of {', '.join(modes)}")
    return render_mode


def check_autoreset_mode(mode: AutoresetMode | str) -> AutoresetMode:
    """The mode, given as itself or as its value.

    Raises:
        FieldError: if there is no such mode.
    """
    try:
        return AutoresetMode(mode)
    except ValueError:
        allowed = f"one of {', '.join(mode.value for mode in AutoresetMode)}"
        raise FieldError("autoreset_mode", mode, allowed) from None


def rows_to_reset(
    options: dict[str, Any] | None, num_envs: int, *, started: bool
) -> NDArray[np.int64]:
    """Which of ``num_envs`` sub-environments a reset is for, shape (R,), int64.

    Args:
        options: the options of `reset`; ``reset_mask``, shape (E,), bool, is the only one.
        num_envs: number of sub-environments ``E``.
        started: whether all have been reset before.

    Raises:
        FieldError: if there is another option, or the mask is not allowed.
    """
    others = set(options or {}) - {"reset_mask"}
    if others:
        raise FieldError("options", sorted(others, key=str), "no other option than reset_mask")
    mask = (options or {}).get("reset_mask")
    if mask is None:
        return np.arange(num_envs)
    allowed = f"a bool array of shape ({num_envs},) with at least one True"
    fits = isinstance(mask, np.ndarray) and mask.shape == (num_envs,)
    if not fits or mask.dtype != np.bool_ or not mask.any():
        raise FieldError("options['reset_mask']", mask, allowed)
    if not started and not mask.all():
        raise FieldError("options['reset_mask']", mask, "all True at the first reset")
    return np.flatnonzero(mask)


def seed_list(seed: int | Sequence[int | None] | None, num_envs: int) -> list[int | None]:
    """The seed of each of ``num_envs`` sub-environments; None where it goes on as it is.

    Raises:
        FieldError: if a seed is not allowed.
    """
    if seed is None:
        return [None] * num_envs
    allowed = f"an integer >= 0, or a list of {num_envs} such integers or None"
    if _is_integer(seed):
        seeds: list[int | None] = [int(seed) + i for i in range(num_envs)]
    elif isinstance(seed, (list, tuple, np.ndarray)):
        seeds = list(seed)
    else:
        raise FieldError("seed", seed, allowed)
    if len(seeds) != num_envs:
        raise FieldError("seed", seed, allowed)
    if not all(entry is None or (_is_integer(entry) and entry >= 0) for entry in seeds):
        raise FieldError("seed", seed, allowed)
    return [None if entry is None else int(entry) for entry in seeds]


def _is_integer(value: Any) -> TypeGuard[int]:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)
