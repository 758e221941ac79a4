"""Checks of agents' parameters."""

from __future__ import annotations

import math

from stageroute_gym.errors import FieldError


def not_negative(field: str, value: float) -> float:
    """A finite number, at least 0.

    Raises:
        FieldError: if it is anything else.
    """
    return _number(field, value, 0.0 <= value < math.inf, "a finite number, at least 0")


def positive(field: str, value: float) -> float:
    """A finite number above 0.

    Raises:
        FieldError: if it is anything else.
    """
    return _number(field, value, 0.0 < value < math.inf, "a finite number above 0")


def fraction(field: str, value: float) -> float:
    """A number from 0 to below 1.

    Raises:
        FieldError: if it is anything else.
    """
    return _number(field, value, 0.0 <= value < 1.0, "a number from 0 to below 1")


def factor(field: str, value: float) -> float:
    """A number above 0, up to 1.

    Raises:
        FieldError: if it is anything else.
    """
    return _number(field, value, 0.0 < value <= 1.0, "a number above 0, up to 1")


def count(field: str, value: int) -> int:
    """An integer, at least 1.

    Raises:
        FieldError: if it is anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise FieldError(field, value, "an integer, at least 1")
    return value


def _number(field: str, value: float, good: bool, allowed: str) -> float:
    if isinstance(value, bool) or not good:
        raise FieldError(field, value, allowed)
    return float(value)
