from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from small_suite import Here

from stageroute_gym import scenarios
from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.backends import LocalProcesses
from stageroute_gym.evaluation.leaderboard import Leaderboard, run_leaderboard
from stageroute_gym.evaluation.oracle_values import oracle_values
from stageroute_gym.evaluation.running import play
from stageroute_gym.evaluation.storage import ResultsFolder
from stageroute_gym.evaluation.trials import LeaderboardSettings, Trial
from stageroute_gym.locking import LOCK, locked
from stageroute_gym.report.board import write_tables
from stageroute_gym.report.tables import report_tables

SHORT: dict[str, Any] = {"horizon": 200, "num_stages": 3}
AGENTS = ["players:Even", "players:Shares", "players:Dear"]


def settings(**changes: Any) -> LeaderboardSettings:
    given: dict[str, Any] = {
        "agents": AGENTS,
        "scenarios": ["routerbench", "routerbench-tight"],
        "seeds": [0, 1],
        **SHORT,
        **changes,
    }
    return LeaderboardSettings.checked(**given)


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
    return out, run_leaderboard(settings(), out, backend=LocalProcesses(1))


@pytest.mark.slow
def test_results_are_the_same_to_the_byte_at_every_run_and_for_any_number_of_jobs(
    finished: tuple[Path, Leaderboard], tmp_path: Path
) -> None:
    out, board = finished
    for name, jobs in (("again", 1), ("parallel", 2)):
        other = run_leaderboard(settings(), tmp_path / name, backend=LocalProcesses(jobs))
        assert other.summary == board.summary
        for file in ("results.parquet", "oracles.parquet", "leaderboard.json", "settings.json"):
            assert (tmp_path / name / file).read_bytes() == (out / file).read_bytes(), file


def test_one_row_an_episode_sorted_and_a_timing_a_trial(
    finished: tuple[Path, Leaderboard],
) -> None:
    out, board = finished
    rows = pl.read_parquet(out / "results.parquet")
    assert len(rows) == 3 * 2 * 2
    assert rows.equals(rows.sort("scenario", "entry", "seed"))
    assert rows["budget"].unique().sort().to_list() == [1e-4, 5e-4]
    timings = pl.read_parquet(out / "timings.parquet")
    assert len(timings) == 6
    assert {"finished_at", "machine", "agent_microseconds"} <= set(timings.columns)
    names = ["results", "stages", "oracles", "timings", "leaderboard"]
    assert [path.stem for path in board.files] == names
    assert all(path.is_file() for path in board.files)


def test_the_stages_add_up_to_the_episodes(finished: tuple[Path, Leaderboard]) -> None:
    rows = pl.read_parquet(finished[0] / "results.parquet")
    stages = pl.read_parquet(finished[0] / "stages.parquet")
    assert len(stages) == 3 * len(rows)
    keys = ["scenario", "entry", "seed"]
    assert stages.equals(stages.sort(*keys, "stage"))
    added = stages.group_by(keys, maintain_order=True).agg(
        pl.col("queries", "served", "declined", "activations").sum(),
        pl.col("score", "oracle_score", "regret", "spend").sum(),
        unserved=(pl.col("declined") + pl.col("unreached")).sum(),
    )
    for name in ("served", "declined", "activations", "unserved"):
        assert added[name].to_list() == rows[name].to_list()
    for name, total in (("score", "score"), ("regret", "regret"), ("spend", "spend")):
        assert added[name].to_list() == pytest.approx(rows[total].to_list(), abs=1e-9)
    assert added["oracle_score"].to_list() == pytest.approx(rows["stage_oracle"].to_list())
    pulls = stages["pulls"].list.sum()
    assert pulls.to_list() == stages["served"].to_list()
    assert stages["deployed"].list.len().equals(stages["pulls"].list.len())
    assert stages["deployed"].list.len().max() == 5


def test_the_tables_hold_what_the_summary_does(finished: tuple[Path, Leaderboard]) -> None:
    out, board = finished
    summary = json.loads((out / "leaderboard.json").read_text())
    assert summary == board.summary
    assert board.timings is not None
    tables = report_tables(board.summary, board.timings)
    assert len(tables) == 4
    best = summary["scenarios"]["routerbench"]["ranking"][0]
    assert tables[0].title.startswith("routerbench v")
    assert tables[0].rows[0][1] == best["entry"]
    assert f"{best['score_over_horizon_oracle']['mean']:.3f}" in tables[0].rows[0][2]
    second = summary["scenarios"]["routerbench"]["ranking"][1]
    assert tables[0].rows[0][3] == "-"
    assert tables[0].rows[1][3].startswith(f"{second['behind_first']['mean']:.3f} ± ")
    assert tables[-1].columns == ("scenario", "stage", "pool", "horizon", "task", "query")
    for scenario, *shown in tables[-1].rows:
        values = summary["oracles"][scenario]
        assert shown == [f"{value / values['horizon']:.3f}" for value in values.values()]
        assert values["horizon"] < values["task"] < values["query"]
    (path,) = write_tables(board, out)
    text = path.read_text()
    for table in tables:
        for row in table.rows:
            assert f"| {' | '.join(row)} |" in text


def test_a_query_oracle_that_is_too_large_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = settings().scenarios[0]
    # 200 queries, nearly all of them other rows of the table, and 11 models.
    for limit, there in ((2_200, True), (1_000, False)):
        monkeypatch.setattr("stageroute_gym.evaluation.oracle_values.MOST_QUERY_VARIABLES", limit)
        assert (oracle_values(scenario, 0)["query"] is not None) == there


@pytest.mark.parametrize("left", ["results.parquet", "settings.json", "episodes/x.parquet"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_with_files_of_others_is_refused_untouched(
    tmp_path: Path, left: str, overwrite: bool
) -> None:
    (tmp_path / left).parent.mkdir(exist_ok=True)
    (tmp_path / left).write_text("dear to me")
    before = contents(tmp_path)
    with pytest.raises(FieldError) as caught:
        run_leaderboard(settings(), tmp_path, overwrite=overwrite)
    assert caught.value.field == "out"
    assert contents(tmp_path) == before


def test_overwriting_removes_a_leaderboard_and_nothing_else(
    finished: tuple[Path, Leaderboard], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished[0], out)
    with pytest.raises(FieldError, match="--overwrite"):
        run_leaderboard(settings(), out)
    mine = {"notes.txt": "mine", "episodes/mydata.parquet": "mine", "episodes/.x.tmp": "mine"}
    for name, text in mine.items():
        (out / name).write_text(text)
    partial = out / "episodes" / ".routerbench--players_Even-aaaa.tmp"
    folder = ResultsFolder(out)
    stem = next(p.stem for p in (out / "episodes").glob("routerbench--players_Even*.json"))
    partial = out / "episodes" / f".{stem}-x1y_z2.tmp"
    partial.write_text("half")
    chosen = settings(agents=AGENTS[:1], scenarios=["routerbench"])
    folder.check(chosen.to_dict(), overwrite=True, resume=False)
    folder.prepare(chosen.to_dict(), resume=False)
    left = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert left == {*mine, "settings.json", LOCK}
    assert {name: (out / name).read_text() for name in mine} == mine


def test_an_agent_that_raises_takes_nobody_along(
    finished: tuple[Path, Leaderboard], tmp_path: Path
) -> None:
    chosen = settings(agents=["players:Raises", *AGENTS])
    board = run_leaderboard(chosen, tmp_path, backend=LocalProcesses(1))
    assert [(f.scenario, f.entry) for f in board.failures] == [
        ("routerbench", "players:Raises"),
        ("routerbench-tight", "players:Raises"),
    ]
    assert board.failures[0].error == "RuntimeError: out of ideas"
    assert "in predict" in board.failures[0].details
    assert board.summary["failures"][0]["error"] == "RuntimeError: out of ideas"
    results = pl.read_parquet(tmp_path / "results.parquet")
    assert results.equals(pl.read_parquet(finished[0] / "results.parquet"))


@pytest.mark.slow
def test_an_agent_that_says_what_does_not_fit_leaves_no_traceback(tmp_path: Path) -> None:
    board = run_leaderboard(
        settings(agents=["players:Refuses", AGENTS[0]]), tmp_path, backend=LocalProcesses(1)
    )
    failure = board.failures[0]
    assert failure.error == str(FieldError("number of models", 11, "3, as in its training"))
    assert failure.details == ""


@pytest.mark.slow
def test_a_leaderboard_on_which_all_fail_says_so(tmp_path: Path) -> None:
    board = run_leaderboard(
        settings(agents=["players:Raises"]), tmp_path, backend=LocalProcesses(1)
    )
    assert len(board.failures) == 2
    assert [path.name for path in board.files] == ["leaderboard.json"]


@pytest.mark.slow
def test_resuming_runs_what_is_missing_only(
    finished: tuple[Path, Leaderboard], tmp_path: Path
) -> None:
    out, _ = finished
    folder = ResultsFolder(tmp_path)
    folder.prepare(settings().to_dict(), resume=False)
    kept = sorted((out / "episodes").iterdir())
    for path in kept[:9]:
        (tmp_path / "episodes" / path.name).write_bytes(path.read_bytes())
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "episodes").iterdir()}
    run_leaderboard(settings(), tmp_path, backend=LocalProcesses(1), resume=True)
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "episodes").iterdir()}
    assert len(after) == len(kept)
    assert {name: after[name] for name in before} == before
    for file in ("results.parquet", "leaderboard.json"):
        assert (tmp_path / file).read_bytes() == (out / file).read_bytes()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"seeds": [0, 1, 2]}, "settings.seeds"),
        ({"agents": AGENTS[:2]}, "settings.entries"),
        ({"budget": 3e-4}, "settings.scenarios.routerbench.problem.budget"),
        ({"scenarios": ["routerbench"]}, "settings.scenarios"),
        ({"env_id": "StageRoute-v0"}, "settings.entries.players:Even.env_id"),
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


@pytest.mark.slow
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
    run_leaderboard(settings(**common), tmp_path / "out", backend=LocalProcesses(1))
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
        run_leaderboard(settings(), tmp_path / "out", backend=LocalProcesses(jobs))
    assert not (tmp_path / "out").exists()


def test_the_suite_brings_its_scenarios_and_seeds() -> None:
    chosen = LeaderboardSettings.checked(agents=["players:Even"], suite="quick")
    assert chosen.scenarios[0].name == "routerbench"
    assert chosen.seeds == tuple(range(10))


def test_trials_of_similar_names_have_files_of_their_own(
    finished: tuple[Path, Leaderboard], tmp_path: Path
) -> None:
    folder = ResultsFolder(tmp_path)
    trial: Trial = settings(agents=AGENTS[:1]).trials()[0]
    folder.prepare(settings().to_dict(), resume=False)
    entry = dataclasses.replace(trial.entry, label=trial.entry.label.replace(":", "_"))
    twin = dataclasses.replace(trial, entry=entry)
    folder.keep(trial, play(trial.entry, trial.scenario, trial.seeds), {})
    assert folder.missing([trial, twin]) == ([twin], [])


def test_a_folder_in_which_another_run_is_at_work_is_left_alone(tmp_path: Path) -> None:
    ResultsFolder(tmp_path).prepare(settings().to_dict(), resume=False)
    with locked(tmp_path, field="out"):
        before = contents(tmp_path)
        for how in ("overwrite", "resume", "add"):
            with pytest.raises(FieldError, match="no other run is at work; process"):
                run_leaderboard(settings(), tmp_path, **{how: True})
        assert contents(tmp_path) == before


def test_an_out_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(FieldError, match="this is a file"):
        run_leaderboard(settings(), tmp_path / "out", overwrite=True)
    assert (tmp_path / "out").read_text() == "mine"


def test_an_empty_out_is_refused() -> None:
    with pytest.raises(FieldError, match="the name of a folder"):
        run_leaderboard(settings(), "")


@pytest.fixture
def copied(finished: tuple[Path, Leaderboard], tmp_path: Path) -> Path:
    """A finished leaderboard that may be changed."""
    shutil.copytree(finished[0], tmp_path / "out")
    return tmp_path / "out"


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-9]),
        lambda path: path.unlink(),
    ],
    ids=["empty", "torn", "gone"],
)
@pytest.mark.parametrize("ending", [".parquet", ".stages.parquet", ".json"])
def test_a_damaged_trial_is_named_and_not_used(
    copied: Path, ending: str, damage: Callable[[Path], object]
) -> None:
    trials = settings().trials()
    folder = ResultsFolder(copied)
    stem = next(p.stem for p in (copied / "episodes").glob("routerbench--players_Dear*.json"))
    damage(copied / "episodes" / f"{stem}{ending}")
    missing, remarks = folder.missing(trials)
    assert [trial.entry.label for trial in missing] == ["players:Dear"]
    (remark,) = remarks
    assert remark.startswith("agent players:Dear on scenario routerbench: episodes/")
    assert f"{stem}{ending}" in remark
    assert remark.endswith("it is run again")


@pytest.mark.slow
def test_a_trial_of_other_code_is_run_again(copied: Path) -> None:
    chosen = settings()
    changed = dataclasses.replace(chosen.entries[0], fingerprint="other")
    chosen = dataclasses.replace(chosen, entries=(changed, *chosen.entries[1:]))
    ResultsFolder(copied).check(chosen.to_dict(), overwrite=False, resume=True)
    board = run_leaderboard(chosen, copied, backend=LocalProcesses(1), resume=True)
    assert board.remarks == [
        f"agent players:Even on scenario {name}: the agent's code or file has changed; "
        "it is run again"
        for name in ("routerbench", "routerbench-tight")
    ]
    kept = json.loads((copied / "settings.json").read_text())
    assert kept["entries"]["players:Even"]["fingerprint"] == "other"


@pytest.mark.slow
def test_whatever_an_agent_does_it_fails_alone_and_by_name(
    finished: tuple[Path, Leaderboard], tmp_path: Path
) -> None:
    names = ("Exits", "Interrupts", "Dies", "NotNumbers", "Hangs")
    worst = [f"players:{name}" for name in names]
    chosen = settings(agents=[*worst, *AGENTS], scenarios=["routerbench"])
    board = run_leaderboard(chosen, tmp_path, backend=LocalProcesses(2, patience=5.0))
    errors = {failure.entry: failure.error for failure in board.failures}
    assert list(errors) == worst
    assert errors["players:Exits"] == "SystemExit: 0"
    assert errors["players:Interrupts"] == "KeyboardInterrupt"
    assert errors["players:Dies"].startswith("its process ended")
    assert "nan" in errors["players:NotNumbers"]
    assert errors["players:Hangs"] == "no decision in 5 seconds: it hangs"
    assert "in predict" in board.failures[-1].details
    results = pl.read_parquet(tmp_path / "results.parquet")
    whole = pl.read_parquet(finished[0] / "results.parquet")
    assert results.equals(whole.filter(pl.col("scenario") == "routerbench"))


@pytest.mark.slow
def test_added_entries_and_seeds_give_the_bytes_of_one_run(
    finished: tuple[Path, Leaderboard], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run_leaderboard(settings(agents=AGENTS[:1], seeds=[1]), out, backend=LocalProcesses(1))
    before = {path.name for path in (out / "episodes").iterdir()}
    further = settings(agents=AGENTS[1:], seeds=[0])
    run_leaderboard(further, out, backend=LocalProcesses(1), add=True)
    assert before < {path.name for path in (out / "episodes").iterdir()}
    for file in ("results.parquet", "stages.parquet", "leaderboard.json", "settings.json"):
        assert (out / file).read_bytes() == (finished[0] / file).read_bytes(), file
    stamps = {path: path.stat().st_mtime_ns for path in (out / "episodes").iterdir()}
    run_leaderboard(settings(), out, backend=LocalProcesses(1), add=True)
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"budget": 3e-4}, "settings.scenarios.routerbench.problem.budget"),
        ({"scenarios": ["routerbench"]}, "settings.scenarios"),
        ({"agents": ["players:Even=players:Dear"]}, "agent"),
    ],
)
def test_adding_to_another_leaderboard_names_the_difference(
    finished: tuple[Path, Leaderboard], changes: dict[str, Any], field: str
) -> None:
    before = contents(finished[0])
    with pytest.raises(FieldError) as caught:
        run_leaderboard(settings(**changes), finished[0], add=True)
    assert caught.value.field == field
    assert contents(finished[0]) == before


@pytest.mark.slow
def test_a_scenario_that_is_an_object_runs_in_several_workers(tmp_path: Path) -> None:
    # Known to nobody by its name, in this process neither.
    mine = dataclasses.replace(scenarios.get("routerbench", **SHORT), name="mine", version=7)
    chosen = LeaderboardSettings.checked(agents=AGENTS[:2], scenarios=[mine], seeds=[0, 1])
    written = []
    for name, backend in (("far", LocalProcesses(2)), ("here", Here())):
        assert not run_leaderboard(chosen, tmp_path / name, backend=backend).failures
        written.append((tmp_path / name / "results.parquet").read_bytes())
    assert written[0] == written[1]
    rows = pl.read_parquet(tmp_path / "far" / "results.parquet")
    assert rows.select("scenario", "scenario_version").unique().rows() == [("mine", 7)]


def test_an_installed_agent_that_is_broken_fails_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "broken_player.py").write_text("raise RuntimeError('half installed')\n")
    package = tmp_path / "broken_player-1.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-player\nVersion: 1\n")
    points = "broken = broken_player:Agent\nuniform = stageroute_agents.uniform:Uniform\n"
    (package / "entry_points.txt").write_text(f"[stageroute.test_agents]\n{points}")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("stageroute_gym.evaluation.agents.GROUP", "stageroute.test_agents")
    chosen = settings(agents=None, scenarios=["routerbench"])
    assert [entry.label for entry in chosen.entries] == ["uniform"]
    reason = "agent = 'broken': expected one that can be loaded; RuntimeError: half installed"
    assert chosen.broken == (("broken", reason),)
    board = run_leaderboard(chosen, tmp_path / "out", backend=Here())
    assert [str(f) for f in board.failures] == [f"agent broken on scenario routerbench: {reason}"]
    assert board.summary["failures"][0]["entry"] == "broken"
    assert len(pl.read_parquet(tmp_path / "out" / "results.parquet")) == 2
    # Asked for by name, it is a wrong input.
    with pytest.raises(FieldError, match="half installed"):
        settings(agents=["uniform,broken"])
