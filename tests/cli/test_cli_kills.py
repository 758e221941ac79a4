"""Killed at random moments and resumed, a leaderboard loses nothing and gives the same bytes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

GIVEN = (
    *("leaderboard", "--scenario", "routerbench", "--scenario", "drift", "--horizon", "200"),
    *("--num-stages", "2", "--seeds", "2", "--jobs", "2"),
    *("--agents", "players:Even,players:Shares,uniform,cheapest"),
)
KILLS = 6
PATIENCE = 120.0
LONGEST = 8.0  # seconds; a whole run takes about as long


@pytest.mark.slow
def test_killed_at_random_moments(
    process: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    whole = process(*GIVEN, "--out", "whole", cwd=tmp_path)
    _, err = whole.communicate(timeout=PATIENCE)
    assert whole.returncode == 0, err
    moments = random.Random(0)
    for _ in range(KILLS):
        more = ["--resume"] if (tmp_path / "killed" / "settings.json").exists() else []
        running = process(*GIVEN, "--out", "killed", *more, cwd=tmp_path)
        time.sleep(moments.uniform(0.0, LONGEST))
        kept = {p.name: p.read_bytes() for p in (tmp_path / "killed").glob("episodes/*.json")}
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate(timeout=PATIENCE)
        after = {p.name: p.read_bytes() for p in (tmp_path / "killed").glob("episodes/*.json")}
        assert kept.items() <= after.items()
    more = ["--resume"] if (tmp_path / "killed" / "settings.json").exists() else []
    last = process(*GIVEN, "--out", "killed", *more, cwd=tmp_path)
    _, err = last.communicate(timeout=PATIENCE)
    assert last.returncode == 0, err
    for name in ("results.parquet", "stages.parquet", "oracles.parquet", "leaderboard.json"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
