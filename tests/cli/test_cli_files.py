"""Folders that cannot be written to, disks that are full, and what was left there before."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from command import PLAYERS, Stageroute

from stageroute_gym.locking import LOCK

GIVEN = (
    *("leaderboard", "--scenario", "routerbench", "--horizon", "100", "--num-stages", "2"),
    *("--seeds", "1", "--jobs", "1"),
)


@pytest.mark.slow
def test_a_torn_file_is_named_and_its_trial_run_again(stageroute: Stageroute) -> None:
    agents = ["--agents", "players:Even,players:Shares"]
    assert stageroute(*GIVEN, *agents, "--out", "board").code == 0
    before = Path("board/results.parquet").read_bytes()
    (torn,) = Path("board/episodes").glob("*Shares*[0-9a-f].parquet")
    torn.write_bytes(b"")
    outcome = stageroute(*GIVEN, *agents, "--out", "board", "--resume")
    assert outcome.code == 0, outcome.err
    assert (
        f"note: agent players:Shares on scenario routerbench: episodes/{torn.name} is damaged"
        in (outcome.err)
    )
    assert Path("board/results.parquet").read_bytes() == before


@pytest.mark.slow
def test_what_is_added_leaves_the_others_as_they_are(stageroute: Stageroute) -> None:
    common = (*GIVEN[:7], "--jobs", "1", "--out", "board")
    assert stageroute(*common, "--agents", "wide=players:Even", "--seeds", "2:4").code == 0
    assert stageroute(*common, "--agents", "players:Shares", "--add").code == 0
    assert stageroute(*common, "--seeds", "7:8", "--add").code == 0
    rows = pl.read_parquet("board/results.parquet").select("entry", "seed").rows()
    assert rows == [(entry, s) for entry in ("players:Shares", "wide") for s in (2, 3, 7)]


@pytest.mark.slow
def test_an_agent_whose_code_has_changed_is_run_again(tmp_path: Path) -> None:
    """In processes of their own, as a user does who edits a file between two calls."""
    (tmp_path / "mine.py").write_text(
        "from helper import SHARE\n"
        "from players import Even\n"
        "class Mine(Even):\n"
        "    def __init__(self, env, *, seed=0):\n"
        "        super().__init__(env, seed=seed, share=SHARE)\n"
    )
    (tmp_path / "helper.py").write_text("SHARE = 0.5\n")
    (tmp_path / "other.py").write_text("UNUSED = 1\n")
    program = "from stageroute_gym.cli import main; main()"
    command = [sys.executable, "-c", program, *GIVEN, "--agents", "mine:Mine,players:Even,uniform"]

    def run(*more: str) -> str:
        done = subprocess.run(
            [*command, *more],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(PLAYERS)},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stderr

    run()
    (tmp_path / "other.py").write_text("UNUSED = 2\n")
    assert "note: agent" not in run("--resume")
    (tmp_path / "helper.py").write_text("SHARE = 0.25\n")
    said = run("--resume")
    assert said.count("note: agent") == 1
    where = "agent mine:Mine on scenario routerbench"
    assert f"note: {where}: the agent's code or file has changed; it is run again" in said


@pytest.mark.parametrize("full", [False, True])
def test_a_folder_that_cannot_be_written_to(
    stageroute: Stageroute, monkeypatch: pytest.MonkeyPatch, full: bool
) -> None:
    agents = ["--agents", "players:Even"]
    if full:
        # A device on which every write finds the disk full.
        def no_space(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", no_space)
        outcome = stageroute(*GIVEN, *agents, "--out", "board")
        assert "No space left on device" in outcome.err
    else:
        Path("file").write_text("mine")
        outcome = stageroute(*GIVEN, *agents, "--out", "file/board")
        assert "a folder that can be written to" in outcome.err
    assert outcome.code == 2
    # Beside it stand notes on the scenario, and that an installation's first run compiles.
    said = [line for line in outcome.err.splitlines() if line.startswith("error: ")]
    assert "Traceback" not in outcome.err
    assert len(said) == 1
    assert said[0].startswith("error: out = ")
    assert outcome.err.strip().endswith(said[0])
    left = {path.name for path in Path().rglob("*") if path.is_file()}
    assert left <= {"file", LOCK}


@pytest.mark.slow
def test_results_do_not_depend_on_the_number_of_processes(
    stageroute: Stageroute,
) -> None:
    given = ("leaderboard", "--scenario", "drift", "--horizon", "3000", "--seeds", "0:6")
    for jobs in ("1", "2"):
        agents = ["--agents", "stageroute,uniform", "--jobs", jobs, "--out", jobs]
        assert stageroute(*given, *agents).code == 0
    for name in ("leaderboard.json", "results.parquet", "stages.parquet"):
        assert Path("1", name).read_bytes() == Path("2", name).read_bytes()
    assert len(pl.read_parquet("1/results.parquet")) == 12
