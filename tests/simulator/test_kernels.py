from __future__ import annotations

import numpy as np
import pytest
from gymnasium.utils import seeding
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import Reference
from worlds import make_env, make_world, random_action, worlds

from stageroute_gym.simulator.episodes import draw_key


def assert_same_observation(actual, expected) -> None:
    assert list(actual) == list(expected)
    for name, values in expected.items():
        # Sums taken in another order differ in the last bits, which float32 mostly hides.
        np.testing.assert_allclose(
            actual[name], np.array(values, actual[name].dtype), rtol=2e-7, atol=1e-7, err_msg=name
        )


def assert_same_info(actual, expected) -> None:
    assert list(actual) == list(expected)
    for name, value in expected.items():
        assert type(actual[name]) is type(value), name
        assert actual[name] == pytest.approx(value, rel=1e-12, abs=1e-12), name


def play_beside_reference(world, seed, *, continuous, lawless) -> Reference:
    """Play both at once and compare every step; the finished reference."""
    env = make_env(world, continuous=continuous)
    rng = np.random.default_rng(seed)
    observation, info = env.reset(seed=seed)
    generator, _ = seeding.np_random(seed)
    reference = Reference(world, int(draw_key(generator)[0]), continuous=continuous)
    assert_same_observation(observation, reference.observation())
    assert_same_info(info, reference.info())
    while not reference.over:
        mask = observation["action_mask"]
        action = random_action(rng, mask, continuous=continuous, lawless=lawless)
        observation, reward, terminated, truncated, info = env.step(action)
        expected, expected_reward, over, expected_info = reference.step(action)
        assert (reward, terminated, truncated) == (expected_reward, over, False)
        assert_same_observation(observation, expected)
        assert_same_info(info, expected_info)
    return reference


@pytest.mark.slow
@pytest.mark.parametrize("continuous", [False, True])
@settings(max_examples=120, deadline=None)
@given(world=worlds(), seed=st.integers(0, 1000), lawless=st.sampled_from([0.0, 0.2, 1.0]))
def test_every_step_equals_the_reference(continuous, world, seed, lawless):
    reference = play_beside_reference(world, seed, continuous=continuous, lawless=lawless)
    assert reference.invalid == 0 or lawless > 0


@pytest.mark.slow
@pytest.mark.parametrize("continuous", [False, True])
def test_a_long_episode_equals_the_reference(continuous):
    """Long enough that token buckets run dry and fill, and that sums could drift apart."""
    world = make_world(
        models=8,
        rows=200,
        horizon=2000,
        stages=7,
        mixes=3,
        features=2,
        constant_prices=False,
        max_deployed=4,
        throughput=0.3,
        budget_rule="soft",
        deployment_cost=0.5,
        feedback_delay=17,
        feedback_rate=0.3,
        activation_delay=29,
        failure_rate=0.1,
        available=np.arange(7)[:, None] * 2 >= np.arange(8)[None, :] - 1,
    )
    reference = play_beside_reference(world, 5, continuous=continuous, lawless=0.05)
    assert reference.t == 2000
    assert reference.declined > 0
    assert reference.activations > 4
