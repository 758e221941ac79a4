"""What the tests of the command line share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PLAYERS = Path(__file__).resolve().parents[1] / "evaluation"
# The command as installed, whatever folder the process starts in.
COMMAND = [sys.executable, "-c", "from stageroute_gym.cli import main; main()"]


@dataclass(frozen=True)
class Outcome:
    """What a command left."""

    code: int
    out: str
    err: str


Stageroute = Callable[..., Outcome]
