from __future__ import annotations

from functools import partial

import gymnasium as gym
import numpy as np
import pytest
from ratios import assert_faster

from stageroute_gym.benchmark.deciding import SHORT, play_window
from stageroute_gym.benchmark.environments import (
    CARTPOLE,
    IDS,
    STEPS,
    make_vector,
    single_task,
    vector_task,
)
from stageroute_gym.benchmark.growth import EPISODES
from stageroute_gym.benchmark.worlds import Size, legal_actions, random_scenario

pytestmark = [pytest.mark.benchmark, pytest.mark.xdist_group("benchmark")]


@pytest.mark.parametrize("kind", [int, np.int64], ids=["int", "np.int64"])
def test_a_single_environment_steps_as_fast_as_cartpole(kind):
    """With plain ints, and with what `action_space.sample()` and `predict` return."""
    fast, slow = (single_task(env_id, kind=kind) for env_id in (IDS[0], CARTPOLE))
    assert_faster(fast, slow, 1.0, f"gym.make with {kind.__name__}, against CartPole")


def test_1024_environments_step_about_as_fast_as_cartpole():
    # The goal is 1.0; on one idle machine 0.95 to 1.10 were measured within a minute. For 1,024
    # episodes of ours fill the caches, those of CartPole 32 kB: what shares the host's last
    # cache slows only ours, to 0.88 on a continuous-integration host when it was 1.03 elsewhere.
    fast, slow = vector_task(IDS[0], 1024), vector_task(CARTPOLE, 1024)
    assert_faster(fast, slow, 0.75, "1,024 environments, against CartPole")


@pytest.mark.parametrize("env_id", IDS)
def test_a_batch_of_stageroute_decides_a_fifteenth_as_fast_as_cartpole_steps(env_id):
    # The goal is a million decisions a second; CartPole's vector environment makes 15 million
    # steps on the machine where the goal was set.
    window = play_window("stageroute", env_id, 1024, **SHORT)
    what = f"1,024 decisions of StageRoute, {env_id}, against CartPole's steps"
    assert_faster(window.routing_task(), vector_task(CARTPOLE, 1024), 1 / 15, what)


def test_a_step_costs_no_more_than_in_proportion_to_the_models():
    few, many = (
        vector_task(IDS[0], EPISODES, scenario=random_scenario(Size(models, 5, 10_000)))
        for models in (10, 1000)
    )
    assert_faster(many, few, 1 / 100, "N = 1,000 against N = 10")


@pytest.mark.parametrize("task", [single_task, partial(vector_task, num_envs=64)])
def test_32_features_cost_less_than_a_fifth_of_a_step_s_speed(task):
    told, blind = (task(IDS[0], scenario="per-query", num_features=size) for size in (32, 1))
    assert_faster(told, blind, 0.8, "32 features a query against 1")


@pytest.mark.parametrize("env_id", IDS)
def test_the_actions_prepared_are_legal(env_id):
    env = make_vector(env_id, 8)
    env.reset(seed=0)
    turns = legal_actions(env.world, 8, continuous=env.continuous)
    for step in range(1000):
        *_, info = env.step(turns[step % len(turns)])
    assert (info["invalid_actions"] == 0).all()
    assert (info["declined"] == 0).all()


def test_the_cartpole_that_is_compared_with_never_falls():
    from stageroute_gym.benchmark.environments import _single_actions

    env = gym.make(CARTPOLE)
    actions = _single_actions(env, int)
    env.reset(seed=0)
    assert len(actions) == STEPS
    assert not any(env.step(action)[2] for action in actions)
