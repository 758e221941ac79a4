"""Pools in which one model is better: means, places, and what no agent avoids."""

from __future__ import annotations

import numpy as np
import pytest

from stageroute_gym import scenarios
from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.regrets import regrets
from stageroute_gym.problem import Problem
from stageroute_gym.testing import check_scenario
from stageroute_gym.workloads import HiddenModel

PROBLEM = Problem(horizon=1200, num_stages=6, max_deployed=2, budget=2e-3)


def test_the_scenario_is_one():
    check_scenario(scenarios.get("hidden-model"), steps=100)
    check_scenario(scenarios.get("hidden-model", pool_size=3, pool_stages=11), steps=100)


def test_one_model_of_each_pool_is_better_by_the_gap_exactly():
    workload = HiddenModel(pool_size=5, pool_stages=4, score=0.3, gap=0.123456789)
    table, schedule = workload.build(PROBLEM, 0)
    # Pools of stages 0 to 3 and 4 to 5.
    assert schedule.available.sum(axis=1).tolist() == [5] * 6
    assert schedule.available[:4, :5].all()
    assert schedule.available[4:, 5:].all()
    means = table.mean_score().reshape(2, 5)
    assert np.sort(means, axis=1)[:, :4] == pytest.approx(np.full((2, 4), 0.3), abs=1e-15)
    assert means.max(axis=1) == pytest.approx([0.423456789] * 2, abs=1e-15)
    assert (table.cost == 1e-3).all()


def test_the_place_is_drawn_by_the_seed_and_each_is_as_likely():
    workload = HiddenModel(pool_size=4, gap=0.5)
    places = [int(workload.build(PROBLEM, seed)[0].mean_score().argmax()) for seed in range(400)]
    # 100 each, of which four standard deviations are 35.
    assert np.bincount(places, minlength=4) == pytest.approx(np.full(4, 100), abs=35)
    other = PROBLEM.replace(horizon=12_000, num_stages=60)
    assert places[7] == workload.build(other, 7)[0].mean_score().argmax()


def test_the_hard_gap_by_hand_and_its_end():
    # 0.75 sqrt(2 x 6 / 1200) = 0.075.
    assert HiddenModel().gap_in(PROBLEM) == pytest.approx(0.075)
    assert HiddenModel(score=0.95).gap_in(PROBLEM) == pytest.approx(0.05)


def test_the_stage_oracle_and_the_floor_by_hand():
    # Two slots, six models: not yet seen with 2/3 in the first stage, 1/3 in the second, 0 then.
    workload = HiddenModel(pool_size=6, gap=0.4)
    assert workload.floor(PROBLEM) == pytest.approx(0.4 * 200 * (2 / 3 + 1 / 3))
    twice = HiddenModel(pool_size=6, pool_stages=3, gap=0.4)
    assert twice.floor(PROBLEM) == pytest.approx(2 * 0.4 * 200)
    # A pool that leaves after its first stage.
    cut = HiddenModel(pool_size=6, pool_stages=5, gap=0.4)
    assert cut.floor(PROBLEM) == pytest.approx(0.4 * 200 * (1 + 2 / 3))
    assert HiddenModel(pool_size=2, gap=0.4).floor(PROBLEM) == 0
    scenario = scenarios.get("hidden-model", gap=0.4, **PROBLEM.to_dict())
    assert scenario.world(3).stage_values == pytest.approx(np.full(6, 0.9))


@pytest.mark.parametrize("agent", ["stageroute(gamma=1.0)", "paced-route"])
def test_no_agent_is_below_the_floor(agent):
    scenario = scenarios.get("hidden-model", gap=0.5, horizon=2000, num_stages=10)
    found = regrets(agent, scenario, range(24))
    error = found.std(ddof=1) / np.sqrt(len(found))
    assert found.mean() > scenario.workload.floor(scenario.problem) - 3 * error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pool_size": 1}, "pool_size = 1"),
        ({"pool_stages": 0}, "pool_stages = 0"),
        ({"score": 1.0}, "score = 1.0"),
        ({"gap": 0.6}, "gap = 0.6: expected at most 1 - score = 0.5"),
        ({"gap": 0}, "gap = 0"),
        ({"difficulty": 0}, "difficulty = 0"),
    ],
)
def test_values_that_are_not_allowed_are_told(arguments, message):
    with pytest.raises(FieldError, match=message):
        HiddenModel(**arguments)
