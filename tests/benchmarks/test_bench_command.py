from __future__ import annotations

import json
from dataclasses import replace

import pytest
import typer
from typer.testing import CliRunner

from stageroute_gym.benchmark import command
from stageroute_gym.benchmark.section import QUICK, Section
from stageroute_gym.benchmark.timing import Task, time_tasks
from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation import agents

TINY = replace(
    QUICK,
    rounds=1,
    round_seconds=1e-4,
    num_envs=(2,),
    batches=(2,),
    num_models=(10, 20),
    max_deployed=(2, 3),
    horizons=(200, 400),
    episodes=(1, 2),
)


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setattr(command, "QUICK", TINY)
    app = typer.Typer()
    app.command()(command.bench)
    return lambda *arguments: CliRunner().invoke(app, ["--quick", *arguments])


@pytest.mark.slow
def test_it_prints_and_writes_every_section(run, tmp_path, monkeypatch):
    monkeypatch.setattr("stageroute_gym.benchmark.paper.SCENARIO", "routerbench")
    monkeypatch.setattr("stageroute_gym.benchmark.paper.SIDE_BY_SIDE", 2)
    monkeypatch.setattr("stageroute_gym.benchmark.programmes.DEPLOY_SIZES", (11,))
    out = tmp_path / "new" / "folder"
    result = run("--out", str(out))
    assert result.exit_code == 0, result.output
    content = json.loads((out / "bench.json").read_text())
    assert list(content) == list(command.SECTIONS)
    for section in content.values():
        assert section["title"].partition(":")[0] in result.stdout
        assert section["rows"]
    _check_figures(content)
    assert (out / "bench.png").read_bytes().startswith(b"\x89PNG")
    assert "<html" in (out / "bench.html").read_text().lower()


def _check_figures(content):
    environments = {row["environment"]: row for row in content["environments"]["rows"]}
    assert set(environments) == {"gym.make", "gym.make, np.int64", "vector, 2"}
    assert all(row["CartPole-v1"] > 0 for row in environments.values())
    decided = content["agents"]
    measured = {row["agent"] for row in decided["rows"]}
    assert measured | {note.partition(":")[0] for note in decided["notes"]} >= set(agents.names())
    assert "stageroute" in measured
    assert all(row["alone"] > 0 for row in decided["rows"])
    assert all(row["stageroute-gym"] < row["scipy"] for row in content["programmes"]["rows"])
    assert {row["factor"] for row in content["growth"]["rows"]} == {
        "models N",
        "slots M_max",
        "horizon T",
        "episodes E",
    }


def test_only_limits_it_to_some_sections(run, tmp_path):
    result = run("--only", "machine", "--out", str(tmp_path))
    assert result.exit_code == 0
    assert list(json.loads((tmp_path / "bench.json").read_text())) == ["machine"]
    assert "numba" in result.stdout
    assert "CartPole" not in result.stdout


def test_an_unknown_section_is_refused_with_the_nearest_name(run):
    error = run("--only", "agent").exception
    assert isinstance(error, FieldError)
    assert "only = 'agent'" in str(error)
    assert "'agents'" in str(error)


def test_a_file_is_no_folder_to_write_to(run, tmp_path):
    file = tmp_path / "results"
    file.write_text("kept")
    error = run("--only", "machine", "--out", str(file)).exception
    assert isinstance(error, FieldError)
    assert error.field == "out"
    assert file.read_text() == "kept"


def test_a_solver_that_is_not_installed_is_named(run, monkeypatch):
    monkeypatch.setattr("stageroute_gym.benchmark.programmes.installed", lambda name: False)
    monkeypatch.setattr("stageroute_gym.benchmark.programmes.DEPLOY_SIZES", (11,))
    result = run("--only", "programmes")
    assert result.exit_code == 0
    assert "gurobipy is not installed." in result.stdout
    assert "highspy is not installed." in result.stdout


def test_tasks_are_timed_in_turns_and_by_unit():
    order = []
    tasks = {
        "long": Task(lambda: (order.append("long"), sum(range(20_000)))),
        "short": Task(lambda: (order.append("short"), sum(range(20_000))), units=10),
    }
    timings = time_tasks(tasks, rounds=3, round_seconds=0.0)
    assert order[-6:] == ["long", "short"] * 3
    assert timings["long"].minimum <= timings["long"].median
    assert timings["long"].minimum > 3 * timings["short"].minimum


def test_a_section_gives_its_rows_by_column():
    section = Section("name", "title", ("a", "b"), (("x", 1.0), ("y", None)))
    assert section.records() == [{"a": "x", "b": 1.0}, {"a": "y", "b": None}]
