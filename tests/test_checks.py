from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stageroute_gym import checks
from stageroute_gym.errors import FieldError

ANYTHING = (
    st.integers()
    | st.floats()
    | st.booleans()
    | st.none()
    | st.text(max_size=3)
    | st.just(10**400)
    | st.just(np.float64("nan"))
)


@given(ANYTHING)
def test_a_range_takes_the_numbers_within_and_names_all_else(value):
    for bounds in (checks.Range(2, 9, "queries", whole=True), checks.Range(1e-9, 3.5, "USD")):
        plain = isinstance(value, (int, float)) and not isinstance(value, bool)
        inside = plain and bounds.low <= value <= bounds.high
        if inside and (not bounds.whole or value == int(value)):
            taken = bounds.check("field", value)
            assert taken == value
            assert type(taken) is (int if bounds.whole else float)
        else:
            with pytest.raises(FieldError, match=f"^field = .*of {bounds.unit} of at least"):
                bounds.check("field", value)


def test_the_words_of_a_range():
    with pytest.raises(FieldError, match=r"whole number of at least 0 and at most 10,000$"):
        checks.count("n", -1, 0, 10_000)
    with pytest.raises(FieldError, match=r"finite number of USD above 0 and at most 2\.5$"):
        checks.number("x", 0, 0, 2.5, above=True, unit="USD")
    with pytest.raises(FieldError, match=r"x = 1: expected a finite number of at least 2$"):
        checks.interval("x", (2, 1), 0)
    with pytest.raises(FieldError, match="expected 'steps'"):
        checks.choice("shape", "step", ("smooth", "steps"))
