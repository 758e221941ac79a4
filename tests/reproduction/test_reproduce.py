from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from stageroute_gym.errors import FieldError
from stageroute_gym.locking import locked
from stageroute_gym.reproduction.folder import RECORD, ReproductionFolder
from stageroute_gym.reproduction.manifest import chosen_parts, read_manifest
from stageroute_gym.reproduction.markdown import render
from stageroute_gym.reproduction.reproducing import reproduce
from stageroute_gym.reproduction.running import plan

TINY = """
[curves]
title = "Regret at two budgets"
module = "regret"
[curves.full]
scenario = "routerbench"
budgets = [1e-4, 2e-3]
rules = ["hard"]
entries = ["stageroute", "uniform", "oracle"]
tuned = []
drawn = ["stageroute", "uniform"]
seeds = 2
overrides = { horizon = 200, num_stages = 4 }

[shares]
[shares.full]
scenario = "routerbench"
entries = ["stageroute"]
seeds = 2
overrides = { horizon = 200, num_stages = 4 }
"""


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "manifest.toml"
    path.write_text(TINY)
    return path


def kept(folder: Path) -> dict[str, bytes]:
    """All files but those that tell times."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.name != "timings.parquet"
        and "timings" not in path.parts
        and not (path.parent.name == "episodes" and path.suffix == ".json")
    }


@pytest.mark.slow
def test_a_second_run_has_the_same_bytes_and_a_third_runs_nothing(manifest: Path, tmp_path: Path):
    first, second = tmp_path / "first", tmp_path / "second"
    for out in (first, second):
        done = reproduce([], out, manifest=manifest, jobs=1)
        assert done.failures == []
        assert all(path.stat().st_size > 0 for path in done.files)
    assert kept(first) == kept(second)
    assert {"curves/regret.png", "shares/shares.png", "reproduction.html", "RESULTS.md"} <= set(
        kept(first)
    )
    told: list[str] = []
    reproduce([], first, manifest=manifest, jobs=1, tell=told.append)
    assert [line for line in told if "done already" not in line] == []
    assert len(told) == 2

    # What was damaged is run again, from the trials that are still there, to the same bytes.
    (first / "curves" / "curves.parquet").write_bytes(b"")
    told.clear()
    reproduce(["curves"], first, manifest=manifest, jobs=1, tell=told.append)
    assert "finished" in told[-1]
    assert kept(first) == kept(second)

    # Other settings are another run, of that part only.
    manifest.write_text(TINY.replace("2e-3", "1e-3"))
    told.clear()
    reproduce([], first, manifest=manifest, jobs=1, tell=told.append)
    assert ["done already" in line for line in told] == [False, False, True]
    assert render(json.loads((first / "results.json").read_text())) == (
        first / "RESULTS.md"
    ).read_text(encoding="utf-8")


def test_an_unknown_part_is_refused_with_the_nearest_name(manifest: Path, tmp_path: Path):
    with pytest.raises(FieldError, match="'shares', the nearest name"):
        reproduce(["share"], tmp_path / "out", manifest=manifest)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seeds = 2", "seeds = 0", "curves.seeds = 0: expected"),
        ("budgets = [1e-4, 2e-3]", "budgets = [-1.0]", "curves.budget = -1.0: expected"),
        ("seeds = 2", "seeds = 2\nsead = 1", "curves.sead = 1: expected 'seeds', the nearest"),
        ("tuned = []", "", "also tuned"),
        ('"uniform", "oracle"]', '"unifrom"]', "curves.agent = 'unifrom': expected 'uniform'"),
        ("num_stages = 4", "num_stages = 400", "curves.num_stages = 400: expected"),
        ('module = "regret"', 'modul = "regret"', "expected 'module', the nearest name"),
        ('module = "regret"', 'module = "regrets"', "manifest.curves.module = 'regrets': expected"),
        ("budgets = [1e-4, 2e-3]", "budgets = 1e-4", "curves.budgets = 0.0001: expected a list"),
        ("budgets = [1e-4, 2e-3]", "budgets = []", "curves.budgets = (): expected at least one"),
        ('"routerbench"', '["routerbench"]', "curves.scenario = ('routerbench',): expected a text"),
        ("tuned = []", 'tuned = ["nobody"]', "curves.tuned = 'nobody': expected one of"),
        ('["stageroute", "uniform"]\n', '["stagerout"]\n', "curves.drawn = 'stagerout': expected"),
    ],
)
def test_settings_out_of_range_are_refused_before_anything_runs(
    manifest: Path, tmp_path: Path, old: str, new: str, said: str
):
    manifest.write_text(TINY.replace(old, new, 1))
    with pytest.raises(FieldError) as raised:
        reproduce(["curves"], tmp_path / "out", manifest=manifest)
    assert said in str(raised.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("part", "changes", "said"),
    [
        ("ablations", {"without": (("linucb", "linucb"),)}, "a label given only once"),
        ("worlds", {"suite": "quick"}, "a suite of random worlds"),
        ("worlds", {"entries": ("uniform", "oracle"), "against": "uniform"}, "at least two"),
        ("law", {"many_horizon": 10}, "many_horizon = 10"),
        ("law", {"term_slots": (0, 8)}, "term_slots = 0"),
        ("law", {"term_models": (64,)}, "at least two numbers"),
        ("law", {"difficulties": (-1.0,)}, "difficulties = -1.0"),
    ],
)
def test_what_would_fail_at_the_end_is_refused_at_the_start(part, changes, said):
    found = read_manifest(quick=True)[part]
    settings = {**found.settings, **changes}
    with pytest.raises(FieldError, match=said):
        plan([dataclasses.replace(found, settings=settings)])


def test_a_folder_in_use_by_something_else_is_refused(manifest: Path, tmp_path: Path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    with pytest.raises(FieldError, match="an empty or new folder"):
        reproduce([], out, manifest=manifest)
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]
    with (
        locked(tmp_path / "busy", field="out"),
        pytest.raises(FieldError, match="no other run is at work; process"),
    ):
        reproduce([], tmp_path / "busy", manifest=manifest)
    with pytest.raises(FieldError, match="a folder"):
        reproduce([], out / "thesis.txt", manifest=manifest)


def test_a_part_on_recorded_outcomes_needs_a_file_and_a_file_such_a_part(
    manifest: Path, tmp_path: Path
):
    manifest.write_text(TINY.replace("[shares]", "[shares]\nneeds_data = true"))
    parts = read_manifest(manifest)
    assert [part.name for part in chosen_parts(parts, [])] == ["curves"]
    given = chosen_parts(parts, [], "outcomes.csv")[1].settings["overrides"]
    assert given == {"horizon": 200, "num_stages": 4, "data": "outcomes.csv"}
    for names, data, said in (
        (["shares"], None, "a file of recorded outcomes"),
        (["curves"], "outcomes.csv", "a part that reads it among those named: shares"),
        ([], "absent.csv", "shares.argument = .* keyword argument 'data'"),
    ):
        with pytest.raises(FieldError, match=said):
            reproduce(names, tmp_path / "out", manifest=manifest, data=data)
    assert not (tmp_path / "out").exists()


def test_a_quick_run_does_not_go_on_in_the_folder_of_a_full_one(tmp_path: Path):
    ReproductionFolder(tmp_path, quick=False).prepare()
    ReproductionFolder(tmp_path, quick=False).check()
    with pytest.raises(FieldError, match="made without --quick"):
        ReproductionFolder(tmp_path, quick=True).check()


def test_the_shipped_manifest_has_settings_that_its_parts_take():
    for quick in (False, True):
        for part in read_manifest(quick=quick).values():
            assert part.checked() is not None
            assert part.title != part.name
            assert part.about


@pytest.mark.slow
@pytest.mark.parametrize("quick", [False, True])
def test_all_entries_and_scenarios_of_the_shipped_manifest_are_there(quick: bool):
    parts = [part for part in read_manifest(quick=quick).values() if not part.needs_data]
    assert len(plan(parts)) == len(parts)


def test_what_a_part_left_unfinished_is_not_taken_for_done(manifest: Path, tmp_path: Path):
    part = chosen_parts(read_manifest(manifest), ["shares"])[0]
    folder = ReproductionFolder(tmp_path / "out", quick=False)
    folder.prepare()
    folder.begin(part, {"version": "1"})
    assert json.loads((folder.of(part) / RECORD).read_text()) == {"version": "1"}
    assert not folder.is_done(part, {"version": "1"})
    assert folder.read(part) is None
