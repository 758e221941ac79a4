"""A line for the user who waits for the kernels to be compiled."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 2.0  # seconds of silence


@contextmanager
def announce_compilation() -> Iterator[None]:
    """Say on stderr that the kernels are being compiled, if the body takes more than 2 s.

    Compiled kernels are cached on disk, so this happens once after an installation.
    """
    message = "stageroute-gym: compiling the kernels (once; later runs load them from a cache) ..."
    timer = threading.Timer(PATIENCE, print, args=(message,), kwargs={"file": sys.stderr})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
