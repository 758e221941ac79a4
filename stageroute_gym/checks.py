"""Checks that the workloads share: counts, numbers and choices."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from stageroute_gym.errors import FieldError, closest


def count(field: str, value: object, minimum: int, maximum: int | None = None) -> int:
    """``value`` as an int between ``minimum`` and ``maximum``.

    Raises:
        FieldError: if it is not an integer or out of range.
    """
    upper = "" if maximum is None else f" and at most {maximum}"
    allowed = f"an integer of at least {minimum}{upper}"
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise FieldError(field, value, allowed)
    if value < minimum or (maximum is not None and value > maximum):
        raise FieldError(field, value, allowed)
    return int(value)


def choice(field: str, value: object, allowed: Sequence[str]) -> str:
    """``value`` if it is one of ``allowed``.

    Raises:
        FieldError: if it is not; the message names the nearest.
    """
    if not isinstance(value, str) or value not in allowed:
        raise FieldError(field, value, closest(str(value), allowed))
    return value


def order(value: object, allowed: Sequence[str]) -> str | tuple[str, ...]:
    """An arrival order: one of the words ``allowed``, or model names as a tuple.

    Raises:
        FieldError: if it is neither.
    """
    if isinstance(value, (list, tuple)):
        if not value or not all(isinstance(name, str) for name in value):
            raise FieldError("arrival_order", value, "model names")
        return tuple(value)
    return choice("arrival_order", value, allowed)


def number(field: str, value: object, minimum: float, maximum: float = math.inf) -> float:
    """``value`` as a finite float between ``minimum`` and ``maximum``.

    Raises:
        FieldError: if it is not a finite number or out of range.
    """
    upper = "" if maximum == math.inf else f" and at most {maximum:g}"
    allowed = f"a finite number of at least {minimum:g}{upper}"
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise FieldError(field, value, allowed)
    if not math.isfinite(value) or not minimum <= value <= maximum:
        raise FieldError(field, value, allowed)
    return float(value)


def interval(
    field: str, value: object, minimum: float, maximum: float = math.inf
) -> tuple[float, float]:
    """``value`` as a smallest and a largest number, both between ``minimum`` and ``maximum``.

    Raises:
        FieldError: if it is not a pair of numbers, in that order and within the range.
    """
    if not isinstance(value, tuple) or len(value) != 2:
        raise FieldError(field, value, "a smallest and a largest number")
    low = number(field, value[0], minimum, maximum)
    return low, number(field, value[1], low, maximum)
