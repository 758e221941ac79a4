"""Families of worlds: a world by its number, with a problem of its own."""

from __future__ import annotations

import json

import gymnasium as gym
import pytest

from stageroute_gym import scenarios
from stageroute_gym.errors import FieldError


@pytest.mark.parametrize("env_id", ["StageRoute-v0", "StageRouteContinuous-v0"])
def test_a_number_makes_the_environment_and_its_spec_can_be_written(env_id):
    env = gym.make(env_id, scenario="worlds-tune", world=2)
    other = gym.make(env_id, scenario="worlds-tune", world=3)
    assert env.unwrapped.world.num_models == 29
    assert other.unwrapped.world.num_models == 5
    assert other.unwrapped.problem.horizon != env.unwrapped.problem.horizon
    copy = gym.make(type(env.spec).from_json(env.spec.to_json()))
    assert copy.unwrapped.problem == env.unwrapped.problem
    observation, _ = env.reset(seed=0)
    assert env.observation_space.contains(observation)


def test_name_and_number_mean_the_same():
    by_name = scenarios.get("worlds-tune-17", burst=3)
    assert by_name == scenarios.get("worlds-tune", world=17, burst=3)
    assert by_name.name == "worlds-tune-17"
    assert json.loads(json.dumps(by_name.to_dict()))["strata"]["budget"] in (
        "scarce",
        "tight",
        "middle",
        "loose",
    )


def test_what_the_user_chose_stays_in_every_world():
    chosen = scenarios.get("worlds-tune", horizon=40, budget=0.5)
    moved = chosen.override(world=5)
    drawn = scenarios.get("worlds-tune-5").problem
    assert (moved.problem.horizon, moved.problem.budget) == (40, 0.5)
    assert moved.problem.throughput == drawn.throughput
    assert len(scenarios.get("worlds-tune-3", horizon=40).problem.stage_lengths) == 40


def test_unknown_numbers_and_names_are_told():
    with pytest.raises(FieldError, match="world = 10000000000"):
        scenarios.get("worlds-tune", world=10**10)
    with pytest.raises(FieldError, match="scenario = 'worlds-tuna-3'"):
        scenarios.get("worlds-tuna-3")
    with pytest.raises(FieldError, match="scenario = 'routerbench-3'"):
        scenarios.get("routerbench-3")


@pytest.mark.parametrize("half", ["tune", "test"])
def test_the_suite_is_the_first_worlds_but_the_longest(half):
    listed = scenarios.suite(f"worlds-{half}").scenarios
    short = [
        f"worlds-{half}-{number}"
        for number in range(48)
        if scenarios.get(f"worlds-{half}", world=number).problem.horizon <= 20_000
    ]
    assert list(listed) == short
