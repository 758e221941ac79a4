"""What an object leads to: for the check that an agent holds nothing of the truth."""

from __future__ import annotations

import functools
import inspect
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any

import numpy as np

_COLLECTIONS = (list, tuple, set, frozenset, deque)
_ENDS = (type, str, bytes, int, float)


def reachable(value: Any) -> Iterator[tuple[str, Any]]:
    """All that an object leads to, with the way there; what several ways lead to comes once.

    Followed are attributes, with ``__slots__`` too and those of the object's own class; containers;
    arrays of objects; weak references; methods, and functions' closures and defaults. Of the
    functions of the object's class, also the data that they name of their module. Other classes,
    functions and modules are not followed.

    Args:
        value: the object.
    """
    name = type(value).__name__
    pending: list[tuple[str, Any]] = [(name, value), *_of_class(type(value))]
    met: set[int] = set()
    while pending:
        path, found = pending.pop()
        if type(found) in weakref.ProxyTypes:  # what it stands for may be gone
            continue
        if id(found) in met or isinstance(found, _ENDS) or inspect.ismodule(found):
            continue
        met.add(id(found))
        yield path, found
        pending += [(f"{path}{step}", inner) for step, inner in _parts(found)]


def _of_class(kind: type) -> Iterator[tuple[str, Any]]:
    """Attributes of a class and those above it, and the data that their functions name."""
    for base in kind.__mro__:
        for key, found in vars(base).items():
            path = f"{base.__name__}.{key}"
            yield path, found
            function = inspect.unwrap(getattr(found, "__func__", found))
            if isinstance(function, FunctionType):
                around = function.__globals__
                named = sorted(_names(function.__code__) & around.keys())
                yield from ((f"{path}({n})", around[n]) for n in named if not callable(around[n]))


def _names(code: CodeType) -> set[str]:
    """Names that a function's code looks up, with the functions inside it."""
    inner = (part for part in code.co_consts if isinstance(part, CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _parts(found: Any) -> Iterable[tuple[str, Any]]:
    """What an object holds, with the step that leads there."""
    if isinstance(found, np.ndarray):
        return _numbered(found.flat) if found.dtype.hasobject else ()
    if isinstance(found, Mapping):
        return [(f"[{key!r}]", inner) for key, inner in found.items()]
    if isinstance(found, _COLLECTIONS):
        return _numbered(found)
    if isinstance(found, functools.partial):
        return [("(...)", inner) for inner in (found.func, found.args, found.keywords)]
    if isinstance(found, weakref.ref):
        return [("()", found())]
    if inspect.ismethod(found):
        return [(".__self__", found.__self__), (".__func__", found.__func__)]
    if isinstance(found, FunctionType):
        cells = [("(closure)", inner) for inner in _contents(found)]
        return [*cells, ("(defaults)", found.__defaults__), ("(defaults)", found.__kwdefaults__)]
    return _attributes(found)


def _numbered(values: Iterable[Any]) -> list[tuple[str, Any]]:
    """Values with the step to each by its number."""
    return [(f"[{number}]", inner) for number, inner in enumerate(values)]


def _contents(function: FunctionType) -> list[Any]:
    found = []
    for cell in function.__closure__ or ():
        try:
            found.append(cell.cell_contents)
        except ValueError:  # not filled yet
            continue
    return found


def _attributes(found: Any) -> Iterator[tuple[str, Any]]:
    # Some libraries' objects make up any attribute that they are asked for.
    own = getattr(found, "__dict__", None)
    if isinstance(own, dict):
        yield from ((f".{key}", inner) for key, inner in own.items())
    for base in type(found).__mro__:
        slots = vars(base).get("__slots__", ())
        for key in (slots,) if isinstance(slots, str) else slots:
            hidden = key.startswith("__") and not key.endswith("__")
            name = f"_{base.__name__.lstrip('_')}{key}" if hidden else key
            if key not in ("__dict__", "__weakref__") and hasattr(found, name):
                yield f".{name}", getattr(found, name)
