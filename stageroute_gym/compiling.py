"""Compiling the kernels: numba's decorators, cached where that is possible, and lines about it.

Compiled kernels are cached beside their source files, or, where that folder cannot be written to,
in the user's cache folder, or in ``NUMBA_CACHE_DIR``. A read-only installation without any of these
compiles them anew in each process.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import multiprocessing
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numba
from numba.core import event

PATIENCE = 2.0  # seconds of silence
OURS = ("stageroute_gym", "stageroute_agents")
# Kernels in here call none of elsewhere, and so need not be compiled anew for a change there.
SELF_CONTAINED = ("stageroute_gym.optimize", "stageroute_gym.simulator")


def njit(*, cache: Literal[True], **options: Any) -> Callable[[Any], Any]:
    """`numba.njit`, cached if the machine has a place for it; as to be read at each kernel."""
    return _cached(numba.njit, options)


def vectorize(*, cache: Literal[True]) -> Callable[[Any], Any]:
    """`numba.vectorize`, cached if the machine has a place for it."""
    return _cached(numba.vectorize, {})


def _cached(decorator: Any, options: dict[str, Any]) -> Callable[[Any], Any]:
    def compiled(function: Any) -> Any:
        try:
            kernel = decorator(cache=True, **options)(function)
        except RuntimeError as error:
            if "no locator available" not in str(error):
                raise
            _announcer.say_uncached()
            return decorator(**options)(function)
        # Numba looks whether the kernel's own file has changed, and not what the kernel calls: a
        # newer version installed over an older one, or an edit, would go on with the old code. Said
        # as numba's version is, which is read first: the rest may name types that are gone.
        cache = kernel._cache if hasattr(kernel, "_cache") else kernel._dispatcher.cache
        file = cache._cache_file
        file._version = (file._version, _sources(_reach(function.__module__)))
        return kernel

    return compiled


def _reach(module: str) -> str:
    """The package outside of which a kernel of that module calls nothing; empty for all."""
    return next((name for name in SELF_CONTAINED if module.startswith(f"{name}.")), "")


@functools.cache
def _sources(package: str) -> bytes:
    """Hash of the files with kernels, or with constants of kernels, in a package of ours or all."""
    digest = hashlib.sha256()
    for name in OURS:
        spec = importlib.util.find_spec(name)
        for folder in spec.submodule_search_locations or () if spec else ():
            root = Path(folder, *package.split(".")[1:])
            if not package or package.partition(".")[0] == name:
                for path in sorted(root.rglob("*.py")):
                    source = path.read_bytes()
                    if b"stageroute_gym.compiling" in source or b"simulator.arrays" in source:
                        digest.update(source)
    return digest.digest()


class _Announcer(event.Listener):
    """Says on stderr, once in a session, that this project's kernels have compiled for over 2 s.

    Numba tells of each compilation; loading from the cache is none. Worker processes say nothing.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._spent = 0.0
        self._started = 0.0
        self._said = multiprocessing.current_process().name != "MainProcess"
        self._timer: threading.Timer | None = None

    def on_start(self, event: Any) -> None:
        """A compilation begins, maybe inside another one."""
        if self._said or not _is_ours(event):
            return
        self._depth += 1
        if self._depth == 1:
            self._started = time.monotonic()
            self._timer = threading.Timer(max(PATIENCE - self._spent, 0.0), self._say_compiling)
            self._timer.daemon = True
            self._timer.start()

    def on_end(self, event: Any) -> None:
        """A compilation is over."""
        if self._depth == 0 or not _is_ours(event):
            return
        self._depth -= 1
        if self._depth == 0 and self._timer is not None:
            self._timer.cancel()
            self._spent += time.monotonic() - self._started

    def say_uncached(self) -> None:
        """A kernel cannot be cached."""
        self._say(
            "no folder for compiled kernels can be written to, so each process compiles them anew: "
            "set NUMBA_CACHE_DIR to a folder that can"
        )

    def _say_compiling(self) -> None:
        self._say("compiling the kernels (once; later runs load them from a cache) ...")

    def _say(self, line: str) -> None:
        if not self._said:
            self._said = True
            print(f"stageroute-gym: {line}", file=sys.stderr, flush=True)


def _is_ours(compilation: Any) -> bool:
    return compilation.data["dispatcher"].py_func.__module__.partition(".")[0] in OURS


_announcer = _Announcer()
event.register("numba:compile", _announcer)  # type: ignore[no-untyped-call]
