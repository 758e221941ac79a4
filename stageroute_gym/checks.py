"""Checks of what users give: counts, numbers and choices, each with an error that says its range.

Every check returns the value as the type that the caller wants, and raises `FieldError` with the
field, the value and what is allowed.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.errors import FieldError, closest


class Range(NamedTuple):
    """What one field may be.

    Attributes:
        low: smallest value.
        high: largest value.
        unit: what the value counts, for errors; empty where it needs no word.
        whole: whether it is a whole number.
    """

    low: float
    high: float
    unit: str = ""
    whole: bool = False

    def check(self, field: str, value: object) -> Any:
        """``value`` as an int or a float within the range.

        Raises:
            FieldError: if it is not a number, not whole where it must be, or out of range.
        """
        if self.whole:
            return count(field, value, int(self.low), int(self.high), self.unit)
        return number(field, value, self.low, self.high, unit=self.unit)


def count(
    field: str, value: object, minimum: int, maximum: int | None = None, unit: str = ""
) -> int:
    """``value`` as an int between ``minimum`` and ``maximum``; ``1e4`` is the whole number 10000.

    Raises:
        FieldError: if it is not a whole number or out of range.
    """
    upper = "" if maximum is None else f" and at most {maximum:,}"
    allowed = f"a whole number{_of(unit)} of at least {minimum}{upper}"
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise FieldError(field, value, allowed)
    if isinstance(value, (float, np.floating)) and not float(value).is_integer():
        raise FieldError(field, value, allowed)
    if value < minimum or (maximum is not None and value > maximum):
        raise FieldError(field, value, allowed)
    return int(value)


def number(
    field: str,
    value: object,
    minimum: float,
    maximum: float = math.inf,
    *,
    above: bool = False,
    below: bool = False,
    unit: str = "",
) -> float:
    """``value`` as a finite float between ``minimum`` and ``maximum``.

    Args:
        field: name of the field.
        value: what was given.
        minimum: the smallest that is allowed.
        maximum: the largest that is allowed.
        above: whether ``minimum`` itself is not allowed.
        below: whether ``maximum`` itself is not allowed.
        unit: what the number counts, for errors.

    Raises:
        FieldError: if it is not a finite number or out of range.
    """
    lower = f"above {minimum:g}" if above else f"of at least {minimum:g}"
    upper = f" and {'below' if below else 'at most'} {maximum:g}" if maximum < math.inf else ""
    allowed = f"a finite number{_of(unit)} {lower}{upper}"
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise FieldError(field, value, allowed)
    # The largest float, since an int may lie beyond it.
    inside = minimum <= value <= min(maximum, sys.float_info.max)
    if not inside or (above and value == minimum) or (below and value == maximum):
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


def choice(field: str, value: object, allowed: Sequence[str]) -> str:
    """``value`` if it is one of ``allowed``.

    Raises:
        FieldError: if it is not; the message names the nearest.
    """
    if not isinstance(value, str) or value not in allowed:
        raise FieldError(field, value, closest(str(value), allowed))
    return value


def switch(field: str, value: object) -> bool:
    """``value`` if it is true or false.

    Raises:
        FieldError: if it is anything else.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise FieldError(field, value, "True or False")
    return bool(value)


def mapping(field: str, value: object) -> Mapping[str, Any]:
    """``value`` if it holds values by name, as an object of JSON does.

    Raises:
        FieldError: if it is anything else.
    """
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise FieldError(field, value, "values by name, as an object of JSON")
    return value


def listed(field: str, value: object) -> tuple[Any, ...]:
    """``value`` as a tuple, from a list, a tuple or an array.

    Raises:
        FieldError: if it is anything else.
    """
    if not isinstance(value, (list, tuple, np.ndarray)):
        raise FieldError(field, value, "a list")
    return tuple(value)


def array(field: str, value: object, dimensions: int, kinds: str = "iufb") -> NDArray[Any]:
    """``value`` if it is an array of a number of dimensions.

    Args:
        field: name of the field.
        value: what was given.
        dimensions: how many.
        kinds: which kinds of data it may hold: whole numbers ``i`` and ``u``, floats ``f``,
            ``b`` for true and false.

    Raises:
        FieldError: if it is none, or of other dimensions or data.
    """
    if not isinstance(value, np.ndarray):
        found = type(value).__name__
    elif value.ndim != dimensions or value.dtype.kind not in kinds:
        found = f"{value.dtype} of shape {value.shape}"
    else:
        return value
    words = {"iufb": "numbers", "iu": "whole numbers", "b": "true and false"}
    raise FieldError(
        field, found, f"a numpy array of {words[kinds]} with shape of length {dimensions}"
    )


def _of(unit: str) -> str:
    return f" of {unit}" if unit else ""
