from __future__ import annotations

import polars as pl
import pytest

from stageroute_gym.errors import FieldError
from stageroute_gym.workloads import check_file, read_outcomes

WIDE = {
    "query_id": ["q1", "q2", "q3"],
    "task": ["law", "law", "maths"],
    "score:a": [0.0, 1.0, 0.5],
    "cost:a": [1e-4, 2e-4, 3e-4],
    "score:b": [1.0, 1.0, 1.0],
    "cost:b": [0.0, 2e-3, 4e-3],
}
LONG = {
    "query_id": ["q1", "q1", "q2", "q2"],
    "task": ["law", "law", "maths", "maths"],
    "model": ["a", "b", "b", "a"],
    "score": [0.0, 1.0, 0.5, 0.25],
    "cost": [1e-4, 2e-4, 3e-4, 4e-4],
}
ENDINGS = ["parquet", "csv"]


def write(folder, columns, ending="parquet"):
    path = folder / f"outcomes.{ending}"
    frame = pl.DataFrame(columns, strict=False)
    frame.write_parquet(path) if ending == "parquet" else frame.write_csv(path)
    return path


def without(columns, *names):
    return {name: cells for name, cells in columns.items() if name not in names}


@pytest.mark.parametrize("ending", ENDINGS)
def test_wide(tmp_path, ending):
    path = write(tmp_path, WIDE | {"weight": [1, 2, 3], "sample": ["x", "y", "z"]}, ending)
    frame = read_outcomes(path)
    assert frame.to_dict(as_series=False) == WIDE | {
        "weight": [1.0, 2.0, 3.0],
        "sample": ["x", "y", "z"],
    }
    assert all(frame[name].dtype == pl.Float64 for name in frame.columns if ":" in name)


@pytest.mark.parametrize("ending", ENDINGS)
def test_long(tmp_path, ending):
    frame = read_outcomes(write(tmp_path, LONG | {"weight": [2, 2, 5, 5]}, ending))
    assert frame.to_dict(as_series=False) == {
        "query_id": ["q1", "q2"],
        "task": ["law", "maths"],
        "weight": [2.0, 5.0],
        "score:a": [0.0, 0.25],
        "cost:a": [1e-4, 4e-4],
        "score:b": [1.0, 0.5],
        "cost:b": [2e-4, 3e-4],
    }


@pytest.mark.parametrize("ending", ENDINGS)
def test_routerbench_export(tmp_path, ending):
    columns = {
        "sample_id": ["mmlu.1", "mbpp.2"],
        "prompt": ["Why?\nAnd, how?", 'Say "x"'],
        "eval_name": ["mmlu", "mbpp"],
        "gpt-4": [1.0, 0.0],
        "claude": [0.25, 1.0],
        "gpt-4|model_response": ["a", "b"],
        "gpt-4|total_cost": [0.01, 0.02],
        "claude|model_response": ["c", "d"],
        "claude|total_cost": [0.03, 0.04],
        "oracle_model_to_route_to": ["gpt-4", "claude"],
    }
    frame = read_outcomes(write(tmp_path, columns, ending))
    assert frame.to_dict(as_series=False) == {
        "query_id": ["mmlu.1", "mbpp.2"],
        "task": ["mmlu", "mbpp"],
        "score:gpt-4": [1.0, 0.0],
        "score:claude": [0.25, 1.0],
        "cost:gpt-4": [0.01, 0.02],
        "cost:claude": [0.03, 0.04],
    }
    with pytest.raises(FieldError, match=r"'gpt-4\|total_cost': expected a column 'gpt-4' with it"):
        read_outcomes(write(tmp_path, without(columns, "gpt-4"), ending))
    with pytest.raises(FieldError, match="column eval_name = None"):
        read_outcomes(write(tmp_path, without(columns, "eval_name"), ending))


def test_names_of_a_csv_stay_text(tmp_path):
    path = tmp_path / "outcomes.csv"
    path.write_text("query_id,task,score:a,cost:a\n007,1,1,1\n7,01,0,1\n")
    frame = read_outcomes(path)
    assert frame["query_id"].to_list() == ["007", "7"]
    assert frame["task"].to_list() == ["1", "01"]


@pytest.mark.parametrize(
    ("column", "cells", "message"),
    [
        (
            "score:a",
            pl.Series(["1", "0", "1"], dtype=pl.Categorical),
            "score:a of query 'q1' = '1'",
        ),
        ("score:a", pl.Series([[1.0], [0.0], [1.0]]), "score:a of query 'q1' = "),
        ("cost:a", pl.Series([1, 2, 3]).cast(pl.Date), "cost:a of query 'q1' = "),
        ("query_id", pl.Series([[1], [2], [3]]), "query_id in row 1 = "),
        ("task", pl.Series([[1], [2], [3]]), "task of query 'q1' = "),
        ("family", ["x", None, "y"], "family of query 'q2' = None: expected the name of a family"),
    ],
)
def test_types_that_a_parquet_file_may_bring(tmp_path, column, cells, message):
    path = write(tmp_path, WIDE | {column: cells})
    with pytest.raises(FieldError, match=message):
        read_outcomes(path)
    assert check_file(path).problems


def test_numbers_as_names_and_truth_values_as_scores(tmp_path):
    columns = WIDE | {"query_id": [1, 2, 3], "score:a": [True, False, True]}
    for ending in ENDINGS:
        frame = read_outcomes(write(tmp_path, columns, ending))
        assert frame["query_id"].to_list() == ["1", "2", "3"]
        assert frame["score:a"].to_list() == [1.0, 0.0, 1.0]


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(
    ("column", "cells", "message"),
    [
        (
            "score:a",
            [0, 1.5, 2],
            r"score:a of query 'q2' = 1.5: expected a number in \[0, 1\] \(2 ",
        ),
        ("score:a", [0, 1, -0.1], "score:a of query 'q3' = -0.1"),
        ("score:a", [None, 1, 1], "score:a of query 'q1' = None"),
        ("score:a", [None, None, None], "score:a of query 'q1' = None"),
        ("score:a", [0.5, NAN, 1], "score:a of query 'q2' = nan"),
        ("score:a", ["1", "good", "0"], "score:a of query 'q2' = 'good'"),
        (
            "cost:b",
            [0.1, -1e-9, 1],
            r"cost:b of query 'q2' = -1e-09: .*a finite number of USD, >= 0",
        ),
        ("cost:b", [0.1, 1, None], "cost:b of query 'q3' = None"),
        ("cost:b", [0.1, INF, 1], "cost:b of query 'q2' = inf"),
        ("cost:b", [NAN, 0.1, 1], "cost:b of query 'q1' = nan"),
        ("cost:b", ["1", "2", "$3"], r"cost:b of query 'q3' = '\$3'"),
        ("weight", [1.0, 0.0, 1.0], "weight of query 'q2' = 0.0: expected a finite number > 0"),
        ("weight", [1.0, 1.0, -1.0], "weight of query 'q3' = -1.0"),
        ("weight", [INF, 1.0, 1.0], "weight of query 'q1' = inf"),
        ("weight", [1.0, None, 1.0], "weight of query 'q2' = None"),
        (
            "query_id",
            ["q1", "q2", "q2"],
            "query_id in row 3 = 'q2': expected a name given only once",
        ),
        ("query_id", ["q1", None, "q3"], "query_id in row 2 = None: expected a name"),
        ("task", ["law", None, "law"], "task of query 'q2' = None"),
    ],
)
def test_bad_cells(tmp_path, ending, column, cells, message):
    path = write(tmp_path, WIDE | {column: cells}, ending)
    with pytest.raises(FieldError, match=message):
        read_outcomes(path)
    assert len(check_file(path).problems) == 1


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (without(WIDE, "query_id"), "column query_id = None: expected a column of that name"),
        (without(WIDE, "query_id") | {"queryid": [1, 2, 3]}, "'queryid', the nearest name"),
        (without(WIDE, "task"), "column task = None"),
        (without(WIDE, "cost:a"), "column = 'score:a': expected a column 'cost:a' with it"),
        (without(WIDE, "score:b"), "column = 'cost:b': expected a column 'score:b' with it"),
        (
            without(WIDE, "score:a", "cost:a", "score:b", "cost:b"),
            r"columns = \['query_id', 'task'\]: expected columns score:<model> and cost:<model>",
        ),
        (without(LONG, "model"), "column model = None"),
        (without(LONG, "score") | {"scores": [1, 1, 1, 1]}, "column score = .*'scores'"),
        (without(LONG, "cost"), "column cost = None"),
    ],
)
def test_bad_columns(tmp_path, columns, message):
    path = write(tmp_path, columns)
    with pytest.raises(FieldError, match=message):
        read_outcomes(path)
    assert check_file(path).problems


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"model": ["a", "a", "b", "a"]},
            r"\(query_id, model\) = \('q1', 'a'\): .*at most one row",
        ),
        ({"model": ["a", "c", "b", "a"]}, "rows of model 'c' = 1: expected a row for query 'q2'"),
        ({"model": ["a", None, "b", "a"]}, "model of query 'q1' = None"),
        ({"task": ["law", "art", "law", "law"]}, r"task of query 'q1' = \['law', 'art'\]"),
        ({"weight": [1, 1, 2, 1]}, r"weight of query 'q2' = \[2, 1\]: expected the same"),
        ({"score": [0, 1, 1.5, 1]}, "score:b of query 'q2' = 1.5"),
        ({"score": ["0", "x", "1", "1"]}, "score:b of query 'q1' = 'x'"),
        ({"cost": [0, 1, 1, -2]}, "cost:a of query 'q2' = -2"),
        ({"query_id": [None, None, "q2", "q2"]}, "query_id in row 1 = None"),
    ],
)
def test_bad_long(tmp_path, changes, message):
    with pytest.raises(FieldError, match=message):
        read_outcomes(write(tmp_path, LONG | changes))


def test_column_given_twice(tmp_path):
    path = tmp_path / "twice.csv"
    path.write_text("query_id,task,score:a,score:a,cost:a\nq,t,1,0,1\n")
    with pytest.raises(FieldError, match="column = 'score:a': expected a name given only once"):
        read_outcomes(path)


def bad_files(folder):
    """Files that are not what they seem, each with the words that the error needs."""
    parquet = write(folder, WIDE, "parquet").read_bytes()
    csv = write(folder, WIDE, "csv").read_bytes()
    (folder / "folder.csv").mkdir()
    contents = {
        "empty.csv": (b"", "not empty"),
        "empty.parquet": (b"", "not empty"),
        "text.parquet": (csv, "is it a CSV"),
        "columnar.csv": (parquet, "this is a Parquet file"),
        "cut.parquet": (parquet[: len(parquet) // 2], "the end of this one is missing"),
        "mark.parquet": (b"PAR1", "the end of this one is missing"),
        "holes.parquet": (parquet[:40] + parquet[-8:], "a readable parquet file"),
        "binary.csv": (b"\x80\x04\x95\0\0\0", "binary"),
        "latin.csv": ("query_id,task,score:\xe9,cost:\xe9\nq,t,1,1".encode("latin-1"), "in UTF-8"),
        "latin-cell.csv": (csv.replace(b"maths", b"math\xe9"), "a readable csv file"),
        "ragged.csv": (csv + b"q4,law,1,1,1,1,1,1\n", "a readable csv file"),
        "header.csv": (csv.splitlines()[0] + b"\n", "rows = 0: expected at least one query"),
        "blank.csv": (b"\n\n\n", ""),
        "nothing.json": (b"{}", "JSON objects, a row each"),
        "list.json": (b"[]", "JSON objects, a row each"),
        "numbers.json": (b"[1, 2]", "a readable json file"),
        "cut.json": (b'[{"query_id": 1', "a readable json file"),
        "outcomes": (csv, "ends in .parquet, .csv, .tsv, .jsonl, .ndjson or .json"),
        "outcomes.pkl": (b"\x80", "convert a pickle first"),
    }
    for name, (content, words) in contents.items():
        (folder / name).write_bytes(content)
        yield folder / name, words
    yield folder / "absent.csv", "an existing file"
    yield folder / "absent.parquet", "an existing file"
    yield folder / "folder.csv", "a file; this is a folder"


def test_files_that_are_not_what_they_seem(tmp_path):
    for path, words in bad_files(tmp_path):
        with pytest.raises(FieldError) as caught:
            read_outcomes(path)
        assert words in str(caught.value), path.name
        report = check_file(path)
        assert report.problems, path.name
        assert report.rows == 0


def test_report(tmp_path):
    for ending in ENDINGS:
        report = check_file(write(tmp_path, WIDE, ending))
        assert (report.layout, report.rows, report.problems) == ("wide", 3, ())
        assert report.tasks == {"law": 2, "maths": 1}
        a, b = report.models
        assert (a.name, a.mean_score, a.zero_costs) == ("a", 0.5, 0)
        assert (b.mean_cost, b.max_cost, b.zero_costs) == (pytest.approx(2e-3), 4e-3, 1)
        # Between the second and the third of three costs, at 0.98 of the way.
        assert b.p99_cost == pytest.approx(2e-3 + 0.98 * 2e-3)


def test_report_names_every_problem(tmp_path):
    columns = WIDE | {"score:a": [2, 1, 0], "cost:b": [-1, 1, 1], "query_id": ["q", "q", "r"]}
    report = check_file(write(tmp_path, columns))
    assert len(report.problems) == 3
    assert report.models[0].mean_score == 0.5
    assert report.models[1].mean_cost == 1
    hopeless = check_file(write(tmp_path, WIDE | {"score:a": [None] * 3}))
    assert hopeless.models[0].mean_score is None
    columns = without(WIDE, "task", "cost:a", "score:b")
    assert len(check_file(write(tmp_path, columns)).problems) == 3
