from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from speeds import quick_ones

import stageroute_gym  # noqa: F401
from stageroute_gym.errors import FieldError
from stageroute_gym.flat import StageRouteContinuousFlatVectorEnv, StageRouteFlatVectorEnv
from stageroute_gym.vector import StageRouteContinuousVectorEnv, StageRouteVectorEnv
from stageroute_gym.wrappers import (
    BudgetPrice,
    FlatObservation,
    HoldDecision,
    VectorBudgetPrice,
    VectorFlatObservation,
    VectorHoldDecision,
)

sb3 = pytest.importorskip("stable_baselines3.common.vec_env")
from stageroute_agents.sb3.vec_env import JoinedVecEnv, NativeVecEnv  # noqa: E402

SMALL = {"horizon": 300, "num_stages": 4, "budget": 1e-3}
KINDS = {
    "StageRoute-v0": StageRouteVectorEnv,
    "StageRouteContinuous-v0": StageRouteContinuousVectorEnv,
}
FLAT = {
    "StageRouteFlat-v0": StageRouteFlatVectorEnv,
    "StageRouteContinuousFlat-v0": StageRouteContinuousFlatVectorEnv,
}
Wrap = Callable[[Any], Any]
STACKS: dict[str, tuple[Wrap, Wrap]] = {
    "raw": (lambda env: env, lambda env: env),
    "flat": (
        lambda env: FlatObservation(BudgetPrice(HoldDecision(env, queries=9), price=0.1)),
        lambda env: VectorFlatObservation(
            VectorBudgetPrice(VectorHoldDecision(env, queries=9), price=0.1)
        ),
    ),
}


@pytest.mark.parametrize("env_id", KINDS)
@pytest.mark.parametrize("stack", quick_ones(STACKS, "raw"))
def test_transitions_equal_those_of_dummy_vec_env(env_id: str, stack: str) -> None:
    single, vector = STACKS[stack]
    dummy = sb3.DummyVecEnv([lambda: single(gym.make(env_id, **SMALL))] * 3)
    _compare(NativeVecEnv(vector(KINDS[env_id](3, **SMALL))), dummy)


@pytest.mark.slow
@pytest.mark.parametrize("env_id", FLAT)
def test_flat_transitions_equal_those_of_dummy_vec_env(env_id: str) -> None:
    dummy = sb3.DummyVecEnv([lambda: gym.make(env_id, **SMALL)] * 3)
    _compare(NativeVecEnv(FLAT[env_id](3, **SMALL)), dummy)


def _compare(native: NativeVecEnv, dummy: Any) -> None:
    assert native.observation_space == dummy.observation_space
    assert native.action_space == dummy.action_space
    dummy.seed(7)
    native.seed(7)
    _assert_equal(native.reset(), dummy.reset())
    dummy.action_space.seed(0)
    ended = 0
    for step in range(700):
        for info, other in zip(native.reset_infos, dummy.reset_infos, strict=True):
            _assert_equal(info, other)
        masks = dummy.env_method("action_masks")
        _assert_equal(native.env_method("action_masks"), masks)
        actions = np.stack([_action(dummy.action_space, mask, step) for mask in masks])
        observations, rewards, dones, infos = native.step(actions)
        others = dummy.step(actions)
        _assert_equal(observations, others[0])
        _assert_equal(rewards, others[1])
        assert rewards.dtype == others[1].dtype
        _assert_equal(dones, others[2])
        for info, other in zip(infos, others[3], strict=True):
            _assert_equal(info, other)
        ended += int(dones.sum())
    assert ended >= 3
    native.close()


def test_joined_environments_have_the_transitions_of_each_alone() -> None:
    def parts() -> list[NativeVecEnv]:
        return [
            NativeVecEnv(VectorFlatObservation(StageRouteContinuousVectorEnv(rows, **SMALL, **own)))
            for rows, own in ((2, {}), (3, {"max_deployed": 3}))
        ]

    alone, joined = parts(), JoinedVecEnv(parts())
    joined.seed(7)
    alone[0].seed(7)
    alone[1].seed(9)
    _assert_equal(joined.reset(), np.concatenate([part.reset() for part in alone]))
    assert joined.get_attr("problem")[1:3] == [part.get_attr("problem")[0] for part in alone]
    rng, ended = np.random.default_rng(0), 0
    for _ in range(400):
        actions = rng.uniform(-1, 1, (5, 11)).astype(np.float32)
        masks = [mask() for part in alone for mask in part.get_attr("action_masks")]
        _assert_equal(joined.env_method("action_masks"), masks)
        stepped = joined.step(actions)
        each = [part.step(own) for part, own in zip(alone, np.split(actions, [2]), strict=True)]
        for place in range(3):
            _assert_equal(stepped[place], np.concatenate([step[place] for step in each]))
        for info, other in zip(stepped[3], each[0][3] + each[1][3], strict=True):
            _assert_equal(info, other)
        ended += int(stepped[2].sum())
    assert ended >= 5
    joined.close()


@pytest.mark.parametrize("wrapper", ["VecMonitor", "VecNormalize"])
def test_wrappers_of_stable_baselines_work(wrapper: str) -> None:
    env = NativeVecEnv(VectorFlatObservation(StageRouteContinuousVectorEnv(2, **SMALL)))
    wrapped = getattr(sb3, wrapper)(env)
    wrapped.reset()
    lengths = []
    for _ in range(310):
        _, _, _, infos = wrapped.step(np.ones((2, 11), np.float32))
        lengths += [info["episode"]["l"] for info in infos if "episode" in info]
    if wrapper == "VecMonitor":
        assert lengths
        assert all(length <= 304 for length in lengths)


def test_maskable_ppo_never_plays_a_forbidden_action() -> None:
    contrib = pytest.importorskip("sb3_contrib")
    env = NativeVecEnv(VectorFlatObservation(StageRouteVectorEnv(2, **SMALL)))
    model = contrib.MaskablePPO("MlpPolicy", env, n_steps=64, batch_size=32, seed=0, device="cpu")
    model.learn(256)
    assert [info["invalid_actions"] for info in _infos(env)] == [0, 0]


def test_adapter_says_what_it_takes() -> None:
    with pytest.raises(FieldError, match="StageRouteVectorEnv"):
        NativeVecEnv(gym.make_vec("CartPole-v1", num_envs=2))
    env = NativeVecEnv(StageRouteVectorEnv(2, **SMALL))
    with pytest.raises(FieldError, match="action_masks"):
        env.env_method("reset")
    with pytest.raises(FieldError, match="budget"):
        env.set_attr("budget", 1)
    assert env.get_attr("problem")[1].horizon == 300
    assert not env.has_attr("colour")


def _infos(env: NativeVecEnv) -> list[dict[str, Any]]:
    masks = np.stack(env.env_method("action_masks"))
    return env.step(masks.argmax(axis=1))[3]


def _action(space: gym.Space[Any], mask: Any, step: int) -> Any:
    # Now and then a forbidden action, which must count alike on both sides.
    if isinstance(space, gym.spaces.Discrete) and step % 10:
        return space.sample(mask.astype(np.int8))
    return space.sample()


def _assert_equal(actual: Any, expected: Any) -> None:
    if isinstance(expected, dict):
        assert sorted(actual) == sorted(expected)
        for key, value in expected.items():
            _assert_equal(actual[key], value)
        return
    np.testing.assert_array_equal(actual, expected)
