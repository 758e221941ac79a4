"""The error that bad input raises, and the hint that goes with an unknown name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class FieldError(ValueError):
    """A field holds a value that is not allowed.

    Args:
        field: name of the field, option or column.
        value: the value that was given.
        allowed: what would be accepted, in words.
    """

    def __init__(self, field: str, value: object, allowed: str) -> None:
        super().__init__(f"{field} = {value!r}: expected {allowed}")
        self.field = field
        self.value = value
        self.allowed = allowed

    def __reduce__(self) -> tuple[type[FieldError], tuple[str, object, str]]:
        """Pickle by the three arguments, so that the error survives a worker process."""
        return type(self), (self.field, self.value, self.allowed)


def closest(name: str, names: Iterable[str]) -> str:
    """Words for an error about an unknown name: the nearest name, and all of them."""
    known = sorted(names)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"{near[0]!r}, the nearest name, or " if near else ""
    return f"{hint}one of {', '.join(known)}"
