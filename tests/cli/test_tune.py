"""The command ``tune``, on a suite of two short worlds."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from command import Stageroute

from stageroute_gym.scenarios import Suite, suites

pytest.importorskip("optuna", reason="Optuna comes with the extra tune")


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    worlds = ("worlds-tune-25", "worlds-tune-4")
    monkeypatch.setitem(suites._SUITES, "tiny", Suite("tiny", 1, worlds, (0, 1), "short worlds"))


@pytest.mark.slow
def test_a_tuning_is_data_and_goes_on(stageroute: Stageroute, tmp_path: Path) -> None:
    arguments = ["--suite", "tiny", "--jobs", "1", "--out", "tuning"]
    ran = stageroute("tune", "epsilon-greedy,explore-then-commit", "--trials", "2", *arguments)
    assert ran.code == 0, ran.err
    assert "epsilon-greedy" in ran.out
    trials = pl.read_parquet(tmp_path / "tuning" / "trials.parquet")
    assert trials["agent"].value_counts(sort=True)["count"].to_list() == [2, 2]
    again = stageroute("tune", "epsilon-greedy", "--trials", "2", *arguments)
    assert (again.code, "an empty folder, --resume or --overwrite" in again.err) == (2, True)
    more = stageroute("tune", "epsilon-greedy", "--trials", "3", *arguments, "--resume")
    assert more.code == 0, more.err
    longer = pl.read_parquet(tmp_path / "tuning" / "trials.parquet")
    assert longer.filter(pl.col("trial") < 2).equals(trials)
    chosen = json.loads((tmp_path / "tuning" / "tuned.json").read_text())
    assert {name: each["trials"] for name, each in chosen["agents"].items()} == {
        "epsilon-greedy": 3,
        "explore-then-commit": 2,
    }
    assert chosen["suite"]["sha256"] == suites.suite("tiny").sha256()


def test_what_cannot_be_run_is_told_in_a_line(stageroute: Stageroute) -> None:
    wrong = stageroute("tune", "uniform", "--suite", "tiny")
    assert wrong.code == 2
    assert wrong.err.startswith("error: agent = 'uniform': expected an agent with parameters")
    wrong = stageroute("tune", "linucb", "--suite", "tiny", "--seeds", "1,1")
    assert (wrong.code, "seeds = 1: expected" in wrong.err) == (2, True)
    assert not Path("tuning").exists()
