from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from stageroute_gym.errors import FieldError
from stageroute_gym.workloads import OutcomeTable, Schedule


def table(**changes) -> OutcomeTable:
    fields = {
        "models": ("a", "b"),
        "score": np.array([[0.0, 1.0], [0.5, 0.5], [1.0, 1.0]]),
        "cost": np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
        "task": np.array([0, 1, 0]),
        "task_names": ("law", "maths"),
    }
    return OutcomeTable(**(fields | changes))


def test_defaults():
    plain = table()
    assert plain.features.tolist() == [[0], [0], [0]]
    assert plain.weight.tolist() == [1, 1, 1]
    assert plain.list_price.tolist() == [0, 0]
    assert (plain.num_queries, plain.num_models) == (3, 2)
    with pytest.raises(ValueError, match="read-only"):
        plain.score[0, 0] = 1


def test_means_by_hand():
    weighted = table(weight=np.array([1.0, 2.0, 1.0]))
    assert weighted.mean_score().tolist() == [0.5, 0.75]
    assert weighted.mean_cost().tolist() == [3.0, 4.0]


@given(
    arrays.arrays(np.float64, (3, 2), elements=st.floats(0, 1)),
    arrays.arrays(np.float64, 3, elements=st.floats(0.01, 100)),
)
def test_means_lie_between_the_extremes(score, weight):
    mean = table(score=score, weight=weight).mean_score()
    assert (mean >= score.min(axis=0) - 1e-12).all()
    assert (mean <= score.max(axis=0) + 1e-12).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"models": ("a", "a")}, "models = "),
        ({"models": "ab"}, "models = 'ab': expected a list"),
        ({"score": [[0.0, 1.0]]}, "score = 'list': expected a numpy array of numbers"),
        ({"cost": np.ones(3)}, "cost = 'float64 of shape .3,.': expected .* shape of length 2"),
        ({"task": np.zeros(3)}, "task = 'float64 of shape .3,.': expected .* of whole numbers"),
        ({"score": np.empty((0, 2))}, "score = "),
        ({"score": np.array([[0, 1], [2, 0], [0, 0]])}, "score:a in row 1 = 2"),
        ({"score": np.array([[0, 1], [0, np.nan], [0, 0]])}, "score:b in row 1 = nan"),
        ({"cost": np.ones((2, 2))}, "shape of cost"),
        ({"cost": -np.ones((3, 2))}, "cost:a in row 0 = -1"),
        ({"cost": np.full((3, 2), np.inf)}, "cost:a in row 0 = inf"),
        ({"task": np.array([0, 1, 2])}, "task = 2"),
        ({"weight": np.array([1.0, 0.0, 1.0])}, "weight = 0"),
        ({"features": np.full((3, 1), np.nan)}, "features"),
        ({"list_price": np.array([1.0, -1.0])}, "list_price"),
    ],
)
def test_bad_tables(changes, message):
    with pytest.raises(FieldError, match=message):
        table(**changes)


def test_stationary_schedule():
    weighted = table(weight=np.array([1.0, 2.0, 1.0]))
    schedule = Schedule.stationary(weighted, np.array([[True, False], [True, True]]))
    assert schedule.mixes.tolist() == [[0.25, 0.5, 0.25]]
    assert schedule.stage_mix.tolist() == [0, 0]
    assert schedule.cost_multiplier.tolist() == [[1, 1], [1, 1]]
    assert schedule.num_stages == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stage_mix": np.array([0])}, "shape of stage_mix"),
        ({"stage_mix": np.array([0, 1])}, "stage_mix = "),
        ({"cost_multiplier": np.ones((2, 3))}, "shape of cost_multiplier"),
        ({"cost_multiplier": np.zeros((2, 2))}, "cost_multiplier = "),
        ({"mixes": np.array([[0.5, 0.4]])}, "mixes = .*rows that sum to 1"),
        ({"mixes": np.array([[1.5, -0.5]])}, "mixes = .*finite weights"),
    ],
)
def test_bad_schedules(changes, message):
    fields = {
        "mixes": np.array([[0.5, 0.5]]),
        "stage_mix": np.array([0, 0]),
        "cost_multiplier": np.ones((2, 2)),
        "available": np.ones((2, 2), dtype=bool),
    }
    with pytest.raises(FieldError, match=message):
        Schedule(**(fields | changes))


@pytest.mark.parametrize(
    ("features", "tasks"),
    [
        (np.zeros((3, 1)), 0),
        (np.ones((3, 1)), 0),
        (np.eye(3), 3),
        (np.eye(2)[[0, 1, 0]], 2),
        (np.column_stack([np.eye(3), [0.5, -1.0, 0.0]]), 3),
        (np.column_stack([[0.5, -1.0, 0.0], np.eye(3)]), 0),
        (np.array([[1.0, 1.0], [0.0, 1.0], [1.0, 0.0]]), 0),
        (np.array([[0.2, 0.8], [0.9, 0.1], [0.0, 0.3]]), 0),
    ],
)
def test_tasks_are_what_stands_one_hot_in_the_first_features(features, tasks):
    assert table(features=features).num_tasks == tasks
