"""Ending a process in which an agent hangs, whatever it hangs in."""

from __future__ import annotations

import faulthandler
import time
from collections.abc import Callable
from pathlib import Path

# How often the time is set anew at most: each time starts a thread.
_EVERY = 1.0


class Watchdog:
    """Ends this process when nobody has called `alive` for some time.

    Python's ``faulthandler`` watches from a thread of its own that needs no interpreter, so a loop
    in compiled code is ended too. It first writes where each thread is to ``note``, by which the
    process that started this one knows why it ended.

    Args:
        limit: the time in seconds.
        note: the file; it exists, empty, while the watchdog is on.
    """

    def __init__(self, limit: float, note: Path) -> None:
        self._limit = limit
        self._clock: Callable[[], float] = time.monotonic
        # Held open, since at the end there is no interpreter that could open it.
        self._note = note.open("w", encoding="utf-8")
        self._set_at = -_EVERY
        self.alive()

    def alive(self) -> None:
        """Start the time anew."""
        now = self._clock()
        if now - self._set_at >= min(_EVERY, self._limit / 4):
            faulthandler.dump_traceback_later(self._limit, exit=True, file=self._note)
            self._set_at = now

    def close(self) -> None:
        """Watch no longer."""
        faulthandler.cancel_dump_traceback_later()
        self._note.close()
