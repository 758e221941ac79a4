"""Killed at random moments and resumed, a leaderboard loses nothing and gives the same bytes.

Run as a script, with a number of kills, it says what it saw: ``python test_cli_kills.py 100``.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest
from command import COMMAND, PLAYERS

GIVEN = (
    *("leaderboard", "--scenario", "routerbench", "--scenario", "drift", "--horizon", "200"),
    *("--num-stages", "2", "--seeds", "2", "--jobs", "2"),
    *("--agents", "players:Even,players:Shares,uniform,cheapest"),
)
COMPARED = ("results.parquet", "stages.parquet", "oracles.parquet", "leaderboard.json")
PATIENCE = 300.0


def start(out: Path, *more: str) -> subprocess.Popen[str]:
    """The leaderboard in a process group of its own."""
    return subprocess.Popen(
        [*COMMAND, *GIVEN, "--out", str(out), *more],
        env={**os.environ, "PYTHONPATH": str(PLAYERS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(running: subprocess.Popen[str]) -> None:
    _, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == 0, err


def records(out: Path) -> dict[str, bytes]:
    """What says which trials are finished."""
    return {path.name: path.read_bytes() for path in out.glob("episodes/*.json")}


def kill_and_resume(folder: Path, kills: int, seed: int) -> Counter[str]:
    """Kill a leaderboard at random moments, resume it each time, and compare it when it is whole.

    Returns:
        How many kills met how many finished trials, and how many whole leaderboards were compared.
    """
    whole = folder / "whole"
    began = time.monotonic()
    finish(start(whole))
    longest = time.monotonic() - began
    moments, tally = random.Random(seed), Counter[str]()
    out = folder / "killed"
    while tally["kills"] < kills or tally["wholes"] == 0:
        resumed = ["--resume"] if (out / "settings.json").exists() else []
        running = start(out, *resumed)
        kept = records(out)
        if tally["kills"] < kills:
            try:
                # A kill counts only if it meets the run alive.
                running.wait(moments.uniform(0.0, longest))
            except subprocess.TimeoutExpired:
                kept |= records(out)
                os.killpg(running.pid, signal.SIGKILL)
                running.communicate(timeout=PATIENCE)
                tally["kills"] += 1
                tally[f"with {len(kept)} of 8 trials finished"] += 1
                assert kept.items() <= records(out).items()
                continue
        finish(running)
        assert kept.items() <= records(out).items()
        for name in COMPARED:
            assert (out / name).read_bytes() == (whole / name).read_bytes(), name
        tally["wholes"] += 1
        out = folder / f"killed-{tally['wholes']}"
    if out.exists():
        finish(start(out, *(["--resume"] if (out / "settings.json").exists() else [])))
        for name in COMPARED:
            assert (out / name).read_bytes() == (whole / name).read_bytes(), name
        tally["wholes"] += 1
    return tally


@pytest.mark.slow
def test_killed_at_random_moments(tmp_path: Path) -> None:
    tally = kill_and_resume(tmp_path, kills=6, seed=0)
    assert tally["kills"] == 6
    assert tally["wholes"] >= 1


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        for what, number in sorted(kill_and_resume(Path(place), int(sys.argv[1]), seed=1).items()):
            print(f"{what}: {number}")
