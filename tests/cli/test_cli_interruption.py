from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

PATIENCE = 120.0  # seconds; the first process may have to compile


def arguments(jobs: int) -> list[str]:
    return [
        *("leaderboard", "--scenario", "routerbench", "--horizon", "100", "--num-stages", "2"),
        *("--seeds", "2", "--agents", "players:Even,players:Slow", "--jobs", str(jobs)),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_interrupted_and_resumed(
    process: Callable[..., subprocess.Popen[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    jobs: int,
) -> None:
    running = process(*arguments(jobs), cwd=tmp_path)
    episodes = tmp_path / "results" / "episodes"
    deadline = time.monotonic() + PATIENCE
    # The tables are written first, the record that says that they are whole comes last.
    while not list(episodes.glob("*.json")) and time.monotonic() < deadline:
        assert running.poll() is None, running.communicate()
        time.sleep(0.05)
    # As a terminal does: to the process and its workers alike.
    os.killpg(running.pid, signal.SIGINT)
    out, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == 130
    assert out == ""
    assert err.strip().splitlines()[-1] == (
        "interrupted: what has finished is kept in results; --resume goes on from there"
    )
    assert "Traceback" not in err
    kept = {path.name: path.stat().st_mtime_ns for path in episodes.iterdir()}
    assert len(kept) == 3
    assert not (tmp_path / "results" / "results.parquet").exists()

    monkeypatch.setenv("PLAYERS_HURRY", "1")
    finishing = process(*arguments(jobs), "--resume", cwd=tmp_path)
    out, err = finishing.communicate(timeout=PATIENCE)
    assert finishing.returncode == 0, err
    after = {path.name: path.stat().st_mtime_ns for path in episodes.iterdir()}
    assert after.items() >= kept.items()
    results = pl.read_parquet(tmp_path / "results" / "results.parquet")
    assert results["entry"].to_list() == ["players:Even"] * 2 + ["players:Slow"] * 2


@pytest.mark.slow
def test_workers_end_with_the_run_that_was_killed(
    process: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    running = process(*arguments(2), cwd=tmp_path)
    episodes = tmp_path / "results" / "episodes"
    deadline = time.monotonic() + PATIENCE
    while not list(episodes.glob("*.json")) and time.monotonic() < deadline:
        assert running.poll() is None, running.communicate()
        time.sleep(0.05)
    # Not its workers, as where the system ends a process for want of memory.
    os.kill(running.pid, signal.SIGKILL)
    # They have its output open: it ends with the last of them.
    running.communicate(timeout=PATIENCE / 2)
    assert running.returncode == -signal.SIGKILL
