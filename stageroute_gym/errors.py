"""The error that bad input raises, and the hint that goes with an unknown name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


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


class UnknownArgumentError(FieldError, TypeError):
    """An argument that does not exist: a `TypeError`, as Python and Gymnasium's clients expect.

    It can be made from a message alone, since `gymnasium.make` raises it again in that way.

    Args:
        message: what is wrong, see `unknown_argument`.
    """

    def __init__(self, message: str) -> None:
        ValueError.__init__(self, message)
        self.field, self.value, self.allowed = "argument", message, "an argument that exists"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by the message."""
        return type(self), self.args


def unknown_argument(where: str, name: str, names: Iterable[str]) -> UnknownArgumentError:
    """The error for an argument that is none of ``names``; it tells the nearest one."""
    return UnknownArgumentError(
        f"{where} got an unexpected keyword argument {name!r}: expected {closest(name, names)}"
    )


def closest(name: str, names: Iterable[str]) -> str:
    """Words for an error about an unknown name: the nearest name, and all of them."""
    known = sorted(names)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"{near[0]!r}, the nearest name, or " if near else ""
    return f"{hint}one of {', '.join(known)}"
