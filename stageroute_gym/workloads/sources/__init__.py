"""Foreign formats: which one a file has, and what reads it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from stageroute_gym.workloads.sources.answers import Completed, Source, completed
from stageroute_gym.workloads.sources.benchmarks import (
    is_llmrouter,
    is_llmrouterbench,
    is_routerarena,
    is_sprout,
    read_llmrouter,
    read_llmrouterbench,
    read_routerarena,
    read_sprout,
)
from stageroute_gym.workloads.sources.boards import (
    is_json_lines,
    is_swebench,
    read_json_lines,
    read_swebench,
)

__all__ = ["FORMATS", "Completed", "Format", "Source", "completed", "recognised"]


class Format(NamedTuple):
    """A foreign format.

    Attributes:
        recognises: whether a path holds it.
        read: what it holds.
    """

    recognises: Callable[[Path], bool]
    read: Callable[[Path], Source]


# In the order in which they are tried.
FORMATS = {
    "swebench": Format(is_swebench, read_swebench),
    "sprout": Format(is_sprout, read_sprout),
    "routerarena": Format(is_routerarena, read_routerarena),
    "llmrouterbench": Format(is_llmrouterbench, read_llmrouterbench),
    "llmrouter": Format(is_llmrouter, read_llmrouter),
    "json-lines": Format(is_json_lines, read_json_lines),
}


def recognised(path: Path) -> str | None:
    """Name of the foreign format that a path holds; None if it is none of them."""
    return next((name for name, known in FORMATS.items() if known.recognises(path)), None)
