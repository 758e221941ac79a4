"""What a trial is worth: against simulation, and when it is worth nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stageroute_agents.paced.trials import bound_rows, expected_gain, indifference, trial_bonus

positive = st.floats(1e-4, 1.0)


def test_expected_gain_is_that_of_a_normal():
    draws = np.random.default_rng(0).standard_normal(400_000)
    for z in (0.0, 0.5, 2.0):
        assert expected_gain(z) == pytest.approx(np.maximum(draws - z, 0).mean(), abs=2e-3)


@pytest.mark.parametrize("ratio", [0.0, 1.0, 10.0, 1e4])
def test_indifference_solves_its_equation(ratio):
    z = indifference(ratio)
    assert z == pytest.approx(ratio * expected_gain(z), abs=1e-9)


def value_of_trial(s, noise, queries, trial, alternative):
    """Expected score above always taking the alternative, of a trial and the better one then."""
    after = s * s / math.sqrt(s * s + noise * noise / trial)
    return -trial * alternative + (queries - trial) * after * expected_gain(alternative / after)


@pytest.mark.parametrize(("s", "noise", "queries"), [(0.2, 0.45, 500), (0.05, 0.01, 64)])
def test_at_its_bonus_the_best_trial_is_worth_nothing(s, noise, queries):
    bonus = trial_bonus(s, noise, float(queries), 1.0)
    best = [value_of_trial(s, noise, queries, b, bonus) for b in range(1, queries)]
    # Lengths that double find the best one nearly.
    assert max(best) == pytest.approx(0.0, abs=0.02 * s * queries)
    assert max(value_of_trial(s, noise, queries, b, 0.8 * bonus) for b in range(1, queries)) > 0


@given(positive, positive, st.floats(2, 1e6))
def test_more_to_gain_or_more_time_is_worth_more(s, noise, queries):
    bonus = trial_bonus(s, noise, queries, 1.0)
    assert 0.0 <= bonus <= 10 * s
    assert trial_bonus(s, noise, 2 * queries, 1.0) >= bonus
    assert trial_bonus(s, 2 * noise, queries, 1.0) <= bonus + 1e-12
    assert trial_bonus(2 * s, noise, queries, 1.0) >= bonus
    assert trial_bonus(s, noise, queries, queries / 2) <= bonus * (1 + 1e-2)


def test_at_the_end_and_in_the_last_stage_nothing_is_worth_a_trial():
    assert trial_bonus(0.2, 0.4, 1.0, 1.0) == trial_bonus(0.2, 0.4, 100.0, 100.0) == 0.0
    assert trial_bonus(0.0, 0.4, 100.0, 1.0) == 0.0
    assert trial_bonus(0.2, 0.4, -5.0, 1.0) == 0.0


def test_bounds_of_rows():
    score, deviation = np.full((2, 3), 0.5), np.full((2, 3), 0.1)
    noise, caps = np.full((2, 3), 0.3), np.array([[1.0, 0.5, 0.0], [1.0, 0.5, 0.0]])
    bound = np.empty((2, 3))
    queries, trial = np.array([100, 100]), np.array([1, 100])
    bound_rows(score, deviation, noise, caps, queries, trial, 2.0, bound)
    assert bound[0, 0] == 0.5 + 2 * trial_bonus(0.1, 0.3, 100.0, 1.0)
    assert bound[0, 1] == 0.5 + 2 * trial_bonus(0.1, 0.3, 50.0, 1.0)
    assert (bound[:, 2] == 0.5).all()  # not on offer
    assert (bound[1] == 0.5).all()  # the last stage
