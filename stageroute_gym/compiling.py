"""A line for the user who waits for the kernels to be compiled."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from numba.core import event

PATIENCE = 2.0  # seconds of silence
OURS = ("stageroute_gym", "stageroute_agents")


class _Announcer(event.Listener):
    """Says on stderr, once in a process, that this project's kernels have compiled for over 2 s.

    Compiled kernels are cached on disk, so this happens once after an installation. Numba tells of
    each compilation; loading from the cache is none.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._spent = 0.0
        self._started = 0.0
        self._said = False
        self._timer: threading.Timer | None = None

    def on_start(self, event: Any) -> None:
        """A compilation begins, maybe inside another one."""
        if self._said or not _is_ours(event):
            return
        self._depth += 1
        if self._depth == 1:
            self._started = time.monotonic()
            self._timer = threading.Timer(max(PATIENCE - self._spent, 0.0), self._say)
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

    def _say(self) -> None:
        self._said = True
        print(
            "stageroute-gym: compiling the kernels (once; later runs load them from a cache) ...",
            file=sys.stderr,
            flush=True,
        )


def _is_ours(compilation: Any) -> bool:
    return compilation.data["dispatcher"].py_func.__module__.partition(".")[0] in OURS


event.register("numba:compile", _Announcer())  # type: ignore[no-untyped-call]
