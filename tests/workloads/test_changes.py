from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stageroute_gym.errors import FieldError
from stageroute_gym.problem import Problem
from stageroute_gym.workloads import Drift, Newcomers, Outage, PriceChange, Regression
from stageroute_gym.workloads.schedule import Schedule
from stageroute_gym.workloads.table import OutcomeTable

PROBLEM = Problem(horizon=100, num_stages=4, max_deployed=2, budget=1.0)


def small_table(**changes) -> OutcomeTable:
    """Three queries of task x, one of y that comes twice as often as each; models a, b."""
    fields = {
        "models": ("a", "b"),
        "score": np.array([[1.0, 0.0], [0.5, 0.25], [0.0, 0.5], [1.0, 0.75]]),
        "cost": np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]),
        "task": np.array([0, 0, 0, 1]),
        "task_names": ("x", "y"),
        "features": np.eye(2)[[0, 0, 0, 1]],
        "weight": np.array([1.0, 1.0, 1.0, 2.0]),
        "list_price": np.array([2.0, 0.0]),
    }
    return OutcomeTable(**(fields | changes))


@pytest.fixture
def table() -> OutcomeTable:
    return small_table()


@pytest.fixture
def schedule(table) -> Schedule:
    return Schedule.stationary(table, np.ones((4, 2), bool))


def mixes_of(schedule: Schedule) -> np.ndarray:
    return schedule.mixes[schedule.stage_mix]


def test_drift_in_steps(table, schedule):
    drift = Drift(focus=0.5, shape="steps")
    assert drift.apply(table, schedule, PROBLEM)[0] is table
    drifted = drift.apply(table, schedule, PROBLEM)[1]
    # Half the queries as before, (0.2, 0.2, 0.2, 0.4); half of task x, then of y.
    on_x = 0.5 * np.array([0.2, 0.2, 0.2, 0.4]) + 0.5 * np.array([1, 1, 1, 0]) / 3
    on_y = 0.5 * np.array([0.2, 0.2, 0.2, 0.4]) + 0.5 * np.array([0, 0, 0, 1])
    np.testing.assert_allclose(mixes_of(drifted), [on_x, on_x, on_y, on_y])
    assert len(drifted.mixes) == 2
    assert (drifted.available == schedule.available).all()


def test_drift_smoothly(table, schedule):
    # Stage middles at 1/8, 3/8, 5/8, 7/8: at 0.25, 0.75, 1.25, 1.75 of two tasks, whose own
    # middles are 0.5 and 1.5.
    emphasis = Drift().emphasis(2, PROBLEM)
    np.testing.assert_allclose(emphasis[:, 1], [0, 0.25, 0.75, 1])
    np.testing.assert_allclose(emphasis.sum(axis=1), 1)
    drifted = Drift(focus=1.0).apply(table, schedule, PROBLEM)[1]
    np.testing.assert_allclose(mixes_of(drifted)[:, 3], [0, 0.25, 0.75, 1])


def test_drift_may_return_to_a_task(table, schedule):
    there_and_back = Drift(tasks=("x", "y", "x", "y"), focus=1.0, shape="steps")
    drifted = there_and_back.apply(table, schedule, PROBLEM)[1]
    np.testing.assert_allclose(mixes_of(drifted)[:, 3], [0, 1, 0, 1])


@given(st.integers(1, 9), st.integers(1, 40), st.sampled_from(["steps", "smooth"]))
def test_drift_is_a_mixture_at_any_size(num_tasks, num_stages, shape):
    problem = PROBLEM.replace(num_stages=num_stages)
    emphasis = Drift(shape=shape).emphasis(num_tasks, problem)
    assert (emphasis >= 0).all()
    np.testing.assert_allclose(emphasis.sum(axis=1), 1)
    assert (np.diff(emphasis @ np.arange(num_tasks)) >= -1e-12).all()


def test_regression(table, schedule):
    regression = Regression(model="a", like="b", start=0.3)
    after = regression.apply(table, schedule, PROBLEM)[0]
    np.testing.assert_array_equal(after.score[:4], table.score)
    np.testing.assert_array_equal(after.score[4:], table.score[:, [1, 1]])
    for name in ("cost", "task", "features", "weight"):
        half = getattr(table, name)
        np.testing.assert_array_equal(getattr(after, name), np.concatenate([half, half]))
    changed = regression.apply(table, schedule, PROBLEM)[1]
    # 0.3 of 100 queries: from the update point at 50.
    assert changed.stage_mix.tolist() == [0, 0, 1, 1]
    means = mixes_of(changed) @ after.score
    # a: 0.2 (1 + 0.5 + 0) + 0.4; b: 0.2 (0 + 0.25 + 0.5) + 0.3.
    np.testing.assert_allclose(means[:, 0], [0.7, 0.7, 0.45, 0.45])
    np.testing.assert_allclose(means[:, 1], 0.45)


def test_price_changes_multiply(table, schedule):
    once = PriceChange(model="b", factor=0.1, start=0.5)
    changed = once.apply(table, schedule, PROBLEM)[1]
    np.testing.assert_allclose(changed.cost_multiplier, [[1, 1], [1, 1], [1, 0.1], [1, 0.1]])
    twice = PriceChange(model="b", factor=3.0, start=0.75).apply(table, changed, PROBLEM)[1]
    np.testing.assert_allclose(twice.cost_multiplier[:, 1], [1, 1, 0.1, 0.3])


@pytest.mark.parametrize(
    ("start", "duration", "there"),
    [
        (0.25, 0.5, [True, False, False, True]),
        (0.26, 0.2, [True, True, True, True]),
        (0.0, 0.1, [False, True, True, True]),
        (0.5, 1.0, [True, True, False, False]),
    ],
)
def test_outage(table, schedule, start, duration, there):
    outage = Outage(model="a", start=start, duration=duration)
    changed = outage.apply(table, schedule, PROBLEM)[1]
    assert changed.available[:, 0].tolist() == there
    assert changed.available[:, 1].all()


def test_newcomers_at_the_ends_of_quality(table, schedule):
    best = Newcomers(number=2, quality=(1.0, 1.0), price=(3.0, 3.0), parents=("a",))
    worst = Newcomers(number=1, quality=(-1.0, -1.0), prefix="poor")
    same = Newcomers(number=1, quality=(0.0, 0.0), price=(1.0, 1.0), parents=("b",), prefix="same")
    more = best.apply(table, schedule, PROBLEM)[0]
    assert more.models == ("a", "b", "newcomer-1", "newcomer-2")
    np.testing.assert_array_equal(more.score[:, 2], table.score.max(axis=1))
    np.testing.assert_allclose(more.cost[:, 3], 3 * table.cost[:, 0])
    np.testing.assert_allclose(more.list_price, [2, 0, 6, 6])
    np.testing.assert_array_equal(
        worst.apply(table, schedule, PROBLEM)[0].score[:, 2], table.score.min(axis=1)
    )
    np.testing.assert_array_equal(
        same.apply(table, schedule, PROBLEM)[0].score[:, 2], table.score[:, 1]
    )


def test_newcomers_arrive(table, schedule):
    burst = Newcomers(number=3, start=0.5).apply(table, schedule, PROBLEM)[1]
    assert burst.available.sum(axis=1).tolist() == [2, 2, 5, 5]
    # At 0, 30 and 60 queries: from the update points 0, 50 and 75.
    spread = Newcomers(number=3, duration=0.6).apply(table, schedule, PROBLEM)[1]
    assert spread.available.argmax(axis=0).tolist() == [0, 0, 0, 2, 3]
    assert spread.cost_multiplier.shape == (4, 5)


def test_newcomers_are_as_good_as_said():
    rng = np.random.default_rng(0)
    rows = 20_000
    table = small_table(
        score=rng.random((rows, 2)),
        cost=np.ones((rows, 2)),
        task=np.zeros(rows, np.int64),
        features=np.zeros((rows, 1)),
        weight=np.ones(rows),
    )
    schedule = Schedule.stationary(table, np.ones((4, 2), np.bool_))

    def drawn(**options):
        newcomers = Newcomers(number=4, quality=(0.5, 0.5), parents=("a",), **options)
        return newcomers.apply(table, schedule, PROBLEM)[0]

    good = drawn()
    # Half of the queries at E max of two uniforms, 2/3, the others at 1/2.
    np.testing.assert_allclose(good.score[:, 2:].mean(axis=0), 7 / 12, atol=0.01)
    np.testing.assert_array_equal(good.score, drawn().score)
    other = drawn(prefix="other")
    assert (good.score != other.score).any()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Drift(focus=0), "focus = 0: expected a finite number above 0"),
        (lambda: Drift(focus=1.5), "focus = 1.5"),
        (lambda: Drift(shape="step"), "shape = 'step': expected 'steps'"),
        (lambda: Drift(tasks=()), "tasks = "),
        (lambda: Drift(tasks="x"), "tasks = 'x'"),
        (lambda: Regression(model="a", like="b", start=-0.1), "start = -0.1"),
        (lambda: PriceChange(model="a", factor=0), "factor = 0: expected a finite number above 0"),
        (lambda: PriceChange(model="a", factor=float("inf")), "factor = inf"),
        (lambda: Outage(model="a", duration=1.1), "duration = 1.1: .* at most 1"),
        (lambda: Outage(model="a", start=True), "start = True"),
        (lambda: Newcomers(number=0), "number = 0"),
        (lambda: Newcomers(number=1, quality=(-2, 0)), "quality = -2"),
        (lambda: Newcomers(number=1, quality=(0.2, 0.1)), "quality = 0.1: .* at least 0.2"),
        (lambda: Newcomers(number=1, quality=0.1), "quality = 0.1: expected a smallest"),
        (lambda: Newcomers(number=1, price=(0.0, 1.0)), "price = "),
        (lambda: Newcomers(number=1, prefix=""), "prefix = ''"),
        (lambda: Newcomers(number=1, parents="a"), "parents = 'a'"),
        (lambda: Newcomers(number=1, table_seed=-1), "table_seed = -1"),
    ],
)
def test_bad_fields(make, message):
    with pytest.raises(FieldError, match=message):
        make()


def test_unknown_names(table, schedule):
    with pytest.raises(FieldError, match="model = 'c': expected one of a, b"):
        PriceChange(model="c", factor=2.0).apply(table, schedule, PROBLEM)
    with pytest.raises(FieldError, match="model = 'c'"):
        Outage(model="c").apply(table, schedule, PROBLEM)
    with pytest.raises(FieldError, match="like = 'c'"):
        Regression(model="a", like="c").apply(table, schedule, PROBLEM)
    with pytest.raises(FieldError, match="parents = 'c'"):
        Newcomers(number=1, parents=("c",)).apply(table, schedule, PROBLEM)
    with pytest.raises(FieldError, match="tasks = 'z'"):
        Drift(tasks=("x", "z")).apply(table, schedule, PROBLEM)
    gone = Drift(focus=1.0, shape="steps").apply(table, schedule, PROBLEM)[1]
    with pytest.raises(FieldError, match="tasks = 'y': expected tasks that have queries"):
        Drift(tasks=("y",)).apply(table, gone, PROBLEM)
    crowd = Newcomers(number=1)
    with pytest.raises(FieldError, match="models = "):
        crowd.apply(*crowd.apply(table, schedule, PROBLEM), PROBLEM)
