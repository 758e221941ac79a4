"""Where commands print their tables."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

# A file or a pipe has no width of its own; this is enough for every table.
WIDTH_WITHOUT_TERMINAL = 10_000


def stdout_console() -> Console:
    """A ``rich`` console on the standard output."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=WIDTH_WITHOUT_TERMINAL)


def show_all_signs() -> None:
    """Have signs that the terminal's encoding lacks shown as ``?``, instead of raising."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
