"""Splitting a file of outcomes into two parts."""

from __future__ import annotations

import polars as pl
import pytest

from stageroute_gym.errors import FieldError
from stageroute_gym.workloads import read_outcomes, split


@pytest.fixture
def source(tmp_path):
    frame = pl.DataFrame(
        {
            "query_id": [f"q{i}" for i in range(10)],
            "task": ["a"] * 5 + ["b"] * 5,
            "score:m": [i / 10 for i in range(10)],
            "cost:m": [1.0] * 10,
        }
    )
    path = tmp_path / "all.parquet"
    frame.write_parquet(path)
    return path


def names(path):
    return read_outcomes(path)["query_id"].to_list()


def test_the_first_queries_stand_in_the_first_part(source, tmp_path):
    parts = tmp_path / "first.parquet", tmp_path / "second.csv"
    assert split(source, *parts, share=0.3) == (3, 7, 0)
    assert names(parts[0]) == ["q0", "q1", "q2"]
    assert names(parts[1]) == [f"q{i}" for i in range(3, 10)]
    with pytest.raises(FieldError, match=r"^first = "):
        split(source, *parts)
    assert split(source, *parts, seed=1, overwrite=True) == (5, 5, 0)
    drawn = [names(part) for part in parts]
    assert sorted(drawn[0] + drawn[1]) == [f"q{i}" for i in range(10)]
    assert drawn[0] == sorted(drawn[0]) != [f"q{i}" for i in range(5)]


def test_features_of_a_second_file_come_along(source, tmp_path):
    told = tmp_path / "features.parquet"
    pl.DataFrame(
        {"query_id": [f"q{i}" for i in range(9, 0, -1)], "feature:x": [float(i) for i in range(9)]}
    ).write_parquet(told)
    parts = tmp_path / "first.parquet", tmp_path / "second.parquet"
    assert split(source, *parts, features_file=str(told)) == (4, 5, 1)
    assert pl.read_parquet(parts[0])["feature:x"].to_list() == [8.0, 7.0, 6.0, 5.0]


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("share", {"share": 1.0}),
        ("share", {"share": 0.01}),
        ("first", {"first": "part.txt"}),
        ("second", {"second": "first.parquet"}),
        ("second", {"second": "nowhere/part.csv"}),
        ("seed", {"seed": -1}),
    ],
)
def test_faults_are_named(source, tmp_path, field, changes):
    paths = {"first": "first.parquet", "second": "second.parquet"}
    paths |= {name: changes.pop(name) for name in paths.keys() & changes.keys()}
    goals = [tmp_path / paths[name] for name in ("first", "second")]
    with pytest.raises(FieldError, match=f"^{field} = "):
        split(source, *goals, **changes)
