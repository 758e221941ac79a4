"""Every example runs as a user runs it: as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def run(name: str, folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-W", "error", str(EXAMPLES / name), *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_quickstart(tmp_path: Path) -> None:
    shown = run("quickstart.py", tmp_path, "--horizon", "500")
    assert "stage 0, query 0: " in shown
    assert "stage 4" in shown
    assert "of the budget" in shown


@pytest.mark.slow
def test_leaderboard(tmp_path: Path) -> None:
    short = ["--horizon", "200", "--seeds", "2", "--csv", "rows.csv"]
    shown = run("leaderboard.py", tmp_path, *short)
    assert "paired by seed" in shown
    assert len(pl.read_csv(tmp_path / "rows.csv")) == 4 * 2 * 2


@pytest.mark.slow
def test_reproduce_paper(tmp_path: Path) -> None:
    manifest = tmp_path / "own.toml"
    manifest.write_text(
        '[parts]\ntitle = "Parts"\nmodule = "ablations"\n[parts.full]\nseeds = 2\n'
        'scenarios = ["delayed", "per-task"]\noverrides = { horizon = 2000 }\n'
        'without = [["paced-route", "without pending=paced-route(count_pending=false)"],\n'
        '["paced-route", "without tasks=paced-route(per_task=false)"]]\n'
        'suite = "worlds-tune"\nworlds = 2\nworld_seeds = 1\n'
    )
    shown = run("reproduce_paper.py", tmp_path, "--manifest", str(manifest), "--out", "out")
    assert "out/reproduction.html" in shown
    results = (tmp_path / "out" / "RESULTS.md").read_text(encoding="utf-8")
    rows = {line.split(" | ")[0].strip("| "): line.split(" | ") for line in results.splitlines()}
    # A part that a scenario does not call for changes nothing there.
    assert rows["delayed"][2].startswith("+0.0 ± 0.0")
    assert rows["delayed"][1].startswith("+")
    assert rows["per-task"][2].startswith("+")
    assert "0 of 2" in rows["without tasks"][-1]


def test_own_agent(tmp_path: Path) -> None:
    shown = run("own_agent.py", tmp_path, "--horizon", "300")
    assert "own_agent:Thrifty minus uniform" in shown
    assert "95 % interval" in shown


def test_own_scenario(tmp_path: Path) -> None:
    shown = run("own_scenario.py", tmp_path, "--horizon", "300")
    assert "stageroute" in shown
    assert "score_over_horizon_oracle" in shown
    # Its name on the command line, as its first lines say.
    main = "from stageroute_gym.cli import main; main()"
    arguments = ["run", "uniform", "--scenario", "examples.own_scenario:SCENARIO", "--seeds", "2"]
    command = [sys.executable, "-c", main, *arguments, "--horizon", "100"]
    done = subprocess.run(command, cwd=EXAMPLES.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "score / horizon oracle" in done.stdout


def test_own_data(tmp_path: Path) -> None:
    shown = run("own_data.py", tmp_path, "--horizon", "300")
    assert "problems: none" in shown
    assert "oracle" in shown
    assert (tmp_path / "outcomes.csv").is_file()


def test_all_examples_are_short_and_tested() -> None:
    tested = Path(__file__).read_text(encoding="utf-8")
    for file in EXAMPLES.glob("*.py"):
        assert f'"{file.name}"' in tested
        # These two are experiments that can be repeated, not examples to copy from.
        longest = 90 if file.name in ("search_sb3.py", "rank_sb3.py") else 60
        assert len(file.read_text(encoding="utf-8").splitlines()) <= longest


@pytest.mark.slow
def test_train_sb3(tmp_path: Path) -> None:
    pytest.importorskip("stable_baselines3")
    shown = run("train_sb3.py", tmp_path, "--steps", "4096", "--horizon", "500", "--out", "run")
    assert "run/agent.sragent" in shown
    assert "uniform" in shown


@pytest.mark.slow
def test_search_sb3_goes_on_where_it_was(tmp_path: Path) -> None:
    pytest.importorskip("stable_baselines3")
    short = ["--algo", "a2c", "--trials", "1", "--steps", "1024"]
    shown = run("search_sb3.py", tmp_path, *short)
    log = tmp_path / "search.jsonl"
    lines = log.read_text().splitlines()
    assert len(lines) == 2 * (1 + 1 + 2) * 2  # trials, seeds over the rungs, problems
    log.write_text("\n".join(lines[:-1]) + "\n")
    assert run("search_sb3.py", tmp_path, *short) == shown
    assert log.read_text().splitlines() == lines


@pytest.mark.slow
def test_rank_sb3_gives_the_same_file_again(tmp_path: Path) -> None:
    pytest.importorskip("stable_baselines3")
    short = ["--algos", "a2c", "--scenarios", "routerbench", "--seeds", "2", "--steps", "1024"]
    shown = run("rank_sb3.py", tmp_path, *short, "--out", "first")
    assert "| routerbench | a2c |" in shown
    assert run("rank_sb3.py", tmp_path, *short, "--out", "second") == shown
    first, second = (tmp_path / name / "rank.csv" for name in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.slow
def test_train_generalist(tmp_path: Path) -> None:
    pytest.importorskip("stable_baselines3")
    train = ["--rounds", "1", "--scenarios", "2", "--validation", "2", "--out", "run"]
    assert "run/agent.sragent: score / horizon oracle" in run(
        "train_generalist.py", tmp_path, *train
    )
    short = ["--seeds", "1000", "1002", "--horizon", "500", "--scenarios", "routerbench-tight"]
    shown = run("evaluate_generalist.py", tmp_path, "run/agent.sragent", *short)
    assert shown.splitlines()[1].startswith("routerbench-tight ")
    tune = ["--start", "run/agent.sragent", "--iterations", "1", "--worlds", "2", "--steps", "16"]
    shown = run("finetune_generalist.py", tmp_path, *tune, "--validation", "2", "--out", "tuned")
    assert shown.startswith("128 decisions: score / horizon oracle ")


@pytest.mark.slow
def test_animate(tmp_path: Path) -> None:
    pytest.importorskip("pygame")
    given = ["--agent", "greedy-ratio", "--scenario", "routerbench", "--frames", "5"]
    shown = run("animate.py", tmp_path, *given, "--out", "episode.gif")
    assert shown.startswith("6 pictures")
    assert (tmp_path / "episode.gif").read_bytes()[:6] == b"GIF89a"


def test_the_readmes_picture_is_small() -> None:
    assert (EXAMPLES.parent / "docs" / "episode.gif").stat().st_size < 500_000
