"""Features of recorded queries: columns, embeddings, a second file."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from stageroute_gym import scenarios
from stageroute_gym.errors import FieldError
from stageroute_gym.workloads import Recorded, check_file, read_outcomes
from stageroute_gym.workloads.query_features import features_named

OUTCOMES = {
    "query_id": ["a", "b", "c", "d"],
    "task": ["law", "art", "law", "art"],
    "score:x": [1.0, 0.0, 1.0, 0.0],
    "cost:x": [0.1, 0.2, 0.3, 0.4],
    "score:y": [0.5] * 4,
    "cost:y": [0.1] * 4,
}
NUMBERS = {"feature:length": [1.0, 2.0, 3.0, 6.0], "feature:same": [7, 7, 7, 7]}
LISTS = {"embedding": [[1.0, 0.0], [2.0, 0.0], [3.0, 4.0], [6.0, 0.0]]}


def written(tmp_path, columns, name="outcomes.parquet") -> str:
    path = tmp_path / name
    pl.DataFrame(columns).write_parquet(path)
    return str(path)


def standardised(values):
    values = np.array(values, np.float64)
    return (values - values.mean()) / values.std()


def test_columns_are_standardised_and_kept_as_float32_once(tmp_path):
    path = written(tmp_path, OUTCOMES | NUMBERS | LISTS)
    table = Recorded(data=path, features="columns").outcomes()
    assert table.features.dtype == np.float32
    np.testing.assert_allclose(table.features[:, 0], standardised([1, 2, 3, 6]), rtol=1e-6)
    assert (table.features[:, 1] == 0).all()  # it never varies
    np.testing.assert_allclose(table.features[:, 2], standardised([1, 2, 3, 6]), rtol=1e-6)
    np.testing.assert_allclose(table.features[:, 3], standardised([0, 0, 4, 0]), rtol=1e-6)
    scenario = scenarios.get("recorded", data=path, features="columns", horizon=10)
    world = scenario.world()
    assert np.shares_memory(world.arrays.features, world.table.features)


@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e300])
def test_numbers_of_any_scale_are_standardised(tmp_path, scale):
    numbers = {"feature:n": [-scale, 2 * scale, 5 * scale, 0.0]}
    table = Recorded(data=written(tmp_path, OUTCOMES | numbers), features="columns").outcomes()
    np.testing.assert_allclose(table.features[:, 0], standardised([-1, 2, 5, 0]), rtol=1e-6)


def test_both_are_the_task_and_then_the_numbers(tmp_path):
    path = written(tmp_path, OUTCOMES | NUMBERS)
    table = Recorded(data=path, features="both").outcomes()
    assert table.features[:, :2].tolist() == [[0, 1], [1, 0], [0, 1], [1, 0]]
    assert table.features.shape == (4, 4)
    assert table.feature_names == ("task:art", "task:law", "feature:length", "feature:same")


def test_a_second_file_is_joined_by_query(tmp_path):
    path = written(tmp_path, OUTCOMES)
    file = {"query_id": ["d", "zzz", "a", "b"], "feature:n": [6.0, 100.0, 1.0, 2.0]}
    second = written(tmp_path, file, "features.parquet")
    recorded = Recorded(data=path, features="columns", features_file=second)
    table = recorded.outcomes()
    assert table.score[:, 0].tolist() == [1.0, 0.0, 0.0]
    np.testing.assert_allclose(table.features[:, 0], standardised([1, 2, 6]), rtol=1e-6)
    (note,) = recorded._feature_notes(table)
    assert note.startswith("1 queries are left out")


def test_another_file_s_features_are_found_by_their_names(tmp_path):
    other = OUTCOMES | {"task": ["law", "new", "law", "new"]} | NUMBERS | LISTS
    frame = read_outcomes(written(tmp_path, other))
    names = ("task:art", "task:law", "embedding[1]", "feature:length")
    found = features_named(frame, names, "history")
    assert found[:, :2].tolist() == [[0, 1], [0, 0], [0, 1], [0, 0]]
    np.testing.assert_allclose(found[:, 2], standardised([0, 0, 4, 0]), rtol=1e-6)
    np.testing.assert_allclose(found[:, 3], standardised([1, 2, 3, 6]), rtol=1e-6)


def test_of_many_tasks_the_rare_ones_share_a_name(tmp_path):
    tasks = [f"t{number:02}" for number in range(40)] + [f"t{number:02}" for number in range(32)]
    rows = len(tasks)
    many = {"query_id": list(range(rows)), "task": tasks}
    path = written(tmp_path, many | {"score:x": [1.0] * rows, "cost:x": [0.1] * rows})
    table = Recorded(data=path, features="task").outcomes()
    assert table.feature_names == (*(f"task:t{number:02}" for number in range(32)), "task:*")
    assert table.features[31:40].argmax(axis=1).tolist() == [31] + [32] * 8
    again = features_named(read_outcomes(path), table.feature_names, "history")
    assert (again == table.features).all()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({}, "expected a file with columns feature:<name> or a list column embedding"),
        ({"feature:n": ["p", "q", "r", "s"]}, "feature:n of data = 'String': expected a column"),
        ({"feature:n": [1.0, 2.0, None, 4.0]}, "feature:n of query 'c' = nan: expected a finite"),
        ({"embedding": [[1.0], [2.0, 3.0], [1.0], [1.0]]}, "lengths of embedding of data = .1, 2"),
        ({"embedding": [1.0, 2.0, 3.0, 4.0]}, "embedding of data = 'Float64': expected a column"),
        ({"embedding": [[0.5] * 513] * 4}, "features of data = 513: expected at most 512"),
    ],
)
def test_faults_are_told(tmp_path, columns, message):
    path = written(tmp_path, OUTCOMES | columns)
    with pytest.raises(FieldError, match=message):
        Recorded(data=path, features="columns").outcomes()


def test_a_check_of_the_file_tells_all_faults_of_its_features(tmp_path):
    report = check_file(written(tmp_path, OUTCOMES | NUMBERS | LISTS))
    assert (report.features, report.problems) == (4, ())
    wrong = {"feature:n": ["p", "q", "r", "s"], "embedding": [[1.0], [2.0, 3.0], [1.0], [1.0]]}
    wrong |= {"feature:m": [1.0, None, 3.0, 4.0], "feature:k": [1.0, 2.0, 3.0, np.inf]}
    report = check_file(written(tmp_path, OUTCOMES | wrong))
    assert [problem.partition(" = ")[0] for problem in report.problems] == [
        "feature:n of data",
        "lengths of embedding of data",
        "feature:m of query 'b'",
        "feature:k of query 'd'",
    ]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"id": ["a"], "feature:n": [1.0]}, "expected a file with a column query_id"),
        ({"query_id": ["a", "a"], "feature:n": [1.0, 2.0]}, "query_id of features_file = 'a'"),
        ({"query_id": ["zzz"], "feature:n": [1.0]}, "expected a file with some query_id"),
    ],
)
def test_faults_of_a_second_file_are_told(tmp_path, columns, message):
    path = written(tmp_path, OUTCOMES)
    second = written(tmp_path, columns, "features.parquet")
    with pytest.raises(FieldError, match=message):
        Recorded(data=path, features="columns", features_file=second).outcomes()


def test_a_second_file_needs_a_choice_that_reads_it():
    with pytest.raises(FieldError, match="features = 'task': expected 'columns' or 'both'"):
        Recorded(data="x.csv", features="task", features_file="y.csv")
