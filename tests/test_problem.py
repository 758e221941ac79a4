from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stageroute_gym.errors import FieldError
from stageroute_gym.problem import Problem

NAN = float("nan")
INFINITY = float("inf")


def problem(**changes) -> Problem:
    return Problem(**({"horizon": 10, "num_stages": 3, "max_deployed": 2, "budget": 0.5} | changes))


BAD = [
    *[("horizon", value) for value in (0, -1, 1.5, 10**20, 1e20, True, "10", None, NAN)],
    *[("num_stages", value) for value in (0, -1, 11, 1.5, True, "3")],
    *[("max_deployed", value) for value in (0, -1, 2.5, 10**20, True, None)],
    *[
        ("budget", value)
        for value in (
            0,
            0.0,
            1e-320,
            1e10,
            10**400,
            -1e-9,
            NAN,
            INFINITY,
            -INFINITY,
            True,
            "1",
            None,
        )
    ],
    *[("budget_rule", value) for value in ("Hard", "", None, 1)],
    *[("throughput", value) for value in (0, -0.1, 1.0001, NAN, INFINITY, True, "0.4", None)],
    *[("throughput", value) for value in ((), (0.4, 0), (0.4, 1.2), (NAN,), (True,), ("a",))],
    *[("burst", value) for value in (0, 0.99, -1, NAN, INFINITY, True, None)],
    *[("deployment_cost", value) for value in (-1e-9, 1e308, NAN, INFINITY, True, None)],
    *[("feedback_delay", value) for value in (-1, 1.5, 10**14, NAN, INFINITY, True, None)],
    *[("feedback_rate", value) for value in (-0.1, 1.1, NAN, True, "0.5", None)],
    *[("activation_delay", value) for value in (-1, 1.5, 10**14, NAN, True, None)],
    *[("failure_rate", value) for value in (-0.1, 1.1, NAN, True, None)],
]


@pytest.mark.parametrize(("field", "value"), BAD)
def test_bad_values_are_named_with_what_is_allowed(field, value):
    with pytest.raises(FieldError, match=f"^{field} = .*: expected .") as caught:
        problem(**{field: value})
    # Of several shares, the first bad one is shown.
    candidates = [value, *value] if isinstance(value, tuple) else [value]
    shown = caught.value.value
    assert any(shown is bad or shown == bad for bad in candidates)
    assert repr(shown) in str(caught.value)
    assert caught.value.field == field
    copied = pickle.loads(pickle.dumps(caught.value))
    assert str(copied) == str(caught.value)


@pytest.mark.parametrize(
    "starts", [(), (1, 5), (0, 5, 5), (0, 6, 5), (0, 10), (0, -1), (0, 2.5), "05", 0, (0, True)]
)
def test_bad_update_points(starts):
    with pytest.raises(FieldError, match="stage_starts"):
        problem(num_stages=None, stage_starts=starts)


def test_exactly_one_way_to_give_the_stages():
    with pytest.raises(FieldError, match="not both"):
        problem(stage_starts=(0, 5))
    with pytest.raises(FieldError, match="either num_stages or stage_starts"):
        problem(num_stages=None)


@given(st.integers(1, 10**6), st.data())
def test_stages_are_spread_evenly(horizon, data):
    stages = data.draw(st.integers(1, min(horizon, 200)))
    even = problem(horizon=horizon, num_stages=stages)
    assert even.stage_bounds[[0, -1]].tolist() == [0, horizon]
    assert even.stage_lengths.sum() == horizon
    assert len(even.stage_lengths) == stages
    assert even.stage_lengths.min() >= 1
    assert even.stage_lengths.max() - even.stage_lengths.min() <= 1


def test_given_update_points():
    uneven = problem(num_stages=None, stage_starts=[0, 1, 9])
    assert uneven.stage_bounds.tolist() == [0, 1, 9, 10]
    assert uneven.stage_lengths.tolist() == [1, 8, 1]


def test_throughput_per_model():
    assert problem().throughput_per_model(3).tolist() == [1.0, 1.0, 1.0]
    assert problem(throughput=[0.4, 1]).throughput_per_model(2).tolist() == [0.4, 1.0]
    with pytest.raises(FieldError, match="one share, or one for each of 3 models"):
        problem(throughput=[0.4, 1]).throughput_per_model(3)


def test_replace_drops_the_other_way_to_give_the_stages():
    assert problem().replace(stage_starts=(0, 4)).num_stages is None
    given_starts = problem(num_stages=None, stage_starts=(0, 4))
    assert given_starts.replace(num_stages=5).stage_starts is None
    assert given_starts.replace(budget=1.0).stage_starts == (0, 4)
    with pytest.raises(FieldError, match="expected 'horizon'"):
        problem().replace(horizont=3)
    with pytest.raises(FieldError, match="at most the horizon, 2"):
        problem().replace(horizon=2)


def test_an_unknown_or_missing_field_in_a_dictionary():
    with pytest.raises(FieldError, match="expected 'burst'"):
        Problem.from_dict(problem().to_dict() | {"bursts": 3})
    with pytest.raises(FieldError, match="budget = None: expected a value"):
        Problem.from_dict({"horizon": 3, "num_stages": 1, "max_deployed": 1})


@given(
    horizon=st.integers(1, 10**7),
    max_deployed=st.integers(1, 100),
    budget=st.floats(1e-12, 1e6),
    rule=st.sampled_from(["hard", "soft"]),
    throughput=st.floats(1e-6, 1) | st.lists(st.floats(1e-6, 1), min_size=1, max_size=5),
    burst=st.floats(1, 1e6),
    delay=st.integers(0, 1000),
    stages=st.booleans(),
)
def test_json_and_back(horizon, max_deployed, budget, rule, throughput, burst, delay, stages):
    original = Problem(
        horizon=horizon,
        num_stages=1 if stages else None,
        stage_starts=None if stages else [0],
        max_deployed=max_deployed,
        budget=budget,
        budget_rule=rule,
        throughput=throughput,
        burst=burst,
        feedback_delay=delay,
    )
    again = Problem.from_dict(json.loads(json.dumps(original.to_dict())))
    assert again == original
    assert hash(again) == hash(original)


def test_a_whole_number_may_be_written_as_a_float():
    written = problem(horizon=1e4, num_stages=3.0, max_deployed=np.float64(2), feedback_delay=0.0)
    assert written == problem(horizon=10_000)
    assert type(written.horizon) is int
    assert type(written.max_deployed) is int


def test_numbers_of_numpy_become_plain_ones():
    from_numpy = Problem(
        horizon=np.int64(10),
        num_stages=np.int32(3),
        max_deployed=np.uint8(2),
        budget=np.float32(0.5),
        throughput=np.array([0.5, 1.0]),
    )
    assert from_numpy == problem(throughput=(0.5, 1.0))
    assert json.loads(json.dumps(from_numpy.to_dict()))["throughput"] == [0.5, 1.0]
