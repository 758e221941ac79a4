from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from small_suite import Here, use_small_suite

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.leaderboard import run_leaderboard
from stageroute_gym.evaluation.merging import merge_leaderboards
from stageroute_gym.evaluation.running import play
from stageroute_gym.evaluation.submissions import (
    MANIFEST,
    Submission,
    read_submission,
    submit,
    write_submission,
)
from stageroute_gym.evaluation.trials import LeaderboardSettings

Members = dict[str, bytes]


@pytest.fixture(autouse=True)
def _suite(monkeypatch: pytest.MonkeyPatch) -> None:
    use_small_suite(monkeypatch)


def submitted(entry: str, path: Path) -> Submission:
    submission = submit(entry, "small", backend=Here())
    assert isinstance(submission, Submission)
    write_submission(submission, path)
    return submission


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "even.submission"
    submitted("players:Even", path)
    return path


def rewritten(path: Path, change: Callable[[Members], None], *, signed: bool = False) -> None:
    """Change the archive's members, and, where ``signed``, make its hashes right again."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    if signed:
        manifest = json.loads(members[MANIFEST])
        manifest["files"] = {n: hashlib.sha256(members[n]).hexdigest() for n in manifest["files"]}
        del manifest["sha256"]
        text = json.dumps(manifest, sort_keys=True)
        manifest["sha256"] = hashlib.sha256(text.encode()).hexdigest()
        members[MANIFEST] = json.dumps(manifest).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def with_manifest(**changes: Any) -> Callable[[Members], None]:
    """A change of what the manifest says; ``a__b`` is the key b in a."""

    def change(members: Members) -> None:
        manifest = json.loads(members[MANIFEST])
        for place, value in changes.items():
            outer, _, inner = place.partition("__")
            if inner:
                manifest[outer][inner.replace("_", "-") if outer == "versions" else inner] = value
            else:
                manifest[outer] = value
        members[MANIFEST] = json.dumps(manifest).encode()

    return change


def with_rows(name: str, **columns: Any) -> Callable[[Members], None]:
    """A change of columns of a table."""

    def change(members: Members) -> None:
        stream = io.BytesIO()
        pl.read_parquet(io.BytesIO(members[name])).with_columns(**columns).write_parquet(stream)
        members[name] = stream.getvalue()

    return change


def without_column(name: str) -> Callable[[Members], None]:
    """A table without what it says of spend."""

    def change(members: Members) -> None:
        stream = io.BytesIO()
        pl.read_parquet(io.BytesIO(members[name])).drop("spend").write_parquet(stream)
        members[name] = stream.getvalue()

    return change


def without_row(members: Members) -> None:
    stream = io.BytesIO()
    pl.read_parquet(io.BytesIO(members["results.parquet"]))[1:].write_parquet(stream)
    members["results.parquet"] = stream.getvalue()


def test_one_file_holds_all_of_it(file: Path, tmp_path: Path) -> None:
    given = submitted("wide=players:Even(share=0.4)", tmp_path / "wide.submission")
    read = read_submission(tmp_path / "wide.submission")
    assert read.manifest() == given.manifest()
    assert read.entry["parameters"] == {"share": 0.4}
    for name in ("episodes", "stages", "timings"):
        assert getattr(read, name).equals(getattr(given, name))
    assert len(read.episodes) == 6
    assert len(read.stages) == 18
    alone = play("players:Even", "small-drift", [2])
    kept = read_submission(file).episodes.filter(scenario="small-drift", seed=2)
    assert kept.equals(alone.episodes)


def test_what_an_agent_writes_over_its_observations_changes_no_books(tmp_path: Path) -> None:
    even = submitted("it=players:Even", tmp_path / "even.submission")
    scribbled = submitted("it=players:Scribbles", tmp_path / "scribbles.submission")
    assert scribbled.stages.equals(even.stages)
    assert scribbled.episodes.drop("agent").equals(even.episodes.drop("agent"))


def test_a_failing_entry_gives_its_failures_and_no_file() -> None:
    failures = submit("players:Raises", "small", backend=Here())
    assert isinstance(failures, list)
    assert [str(failure) for failure in failures] == [
        f"agent players:Raises on scenario {name}: RuntimeError: out of ideas"
        for name in ("small", "small-drift")
    ]


@pytest.mark.parametrize("part", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_refused(file: Path, part: float) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(FieldError, match="truncated or damaged") as caught:
        read_submission(file)
    assert caught.value.field == "file"


def test_no_byte_can_change_unseen(file: Path) -> None:
    whole = file.read_bytes()
    with zipfile.ZipFile(file) as archive:
        # Dates and the like in the archive's own headers decide nothing.
        spans = [(i.header_offset + 30 + len(i.filename), i.file_size) for i in archive.infolist()]
    for start, size in spans:
        for place in range(start, start + size, max(1, size // 10)):
            changed = bytearray(whole)
            changed[place] ^= 1
            file.write_bytes(changed)
            with pytest.raises(FieldError):
                read_submission(file)


@pytest.mark.parametrize(
    ("change", "signed", "message"),
    [
        (lambda members: members.pop("stages.parquet"), False, "none, or it is truncated"),
        (lambda members: members.update({MANIFEST: b"{"}), False, "submission.json or a table"),
        (lambda members: members.update({MANIFEST: b"[]"}), False, "submission.json or a table"),
        (with_manifest(format=2), True, "format = 2: expected 1, .* a newer stageroute-gym"),
        (with_manifest(format="x"), True, "format = 'x'"),
        (with_manifest(versions__stageroute_gym="99.1"), True, "install stageroute-gym 99.1"),
        (with_manifest(suite__name="smal"), True, "suite = 'smal': expected 'small'"),
        (with_manifest(suite__version=2), True, "version of the suite = 2: expected 1"),
        (with_manifest(suite__sha256="0"), True, "a foreign suite"),
        (with_manifest(entry__label="other"), False, "changed since: submission.json"),
        (with_manifest(entry__label="other"), True, "entry of small, seed 0 = 'players:Even'"),
        (with_manifest(entry__kind=None), True, "entry.kind = None"),
        (with_rows("results.parquet", score=pl.lit(1.0)), False, "since: results.parquet"),
        (with_rows("results.parquet", score=pl.col("score") + 1), True, "what the others come to"),
        (
            with_rows("results.parquet", horizon=pl.lit(9, pl.Int64)),
            True,
            "horizon of small, seed 0 = 9",
        ),
        (with_rows("results.parquet", horizon_oracle=pl.lit(1.0)), True, "horizon_oracle of"),
        (with_rows("results.parquet", extra=pl.lit(9)), True, r"column of episodes = 'extra"),
        (with_rows("results.parquet", score=pl.lit("x")), True, r"episodes = 'score \(String\)'"),
        (without_column("results.parquet"), True, "column of episodes = 'no spend': expected"),
        (without_column("stages.parquet"), True, "column of stages = 'no spend': expected"),
        (with_rows("timings.parquet", cores=pl.lit("x")), True, "column of timings = 'cores"),
        (with_rows("timings.parquet", entry=pl.lit("x")), True, "timings.parquet = .* by players:"),
        (with_rows("stages.parquet", entry=pl.lit("x")), True, "stages.parquet = .* by players:"),
        (with_rows("results.parquet", regret=pl.lit(0.0)), True, "regret of .* over its stages"),
        (with_rows("stages.parquet", spend=pl.lit(0.0)), True, "spend of .* over its stages"),
        (with_rows("stages.parquet", pulls=pl.lit([300])), True, "as many as were served"),
        (
            with_rows("stages.parquet", stage=pl.lit(0, pl.Int64)),
            True,
            "each stage of each episode once",
        ),
        (without_row, True, "each of the suite's scenarios and seeds once"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused_with_the_reason(
    file: Path, change: Callable[[Members], None], signed: bool, message: str
) -> None:
    rewritten(file, change, signed=signed)
    with pytest.raises(FieldError, match=message):
        read_submission(file)


def test_a_score_beyond_the_queries_served_is_refused(file: Path) -> None:
    submission = read_submission(file)
    factor = 301.0 / submission.episodes["score"].min()
    with pytest.raises(FieldError, match=r"score of small, seed 0 = .*: expected 0 to "):
        write_and_read(scaled(submission, factor), file)


def scaled(submission: Submission, factor: float) -> Submission:
    """The submission with all scores multiplied, whatever follows from them too."""
    of_score = ("score", "score_per_query", "score_over_horizon_oracle", "score_over_stage_oracle")
    return dataclasses.replace(
        submission,
        episodes=submission.episodes.with_columns(pl.col(of_score) * factor),
        stages=submission.stages.with_columns(pl.col("score") * factor),
    )


def write_and_read(submission: Submission, path: Path) -> Submission:
    write_submission(submission, path)
    return read_submission(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FieldError, match=r"none\.submission.*No such file"):
        read_submission(tmp_path / "none.submission")


@pytest.mark.slow
def test_submissions_are_ranked_as_a_leaderboard_is(tmp_path: Path) -> None:
    paths = []
    for name in ("Even", "Dear"):
        paths.append(tmp_path / f"{name}.submission")
        submitted(f"players:{name}", paths[-1])
    merged = merge_leaderboards(paths, tmp_path / "merged")
    assert [remark.partition(":")[0] for remark in merged.remarks] == [str(p) for p in paths]
    settings = LeaderboardSettings.checked(agents=["players:Even", "players:Dear"], suite="small")
    whole = run_leaderboard(settings, tmp_path / "whole", backend=Here())
    for name in ("results.parquet", "stages.parquet", "oracles.parquet"):
        written = [(tmp_path / folder / name).read_bytes() for folder in ("merged", "whole")]
        assert written[0] == written[1]
    assert merged.summary["scenarios"] == whole.summary["scenarios"]
    assert merged.summary["oracles"] == whole.summary["oracles"]
    # A submission joins a leaderboard.
    board = LeaderboardSettings.checked(agents=["players:Even"], suite="small")
    run_leaderboard(board, tmp_path / "board", backend=Here())
    joined = merge_leaderboards([tmp_path / "board", paths[1]], tmp_path / "joined")
    assert joined.summary["scenarios"] == whole.summary["scenarios"]
