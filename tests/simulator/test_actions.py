from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import InvalidAction
from gymnasium.utils.env_checker import data_equivalence as equal

from stageroute_gym.simulator import kernels

SHORT = {"horizon": 60, "num_stages": 4}
IDS = ("StageRoute-v0", "StageRouteContinuous-v0")


@pytest.mark.parametrize(
    "action",
    [-1, 12, 1.0, np.float32(1), True, None, "a", [1], [1, 2], np.array([1]), 2**70, [[1], [1, 2]]],
)
def test_a_discrete_action_outside_the_space_changes_nothing(action):
    refuse("StageRoute-v0", action)


@pytest.mark.parametrize(
    "action",
    [
        1,
        None,
        np.ones(10),
        np.ones((1, 11)),
        np.full(11, 1.01),
        np.full(11, -1.01),
        np.full(11, np.nan),
        np.full(11, np.inf),
        np.full(11, 1e300),
        np.ones(11, complex),
        np.ones(11, bool),
        ["a"] * 11,
        [[1], [1, 2]],
    ],
)
def test_a_continuous_action_outside_the_space_changes_nothing(action):
    refuse("StageRouteContinuous-v0", action)


def refuse(env_id, action) -> None:
    """The action raises InvalidAction, and the episode goes on as if it had never been tried."""
    env, untouched = gym.make(env_id, **SHORT), gym.make(env_id, **SHORT)
    for e in (env, untouched):
        e.reset(seed=0)
    good = 2 if env_id == "StageRoute-v0" else np.full(11, 0.5, np.float32)
    for _ in range(8):
        with pytest.raises(InvalidAction, match="expected"):
            env.unwrapped.step(action)
        assert equal(env.step(good), untouched.step(good), exact=True)


@pytest.mark.parametrize("kind", [np.int8, np.int32, np.int64, np.uint8, np.uint64, int])
def test_any_integer_is_a_discrete_action(kind):
    env = gym.make("StageRoute-v0", **SHORT)
    env.reset(seed=0)
    observation = env.step(kind(3))[0]
    assert observation["deployed"].tolist() == [0, 0, 0, 1] + [0] * 7
    again = env.step(np.array(kind(4)))[0]
    assert again["deployed"].sum() == 2


def test_unusual_arrays_as_actions_compile_nothing_anew():
    """A kernel compiled for each layout would stall the first such step for seconds."""
    discrete, continuous = (gym.make(env_id, **SHORT).unwrapped for env_id in IDS)
    weights = np.full(11, 0.3, np.float32)
    weights.setflags(write=False)
    number = np.array(3)
    number.setflags(write=False)
    discrete.reset(seed=0)
    continuous.reset(seed=0)
    compiled = [len(k.signatures) for k in (kernels.step_discrete, kernels.step_continuous)]
    discrete.step(number)
    continuous.step(weights)
    continuous.step(np.full((11, 2), 0.3)[:, 0])
    assert compiled == [len(k.signatures) for k in (kernels.step_discrete, kernels.step_continuous)]
