from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.leaderboard import Leaderboard, run_leaderboard
from stageroute_gym.evaluation.settings import Settings, Task
from stageroute_gym.evaluation.storage import ResultsFolder

SHORT: dict[str, Any] = {"horizon": 200, "num_stages": 3}
AGENTS = ["players:Even", "players:Shares", "players:Dear"]


def settings(**changes: Any) -> Settings:
    given: dict[str, Any] = {
        "agents": AGENTS,
        "scenarios": ["routerbench", "routerbench-tight"],
        "seeds": [0, 1],
        **SHORT,
        **changes,
    }
    return Settings.checked(**given)


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Leaderboard]:
    out = tmp_path_factory.mktemp("leaderboard") / "out"
    return out, run_leaderboard(settings(), out, jobs=1)


@pytest.mark.slow
def test_results_are_the_same_to_the_byte_at_every_run_and_for_any_number_of_jobs(
    finished: tuple[Path, Leaderboard], tmp_path: Path
) -> None:
    out, board = finished
    for name, jobs in (("again", 1), ("parallel", 2)):
        other = run_leaderboard(settings(), tmp_path / name, jobs=jobs)
        assert other.summary == board.summary
        for file in ("results.parquet", "leaderboard.json", "settings.json"):
            assert (tmp_path / name / file).read_bytes() == (out / file).read_bytes(), file


def test_one_row_an_episode_sorted_and_a_timing_a_task(finished: tuple[Path, Leaderboard]) -> None:
    out, board = finished
    rows = pl.read_parquet(out / "results.parquet")
    assert len(rows) == 3 * 2 * 2
    assert rows.equals(rows.sort("scenario", "agent", "seed"))
    assert rows["budget"].unique().sort().to_list() == [1e-4, 5e-4]
    timings = pl.read_parquet(out / "timings.parquet")
    assert len(timings) == 6
    assert {"finished_at", "machine", "agent_microseconds"} <= set(timings.columns)
    assert [path.name for path in board.files] == [
        "results.parquet",
        "timings.parquet",
        "leaderboard.json",
        "leaderboard.md",
    ]
    assert all(path.is_file() for path in board.files)


def test_the_tables_hold_what_the_summary_does(finished: tuple[Path, Leaderboard]) -> None:
    out, board = finished
    summary = json.loads((out / "leaderboard.json").read_text())
    assert summary == board.summary
    tables = board.tables
    assert len(tables) == 4
    best = summary["scenarios"]["routerbench"]["ranking"][0]
    assert tables[0].title.startswith("routerbench v")
    assert tables[0].rows[0][:2] == ("1", best["agent"])
    assert f"{best['score_over_horizon_oracle']['mean']:.3f}" in tables[0].rows[0][2]
    second = summary["scenarios"]["routerbench"]["ranking"][1]
    assert tables[0].rows[0][3] == "-"
    assert tables[0].rows[1][3].startswith(f"{second['behind_first']['mean']:.3f} ± ")
    assert tables[-1].columns == ("scenario", "stage", "pool", "horizon", "task", "query")
    for scenario, *shown in tables[-1].rows:
        values = summary["oracles"][scenario]
        assert shown == [f"{value / values['horizon']:.3f}" for value in values.values()]
        assert values["horizon"] < values["task"] < values["query"]
    text = (out / "leaderboard.md").read_text()
    for table in tables:
        for row in table.rows:
            assert f"| {' | '.join(row)} |" in text


def test_a_query_oracle_that_is_too_large_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = settings(agents=AGENTS[:1], scenarios=["routerbench"], seeds=[0])
    # 200 queries, nearly all of them other rows of the table, and 11 models.
    for limit, there in ((2_200, True), (1_000, False)):
        monkeypatch.setattr("stageroute_gym.evaluation.leaderboard.MOST_QUERY_VARIABLES", limit)
        board = run_leaderboard(chosen, tmp_path / str(limit), jobs=1)
        assert (board.summary["oracles"]["routerbench"]["query"] is not None) == there
        assert (board.tables[-1].rows[0][-1] == "-") != there


@pytest.mark.parametrize("left", ["results.parquet", "settings.json", "episodes/x.parquet"])
def test_a_folder_with_results_is_refused_untouched(tmp_path: Path, left: str) -> None:
    (tmp_path / left).parent.mkdir(exist_ok=True)
    (tmp_path / left).write_text("dear to me")
    before = contents(tmp_path)
    with pytest.raises(FieldError, match="--overwrite") as caught:
        run_leaderboard(settings(), tmp_path)
    assert caught.value.field == "out"
    assert contents(tmp_path) == before


def test_overwriting_removes_a_leaderboard_and_nothing_else(
    finished: tuple[Path, Leaderboard], tmp_path: Path
) -> None:
    (tmp_path / "episodes").mkdir()
    (tmp_path / "episodes" / "old--agent.parquet").write_text("old")
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "results.parquet").write_text("old")
    run_leaderboard(settings(), tmp_path, jobs=1, overwrite=True)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert not (tmp_path / "episodes" / "old--agent.parquet").exists()
    results = (finished[0] / "results.parquet").read_bytes()
    assert (tmp_path / "results.parquet").read_bytes() == results


def test_an_agent_that_raises_takes_nobody_along(
    finished: tuple[Path, Leaderboard], tmp_path: Path
) -> None:
    chosen = settings(agents=["players:Raises", *AGENTS])
    board = run_leaderboard(chosen, tmp_path, jobs=1)
    assert [(f.scenario, f.agent) for f in board.failures] == [
        ("routerbench", "players:Raises"),
        ("routerbench-tight", "players:Raises"),
    ]
    assert board.failures[0].error == "RuntimeError: out of ideas"
    assert "in predict" in board.failures[0].details
    assert board.summary["failures"][0]["error"] == "RuntimeError: out of ideas"
    results = pl.read_parquet(tmp_path / "results.parquet")
    assert results.equals(pl.read_parquet(finished[0] / "results.parquet"))


def test_an_agent_that_says_what_does_not_fit_leaves_no_traceback(tmp_path: Path) -> None:
    board = run_leaderboard(settings(agents=["players:Refuses", AGENTS[0]]), tmp_path, jobs=1)
    failure = board.failures[0]
    assert failure.error == str(FieldError("number of models", 11, "3, as in its training"))
    assert failure.details == ""


def test_a_leaderboard_on_which_all_fail_says_so(tmp_path: Path) -> None:
    board = run_leaderboard(settings(agents=["players:Raises"]), tmp_path, jobs=1)
    assert len(board.failures) == 2
    assert [path.name for path in board.files] == ["leaderboard.json"]


def test_resuming_runs_what_is_missing_only(
    finished: tuple[Path, Leaderboard], tmp_path: Path
) -> None:
    out, _ = finished
    folder = ResultsFolder(tmp_path)
    folder.prepare(settings().to_dict(), resume=False)
    kept = sorted((out / "episodes").iterdir())
    for path in kept[:6]:
        (tmp_path / "episodes" / path.name).write_bytes(path.read_bytes())
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "episodes").iterdir()}
    run_leaderboard(settings(), tmp_path, jobs=1, resume=True)
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "episodes").iterdir()}
    assert len(after) == len(kept)
    assert {name: after[name] for name in before} == before
    for file in ("results.parquet", "leaderboard.json"):
        assert (tmp_path / file).read_bytes() == (out / file).read_bytes()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"seeds": [0, 1, 2]}, "settings.seeds"),
        ({"agents": AGENTS[:2]}, "settings.agents"),
        ({"budget": 3e-4}, "settings.scenarios.routerbench.problem.budget"),
        ({"scenarios": ["routerbench"]}, "settings.scenarios"),
        ({"env_id": "StageRoute-v0"}, "settings.env_id"),
    ],
)
def test_resuming_with_other_settings_names_the_difference(
    finished: tuple[Path, Leaderboard], changes: dict[str, Any], field: str
) -> None:
    before = contents(finished[0])
    with pytest.raises(FieldError) as caught:
        run_leaderboard(settings(**changes), finished[0], resume=True)
    assert caught.value.field == field
    assert contents(finished[0]) == before


def test_resuming_needs_a_leaderboard_and_excludes_overwriting(tmp_path: Path) -> None:
    with pytest.raises(FieldError, match="a leaderboard to resume"):
        run_leaderboard(settings(), tmp_path / "new", resume=True)
    with pytest.raises(FieldError, match="not both"):
        run_leaderboard(settings(), tmp_path, resume=True, overwrite=True)
    (tmp_path / "settings.json").write_text("{")
    with pytest.raises(FieldError, match="a readable settings"):
        run_leaderboard(settings(), tmp_path, resume=True)
    assert not (tmp_path / "new").exists()


def test_a_recorded_file_that_changed_is_a_difference(tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    header = "query_id,task,score:a,cost:a\n"
    data.write_text(f"{header}1,t,0.5,0.001\n2,t,0.75,0.002\n")
    common: dict[str, Any] = {
        "agents": ["players:Even"],
        "scenarios": ["recorded"],
        "data": str(data),
        "max_deployed": 1,
        "throughput": 1.0,
        "budget": 0.01,
        "initial_models": 1,
    }
    run_leaderboard(settings(**common), tmp_path / "out", jobs=1)
    data.write_text(f"{header}1,t,0.25,0.001\n2,t,0.75,0.002\n")
    with pytest.raises(FieldError) as caught:
        run_leaderboard(settings(**common), tmp_path / "out", resume=True)
    assert caught.value.field == "settings.scenarios.recorded.files.data"


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("agent", {"agents": []}),
        ("agent", {"agents": ["players:Even", "players:Even"]}),
        ("agent", {"agents": ["players:Odd"]}),
        ("scenario", {"scenarios": ["routerbench", "routerbench"]}),
        ("scenario", {"scenarios": ["routerbensh"]}),
        ("suite", {"suite": "quick"}),
        ("suite", {"scenarios": None, "suite": "quik"}),
        ("seeds", {"seeds": []}),
        ("env_id", {"env_id": "StageRoute"}),
        ("data", {"scenarios": ["recorded"], "data": "absent.csv"}),
        ("num_stages", {"num_stages": 201}),
    ],
)
def test_bad_settings_are_named(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(FieldError) as caught:
        settings(**changes)
    assert caught.value.field == field


@pytest.mark.parametrize("jobs", [0, -1, 1.5, True])
def test_jobs_are_a_number_of_processes(tmp_path: Path, jobs: Any) -> None:
    with pytest.raises(FieldError, match="jobs"):
        run_leaderboard(settings(), tmp_path / "out", jobs=jobs)
    assert not (tmp_path / "out").exists()


def test_the_suite_brings_its_scenarios_and_seeds() -> None:
    chosen = Settings.checked(agents=["players:Even"], suite="quick")
    assert chosen.scenarios[0].name == "routerbench"
    assert chosen.seeds == tuple(range(10))


def test_tasks_of_similar_names_have_files_of_their_own(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path)
    task = settings().tasks()[0]
    folder.prepare(settings().to_dict(), resume=False)
    twin: Task = dataclasses.replace(task, agent=task.agent.replace(":", "_"))
    folder.keep(task, pl.DataFrame({"a": [1]}), {"b": 1})
    assert folder.finished([task, twin]) == [task]


def test_an_out_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(FieldError, match="this is a file"):
        run_leaderboard(settings(), tmp_path / "out", overwrite=True)
    assert (tmp_path / "out").read_text() == "mine"
