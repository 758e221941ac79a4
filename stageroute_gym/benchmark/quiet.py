"""Silence for compiled code that prints."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def nothing_printed() -> Iterator[None]:
    """Send to nowhere what compiled code prints meanwhile.

    HiGHS prints its licence as it is made, before it can be told to be silent, and the one within
    scipy a message that no option turns off.
    """
    sys.stdout.flush()
    # What the C library has not written yet would come out after the end.
    library = ctypes.CDLL(None if os.name == "posix" else "ucrtbase")
    library.fflush(None)
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        library.fflush(None)
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
