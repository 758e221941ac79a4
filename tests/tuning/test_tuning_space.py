"""What may be tried of parameters, and that every agent says it within what it allows."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stageroute_agents import make, names
from worlds import make_env, make_world

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.agents import kind_of, load, parameters_of
from stageroute_gym.tuning.space import OneOf, Range, Real, Whole, space_of

REALS = [Real(0.0, 0.3), Real(1e-4, 1.0, "log"), Real(0.9, 0.99999, "log_to_one")]
WITH_PARAMETERS = [
    name
    for name in names()
    if kind_of(load(name), name) != "reference" and parameters_of(load(name))
]


@pytest.mark.parametrize("values", REALS, ids=lambda values: values.spacing)
@given(share=st.floats(0, 1))
def test_what_is_drawn_stands_for_a_value_inside_and_back(values: Real, share: float) -> None:
    low, high = values.ends
    value = values.value(low + share * (high - low))
    assert values.low <= value <= values.high
    drawn = values.drawn(value)
    assert drawn is not None
    assert low <= drawn <= high
    assert values.value(drawn) == pytest.approx(value, abs=1e-11)


def test_values_by_hand():
    assert Real(0.9, 0.99999, "log_to_one").value(0.0031234) == pytest.approx(0.996877, abs=1e-12)
    assert Real(0.0, 1.0).value(0.123456) == 0.1235
    # Outside of the space: a rule in the place of a number, a number beyond.
    assert Real(0.0, 1.0).drawn(None) is None
    assert Real(0.0, 1.0).drawn(1.5) is None
    assert Whole(1, 9).drawn(None) is None
    assert Whole(1, 9).drawn(4) == 4
    assert OneOf((True, False)).drawn(False) is False
    assert OneOf(("a", "b")).drawn("c") is None


@pytest.mark.parametrize(
    ("made", "field"),
    [
        (lambda: Real(1.0, 0.5), "high"),
        (lambda: Real(0.0, 0.5, "log"), "low"),
        (lambda: Real(0.5, 1.0, "log_to_one"), "high"),
        (lambda: Real(0.1, 1.0, "square"), "spacing"),  # type: ignore[arg-type]
        (lambda: Whole(0, 5, log=True), "low"),
        (lambda: Whole(5, 5), "high"),
        (lambda: OneOf(("a",)), "choices"),
    ],
)
def test_ranges_without_values_are_refused(made: Any, field: str) -> None:
    with pytest.raises(FieldError) as caught:
        made()
    assert caught.value.field == field


@pytest.mark.parametrize("name", WITH_PARAMETERS)
def test_every_agent_with_parameters_has_a_search_space_that_it_takes(name: str) -> None:
    factory, context = load(name), make_env(make_world(), continuous=True).agent_context
    space = space_of(factory, name)
    # An empty one of its own says that there is nothing to tune.
    assert space or "search_space" in vars(factory)
    for parameter, values in space.items():
        ends = values.choices if isinstance(values, OneOf) else (values.low, values.high)
        for end in ends:
            make(name, context, **{parameter: end})
        default = parameters_of(factory)[parameter].default
        assert default is None or values.drawn(default) is not None, parameter


def test_a_subclass_inherits_what_it_has_the_parameters_for():
    assert set(space_of(load("greedy-ratio"), "greedy-ratio")) == {"gamma", "cost_scale"}
    assert space_of(load("uniform"), "uniform") == {}
    assert space_of(load("paced-oracle"), "paced-oracle") == {}


def test_a_range_for_no_parameter_is_refused():
    class Odd:
        search_space: ClassVar[dict[str, Range]] = {"gama": Real(0.0, 1.0)}

        def __init__(self, context: Any, *, seed: int = 0, gamma: float = 0.5) -> None: ...

    with pytest.raises(FieldError, match=r"search_space of .*Odd = 'gama': expected 'gamma'"):
        space_of(Odd, "odd")
