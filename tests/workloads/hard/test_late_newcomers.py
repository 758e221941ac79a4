"""Newcomers that arrive just after an update point: when they are on offer, and what waiting is."""

from __future__ import annotations

import numpy as np
import pytest

from stageroute_gym import scenarios
from stageroute_gym.errors import FieldError
from stageroute_gym.problem import Problem
from stageroute_gym.testing import check_scenario
from stageroute_gym.workloads import LateNewcomers

PROBLEM = Problem(horizon=1000, num_stages=5, max_deployed=2, budget=2e-3)


def test_the_scenario_is_one():
    check_scenario(scenarios.get("late-newcomers"), steps=100)


def test_the_stage_oracle_waits_with_the_newcomers():
    # Update points 0, 200, ..., 800; the newcomers come after those of 0 and 400.
    workload = LateNewcomers(initial_models=2)
    assert workload.arrivals(PROBLEM).tolist() == [0, 0, 1, 401]
    _, schedule = workload.build(PROBLEM)
    assert schedule.available[:, 2].tolist() == [False, True, True, True, True]
    assert schedule.available[:, 3].tolist() == [False, False, False, True, True]
    scenario = scenarios.get("late-newcomers", initial_models=2, **PROBLEM.to_dict())
    assert scenario.world().stage_values == pytest.approx([0.1, 0.5, 0.5, 0.9, 0.9])


def test_the_cost_of_waiting_by_hand():
    # 0.4 more on the 199 queries from 1 to 199, and again from 401 to 599.
    assert LateNewcomers().waiting_cost(PROBLEM) == pytest.approx(2 * 199 * 0.4)
    late = LateNewcomers(lateness=150)
    assert late.waiting_cost(PROBLEM) == pytest.approx(2 * 50 * 0.4)


def test_the_cost_of_waiting_knows_throughput_and_overlaps():
    # A model may serve half: the newcomer makes half of its advantage.
    half = PROBLEM.replace(throughput=0.5)
    # Of the second, half of 0.9 and half of 0.5, where half of 0.5 and half of 0.1 were.
    assert LateNewcomers().waiting_cost(half) == pytest.approx(199 * (0.5 * 0.4 + 0.5 * 0.8))
    # All three wait for the second stage, the last one's 0.9 counts: queries 1 to 499.
    two = PROBLEM.replace(num_stages=2)
    three = LateNewcomers(newcomers=4, step=0.2)
    assert three.waiting_cost(two) == pytest.approx(499 * 0.8)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"initial_models": 0}, "initial_models = 0"),
        ({"newcomers": 0}, "newcomers = 0"),
        ({"step": 0.5}, r"step = 0.5: expected at most \(1 - score\) / newcomers = 0.45"),
        ({"score": -0.1}, "score = -0.1"),
        ({"lateness": 0}, "lateness = 0"),
    ],
)
def test_values_that_are_not_allowed_are_told(arguments, message):
    with pytest.raises(FieldError, match=message):
        LateNewcomers(**arguments)


def test_a_newcomer_that_nobody_can_ever_use_is_told():
    with pytest.raises(FieldError, match="num_stages = 1: expected an update point after"):
        LateNewcomers().build(PROBLEM.replace(num_stages=1))


def test_means_are_exact():
    table, _ = LateNewcomers(newcomers=3, step=0.3).build(PROBLEM)
    assert table.mean_score() == pytest.approx([0.1] * 6 + [0.4, 0.7, 1.0], abs=1e-15)
    assert np.unique(table.list_price).tolist() == [1e-3]
