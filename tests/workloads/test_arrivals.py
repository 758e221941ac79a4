from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stageroute_gym.errors import FieldError
from stageroute_gym.problem import Problem
from stageroute_gym.workloads.arrivals import Arrivals, initial_pool

ABCD = ("a", "b", "c", "d")
BOUNDS = np.array([0, 25, 50, 75, 100])


def first_stage(arrivals: Arrivals, models=ABCD, bounds=BOUNDS) -> list[int]:
    """The stage from which each model is there."""
    available = arrivals.available(models, bounds)
    assert available.any(axis=0).all()
    assert (np.diff(available.astype(int), axis=0) >= 0).all()
    return available.argmax(axis=0).tolist()


def test_even_spread():
    # Two later models: at 100/3 and 200/3, so at the update points 50 and 75.
    assert first_stage(Arrivals(ABCD, 2)) == [0, 0, 2, 3]


def test_interval_and_order():
    # d first, then c at 25, b at 50, a at 75; the update point at the arrival itself counts.
    assert first_stage(Arrivals(("d", "c", "b", "a"), 1, 25)) == [3, 2, 1, 0]


def test_dates_in_proportion_and_together():
    # From day 10 (the last initial one) to day 40, the last of two moments, at 2/3 of 99 = 66;
    # day 22 is 12/30 of that way: 26.4.
    arrivals = Arrivals(("a", "b", "c", "d"), 2, dates=(3, 10, 22, 40))
    assert arrivals._queries(99) == [0, 0, 26, 66]
    together = Arrivals(("a", "b", "c", "d"), 1, dates=(3, 3, 9, 9))
    assert together._queries(100) == [0, 0, 50, 50]


def test_evenly_spaced_dates_are_the_even_spread():
    dated = Arrivals(ABCD, 1, dates=(0, 7, 14, 21))
    assert dated._queries(1000) == Arrivals(ABCD, 1)._queries(1000)


def test_interval_overrules_dates():
    assert Arrivals(ABCD, 1, 10, dates=(0, 1, 2, 50))._queries(100) == [0, 10, 20, 30]


def test_all_there_at_once():
    assert Arrivals(ABCD, 4)._queries(100) == [0] * 4
    assert Arrivals(ABCD, 4, dates=(0, 1, 2, 3))._queries(100) == [0] * 4
    assert Arrivals(ABCD, 1, dates=(5, 5, 5, 5))._queries(100) == [0] * 4


@given(
    st.lists(st.integers(0, 1000), min_size=1, max_size=12).map(sorted),
    st.integers(1, 10_000),
    st.data(),
)
def test_later_dates_arrive_later_and_within_the_horizon(days, horizon, data):
    initial = data.draw(st.integers(1, len(days)))
    order = tuple(str(place) for place in range(len(days)))
    queries = Arrivals(order, initial, dates=tuple(days))._queries(horizon)
    assert queries == sorted(queries)
    assert queries[:initial] == [0] * initial
    assert queries[-1] < horizon
    for (day, query), (next_day, next_query) in zip(
        zip(days, queries, strict=True), list(zip(days, queries, strict=True))[1:], strict=False
    ):
        assert day != next_day or query == next_query


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((ABCD, 0), "initial_models = 0: expected a whole number of at least 1 and at most 4"),
        ((ABCD, 5), "initial_models = 5"),
        ((ABCD, "2"), "initial_models = '2'"),
        ((ABCD, 2, 0), "arrival_interval = 0"),
        ((ABCD, 2, None, (1, 2, 3)), "dates = "),
        ((ABCD, 2, None, (1, 3, 2, 4)), "dates = .*never decreasing"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(FieldError, match=message):
        Arrivals(*arguments)


def test_unknown_and_missing_names():
    with pytest.raises(FieldError, match="arrival_order = 'gpt': expected 'gpt-4'"):
        Arrivals(("gpt", "claude"), 1).available(("gpt-4", "claude"), BOUNDS)
    with pytest.raises(FieldError, match=r"missing: \['b'\]"):
        Arrivals(("a", "a"), 1).available(("a", "b"), BOUNDS)


def problem(**changes) -> Problem:
    fields = {"horizon": 100, "num_stages": 4, "max_deployed": 2, "budget": 1.0}
    return Problem(**(fields | changes))


@pytest.mark.parametrize(
    ("changes", "size"),
    [
        ({}, 2),
        ({"max_deployed": 9}, 4),
        # Caps by model a, b, c, d: the first two reach 0.5, the best two of the first three 1.0.
        ({"throughput": [0.2, 0.3, 0.8, 0.8]}, 3),
        # No two models ever serve everything: all are there.
        ({"throughput": 0.4}, 4),
    ],
)
def test_initial_pool(changes, size):
    assert initial_pool(ABCD, ABCD, problem(**changes)) == size


def test_initial_pool_follows_the_order():
    caps = problem(throughput=[1.0, 0.1, 0.1, 0.1], max_deployed=1)
    assert initial_pool(("b", "c", "a", "d"), ABCD, caps) == 3
