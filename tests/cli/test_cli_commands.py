from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import polars as pl
import pytest
from command import Stageroute

import stageroute_gym
from stageroute_gym import plugins, scenarios
from stageroute_gym.cli.options import HELP, parse_seeds, parse_value
from stageroute_gym.evaluation import agents
from stageroute_gym.problem import Problem

SHORT = ["--horizon", "200", "--num-stages", "3"]


def test_version_and_help(stageroute: Stageroute) -> None:
    assert stageroute("--version").out == f"stageroute-gym {stageroute_gym.__version__}\n"
    shown = stageroute("--help").out
    for command in ("scenarios", "agents", "run", "leaderboard", "data"):
        assert command in shown


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys; sys.argv = ['stageroute', '--help']\n"
        "from stageroute_gym.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([m for m in ('numba', 'polars', 'scipy', 'joblib') if m in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert shown.stdout.splitlines()[-1] == "[]"


def test_every_field_of_the_problem_is_an_option(
    stageroute: Stageroute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    for command in ("run", "leaderboard"):
        shown = stageroute(command, "--help").out
        for field in dataclasses.fields(Problem):
            assert f"--{field.name.replace('_', '-')}" in shown
        assert "Allowed cost in USD per query" in shown


def test_scenarios_are_listed(stageroute: Stageroute) -> None:
    shown = stageroute("scenarios").out
    assert all(name in shown for name in scenarios.names())
    listed = json.loads(stageroute("scenarios", "--json").out)
    assert [entry["name"] for entry in listed["scenarios"]] == scenarios.names()
    assert Problem.from_dict(listed["scenarios"][0]["problem"]).horizon == 10_000
    assert [entry["name"] for entry in listed["suites"]] == scenarios.suite_names()


def test_agents_are_listed_with_their_parameters(stageroute: Stageroute) -> None:
    shown = stageroute("agents").out
    assert "stageroute" in shown
    assert "gamma=0.1" in shown


def test_an_installed_agent_that_is_broken_hides_no_other(
    stageroute: Stageroute, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = {
        "broken": EntryPoint("broken", "players:Absent", agents.GROUP),
        "even": EntryPoint("even", "players:Even", agents.GROUP),
    }
    others = plugins.installed
    monkeypatch.setattr(
        plugins, "installed", lambda group: installed if group == agents.GROUP else others(group)
    )
    shown = stageroute("agents").out
    assert "share=0.5" in shown
    assert "one that can be loaded" in " ".join(shown.split())
    refused = stageroute("leaderboard", "--agents", "even,broken")
    assert refused.code == 2
    assert refused.err.startswith("error: agent = 'broken'")


def test_an_installed_scenario_that_is_broken_hides_no_other(
    stageroute: Stageroute, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = EntryPoint("broken", "players:Even", scenarios.registry.GROUP)
    monkeypatch.setattr(
        plugins,
        "installed",
        lambda group: {"broken": broken} if group == broken.group else {},
    )
    reason = "scenario = 'broken': expected a Scenario, which players:Even is not"
    shown = stageroute("scenarios")
    assert shown.code == 0
    assert "routerbench" in shown.out
    assert reason in " ".join(shown.out.split())
    listed = stageroute("scenarios", "--json")
    assert len(json.loads(listed.out)["scenarios"]) > 10
    assert listed.err.strip() == reason


def test_run_prints_the_books(stageroute: Stageroute) -> None:
    outcome = stageroute("run", "players:Even", "--seeds", "3,5", *SHORT)
    assert outcome.code == 0
    rows = [line.split() for line in outcome.out.splitlines() if line.strip()[:1].isdigit()]
    # Two episodes, and the three stages of the first.
    assert [row[0] for row in rows] == ["3", "5", "1", "2", "3"]
    assert "±" in outcome.out
    assert "stages of seed 3" in outcome.out
    assert "%, " in outcome.out


@pytest.mark.slow
def test_entries_with_parameters_and_labels(stageroute: Stageroute) -> None:
    agents = "players:Even(share=0.25),half = players:Even( share = 0.5 ),players:Even"
    given = ["--agents", agents, "--scenario", "routerbench", *SHORT, "--seeds", "1"]
    assert stageroute("leaderboard", *given, "--jobs", "2").code == 0
    results = pl.read_parquet("results/results.parquet")
    labels = ["half", "players:Even", "players:Even(share=0.25)"]
    assert results["entry"].to_list() == labels
    assert results["agent_parameters"].to_list() == ['{"share": 0.5}', "{}", '{"share": 0.25}']
    assert stageroute("run", "players:Even(share=0.25)", *SHORT).code == 0


@pytest.mark.slow
def test_a_folder_with_brackets(stageroute: Stageroute) -> None:
    given = ["--agents", "players:Even", "--scenario", "routerbench", *SHORT, "--seeds", "1"]
    outcome = stageroute("leaderboard", *given, "--jobs", "1", "--out", "r[1]")
    assert outcome.code == 0, outcome.err
    names = ["results.parquet", "stages.parquet", "timings.parquet", "leaderboard.json"]
    for name in (*names, "leaderboard.md"):
        assert f"r[1]/{name}" in outcome.out
        assert (Path("r[1]") / name).is_file()


def test_signs_that_the_terminal_lacks_are_shown_as_question_marks(
    process: Callable[..., subprocess.Popen[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUTF8", "0")
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    given = ["\u6a21[high]=players:Even", *SHORT]
    done = process("run", *given, cwd=tmp_path)
    out, err = done.communicate(timeout=120)
    assert done.returncode == 0, err
    assert "?[high] on routerbench" in out


@pytest.mark.slow
def test_without_docstrings(tmp_path: Path) -> None:
    program = "import sys; from stageroute_gym.cli import main; main()"
    command = [sys.executable, "-OO", "-c", program, "run", "uniform", *SHORT]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "uniform on routerbench" in done.stdout
    command = [sys.executable, "-OO", "-c", program, "run", "--help"]
    helped = subprocess.run(command, capture_output=True, text=True, check=True)
    shown = " ".join(helped.stdout.replace("│", " ").split())
    assert all(text.partition(" ")[0] in shown for text in HELP.values())
    assert "Largest share of the queries" in shown


def test_every_field_of_the_problem_has_its_help() -> None:
    assert list(HELP) == list(Problem.field_names())


def test_options_of_the_workload(stageroute: Stageroute) -> None:
    given = ["--set", "features=task", "--set", "num_queries=200", *SHORT]
    assert stageroute("run", "players:Even", *given).code == 0


@pytest.mark.slow
def test_leaderboard_prints_the_table_and_names_its_files(stageroute: Stageroute) -> None:
    agents = ["--agents", "players:Even,players:Dear", "--agent", "players:Shares"]
    common = ["leaderboard", *agents, "--scenario", "routerbench", *SHORT, "--jobs", "1"]
    outcome = stageroute(*common, "--seeds", "2", "--out", "board")
    assert outcome.code == 0, outcome.err
    assert "routerbench v" in outcome.out
    assert ": 200 queries" in outcome.out
    assert "score / horizon oracle" in outcome.out
    for name in ("results.parquet", "timings.parquet", "leaderboard.json", "leaderboard.md"):
        assert str(Path("board") / name) in outcome.out
        assert (Path("board") / name).is_file()
    results = pl.read_parquet("board/results.parquet")
    assert results["entry"].unique().sort().to_list() == [
        "players:Dear",
        "players:Even",
        "players:Shares",
    ]

    before = {path: path.read_bytes() for path in Path("board").rglob("*") if path.is_file()}
    refused = stageroute(*common, "--seeds", "2", "--out", "board")
    assert refused.code == 2
    assert "--overwrite" in refused.err
    assert {p: p.read_bytes() for p in Path("board").rglob("*") if p.is_file()} == before
    assert stageroute(*common, "--seeds", "3", "--out", "board", "--overwrite").code == 0
    assert len(pl.read_parquet("board/results.parquet")) == 9


@pytest.mark.slow
def test_overspending_is_marked(stageroute: Stageroute) -> None:
    soft = ["--budget-rule", "soft", "--budget", "1e-5", "--jobs", "1"]
    outcome = stageroute(
        *("leaderboard", "--agents", "players:Even", "--scenario", "routerbench"), *SHORT, *soft
    )
    assert "(!) spent more than the budget" in outcome.out
    assert outcome.out.count("(!)") == 2


@pytest.mark.slow
def test_a_failing_agent_is_reported_at_the_end(stageroute: Stageroute) -> None:
    agents = ["--agents", "players:Raises,players:Even", "--seeds", "2", "--jobs", "1"]
    outcome = stageroute("leaderboard", *agents, "--scenario", "routerbench", *SHORT)
    assert outcome.code == 1
    assert outcome.err.strip().splitlines()[-2:] == [
        "error: agent players:Raises on scenario routerbench: RuntimeError: out of ideas",
        "what has finished is kept in results; --resume runs only what failed",
    ]
    assert "players:Even" in outcome.out
    assert len(pl.read_parquet("results/results.parquet")) == 2


def test_data_check_and_convert(stageroute: Stageroute) -> None:
    Path("data.csv").write_text(
        "query_id,task,score:a,cost:a,score:b,cost:b\n1,t,0.5,0.1,1,0.2\n2,u,0.25,0.1,0,0.2\n"
    )
    checked = stageroute("data", "check", "data.csv")
    assert checked.code == 0
    assert "2 queries, wide layout" in checked.out
    assert "no problems" in checked.out
    assert stageroute("data", "convert", "data.csv", "long.parquet", "--layout", "long").code == 0
    assert len(pl.read_parquet("long.parquet")) == 4
    refused = stageroute("data", "convert", "data.csv", "long.parquet")
    assert refused.code == 2
    assert "--overwrite" in refused.err
    assert len(pl.read_parquet("long.parquet")) == 4


def test_data_check_prints_all_problems(stageroute: Stageroute) -> None:
    Path("data.csv").write_text(
        "query_id,task,score:a,cost:a\n1,t,1.5,0.1\n1,t,0.5,-0.1\n3,t,0.5,\n"
    )
    outcome = stageroute("data", "check", "data.csv")
    assert outcome.code == 1
    assert outcome.err.count("problem: ") == 3
    assert "data.csv: 3 problems" in outcome.err


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5e-4", 5e-4),
        ("10", 10),
        ("hard", "hard"),
        ("0.4,0.5", [0.4, 0.5]),
        ("[0, 5]", [0, 5]),
        ("a,b", ["a", "b"]),
        ("null", None),
        ("1.", 1.0),
    ],
)
def test_values_from_text(text: str, value: object) -> None:
    assert parse_value(text) == value


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("3", [0, 1, 2]), ("5:8", [5, 6, 7]), ("0,3,5", [0, 3, 5]), ("7,", [7])],
)
def test_seeds_from_text(text: str, seeds: list[int]) -> None:
    assert list(parse_seeds(text)) == seeds
