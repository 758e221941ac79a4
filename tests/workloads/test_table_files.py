from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import polars as pl
import pytest

from stageroute_gym.errors import FieldError
from stageroute_gym.workloads import Recorded, check_file, read_outcomes
from stageroute_gym.workloads.release_list import read_calendar

DATA = Path(__file__).parents[1] / "data"
EXPECTED = {
    "query_id": ["q1", "q2"],
    "task": ["law", "art"],
    "score:a": [1.0, 0.5],
    "cost:a": [0.25, 1e-4],
}
COMMAS = "query_id,task,score:a,cost:a\nq1,law,1,0.25\nq2,art,0.5,1e-4\n"
DIALECTS = {
    "semicolons": (COMMAS.replace(",", ";"), "separated by semicolons"),
    "tabs": (COMMAS.replace(",", "\t"), "separated by tabs"),
    "bars": (COMMAS.replace(",", "|"), "separated by bars"),
    "decimal": (COMMAS.replace(",", ";").replace(".", ","), "decimal commas are read as points"),
    "quoted": (COMMAS.replace("0.25", '"0,25"').replace("0.5", '"0,5"'), "decimal commas"),
    "header": (COMMAS.replace(",task", ", task ").replace(",score", ", score"), "blanks around"),
    "cells": (COMMAS.replace(",0.25", ", 0.25"), None),
    "mark": ("\N{ZERO WIDTH NO-BREAK SPACE}" + COMMAS, None),
    "windows": (COMMAS.replace("\n", "\r\n"), None),
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("packed", [False, True])
def test_every_dialect_is_read_alike(tmp_path, dialect, packed):
    text, remark = DIALECTS[dialect]
    path = tmp_path / ("outcomes.csv.gz" if packed else "outcomes.csv")
    content = text.encode()
    path.write_bytes(gzip.compress(content) if packed else content)
    report = check_file(path)
    assert report.problems == ()
    assert read_outcomes(path).to_dict(as_series=False) == EXPECTED
    assert (remark is None) == (report.remarks == ())
    assert remark is None or any(remark in words for words in report.remarks)


@pytest.mark.parametrize("name", ["outcomes.jsonl", "outcomes.ndjson", "outcomes.jsonl.gz"])
def test_json_lines(tmp_path, name):
    content = pl.DataFrame(EXPECTED).write_ndjson().encode()
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    assert read_outcomes(path).to_dict(as_series=False) == EXPECTED


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_path_with_brackets_is_that_file(tmp_path, ending):
    def write(name, score):
        path = tmp_path / f"{name}.{ending}"
        frame = pl.DataFrame({"query_id": ["q"], "task": ["t"], "score:a": [score], "cost:a": [1]})
        with path.open("wb") as stream:
            frame.write_csv(stream) if ending == "csv" else frame.write_parquet(stream)
        return path

    bracketed = write("answers[1]", 1.0)
    assert read_outcomes(bracketed)["score:a"].to_list() == [1.0]
    write("answers1", 0.0)
    assert read_outcomes(bracketed)["score:a"].to_list() == [1.0]
    assert check_file(bracketed).models[0].mean_score == 1.0
    assert Recorded(data=str(bracketed)).outcomes().score[0, 0] == 1.0
    with pytest.raises(FieldError, match="an existing file"):
        read_outcomes(tmp_path / f"*.{ending}")
    dates = tmp_path / "models[2].csv"
    dates.write_text("model,date\na,2024-01-01\n")
    assert read_calendar(str(dates), ("a",))[0] == ("a",)


def faulty(folder):
    folder.joinpath("folder.csv").mkdir()
    yield folder / "folder.csv", "a file; this is a folder"
    torn = folder / "torn.csv.gz"
    torn.write_bytes(gzip.compress(COMMAS.encode())[:-9])
    yield torn, "a whole gzip file"
    twice = folder / "twice.csv"
    twice.write_text("query_id,task, task ,score:a,cost:a\nq,t,u,1,1\n")
    yield twice, "column = 'task': expected a name given only once, blanks around it aside"
    broken = folder / "broken.jsonl"
    broken.write_text('{"query_id": "q",\n')
    yield broken, "a readable jsonl file"
    other = folder / "names.csv"
    other.write_text("request_id,task,score:a,cost:a\nq,t,1,1\n")
    yield other, "`stageroute data convert --columns query_id=THAT` renames one"
    log = folder / "log.csv"
    rows = "".join(f"q{place},t,{'ab'[place % 2]},1,0.1\n" for place in range(4812))
    log.write_text("query_id,task,model,score,cost\n" + rows)
    yield log, "rows = 4812: expected a row for each of the 2 models on every query; 4,812 queries"


def test_a_gateways_log_is_sent_to_the_commands_for_logs(tmp_path):
    path = tmp_path / "spend.csv"
    path.write_text("request_id,startTime,model,spend\nr,2026-05-01T00:00:00Z,a,0.1\n")
    with pytest.raises(FieldError, match=r"'startTime'.*advise, replay and --scenario logged"):
        read_outcomes(path)


def test_what_cannot_be_read_says_why_and_what_to_do(tmp_path):
    for path, words in faulty(tmp_path):
        (problem,) = check_file(path).problems
        assert words in problem
        with pytest.raises(FieldError) as caught:
            read_outcomes(path)
        assert str(caught.value) == problem


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_a_date_or_a_time_of_a_parquet_file_is_a_release_date(tmp_path, unit):
    days = pl.Series(["2024-03-01", "2024-01-15"]).str.to_date()
    for column in (days, days.cast(pl.Datetime(unit)), days.cast(pl.Datetime(unit, "UTC"))):
        path = tmp_path / "models.parquet"
        pl.DataFrame({"model": ["a", "b"], "release_date": column}).write_parquet(path)
        order, numbers, _ = read_calendar(str(path), ("a", "b"))
        assert order == ("b", "a")
        assert numbers[1] - numbers[0] == 46


def test_the_committed_sample_is_without_fault(tmp_path):
    report = check_file(DATA / "outcomes.csv")
    assert (report.problems, report.rows, len(report.models)) == ((), 24, 6)
    copied = shutil.copy(DATA / "models.csv", tmp_path / "models.csv")
    assert read_calendar(copied, ("elm-pro", "acorn-small"))[0] == ("acorn-small", "elm-pro")
