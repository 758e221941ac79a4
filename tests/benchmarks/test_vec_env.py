from __future__ import annotations

import time
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import stageroute_gym  # noqa: F401
from stageroute_gym.vector import StageRouteContinuousVectorEnv
from stageroute_gym.wrappers import FlatObservation, VectorFlatObservation

sb3 = pytest.importorskip("stable_baselines3.common.vec_env")
from stageroute_agents.sb3.vec_env import NativeVecEnv  # noqa: E402

NUM_ENVS = 16


@pytest.mark.benchmark
def test_adapter_is_five_times_as_fast_as_dummy_vec_env() -> None:
    native = NativeVecEnv(VectorFlatObservation(StageRouteContinuousVectorEnv(NUM_ENVS)))
    dummy = sb3.DummyVecEnv(
        [lambda: FlatObservation(gym.make("StageRouteContinuous-v0"))] * NUM_ENVS
    )
    # Interleaved, and the best of each, since other work on the machine only ever slows down.
    times = [(_seconds(native), _seconds(dummy)) for _ in range(5)]
    ratio = min(slow for _, slow in times) / min(fast for fast, _ in times)
    print(f"NativeVecEnv over DummyVecEnv, {NUM_ENVS} envs: {ratio:.1f} times as fast")
    assert ratio >= 5


def _seconds(env: Any, steps: int = 300) -> float:
    env.seed(0)
    env.reset()
    env.action_space.seed(0)
    actions = np.stack([env.action_space.sample() for _ in range(NUM_ENVS)])
    started = time.perf_counter()
    for _ in range(steps):
        env.step(actions)
    return time.perf_counter() - started
