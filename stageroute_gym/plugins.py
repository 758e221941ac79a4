"""What others add: the entry points of installed packages, and modules by name."""

from __future__ import annotations

import importlib
import sys
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any

from stageroute_gym.errors import FieldError


def installed(group: str) -> dict[str, EntryPoint]:
    """Entry points of a group by name, those of this project among them.

    Args:
        group: the group, such as ``stageroute.agents``.
    """
    return _found(group, tuple(sys.path))


# Looking through all packages takes longer than many an episode.
@lru_cache(maxsize=16)
def _found(group: str, path: tuple[str, ...]) -> dict[str, EntryPoint]:
    """Entry points of a group; ``path`` is where packages are looked for."""
    return {point.name: point for point in entry_points(group=group)}


def load(point: EntryPoint, field: str) -> Any:
    """What an entry point stands for.

    Args:
        point: the entry point.
        field: what its name was given as, for errors, such as ``agent``.

    Raises:
        FieldError: if its module cannot be imported, or lacks it.
    """
    try:
        return point.load()
    # What a foreign module raises, or exits with, while it is imported is its own choice.
    except (Exception, SystemExit) as error:
        allowed = f"one that can be loaded; {_reason(error)}"
        raise FieldError(field, point.name, allowed) from error


def module_of(name: str, field: str) -> tuple[ModuleType, str]:
    """The module of ``module:NAME``, and the name in it, which it may lack.

    Args:
        name: what was given.
        field: what it was given as, for errors.

    Raises:
        FieldError: if there is no such module, or it cannot be imported.
    """
    module, _, attribute = name.partition(":")
    try:
        return importlib.import_module(module), attribute
    # As for installed ones; a path in place of a module's name is a TypeError.
    except (Exception, SystemExit) as error:
        raise FieldError(field, name, f"an importable module; {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    return str(error) if isinstance(error, ImportError) else f"{type(error).__name__}: {error}"
