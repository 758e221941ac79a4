from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import pytest
from gymnasium.vector import VectorEnv

import stageroute_gym  # noqa: F401

IDS = ("StageRoute-v0", "StageRouteContinuous-v0")
# Short, with several stages, and so tight that the rule `hard` ends most episodes early.
SMALL = {"horizon": 400, "num_stages": 5, "budget": 1e-3}


@pytest.fixture(params=IDS)
def env_id(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def single(env_id: str) -> Callable[..., gym.Env[Any, Any]]:
    return lambda **overrides: gym.make(env_id, **{**SMALL, **overrides})


@pytest.fixture
def vector(env_id: str) -> Callable[..., VectorEnv[Any, Any, Any]]:
    return lambda num_envs, **overrides: gym.make_vec(
        env_id,
        num_envs=num_envs,
        vectorization_mode="vector_entry_point",
        **{**SMALL, **overrides},
    )
