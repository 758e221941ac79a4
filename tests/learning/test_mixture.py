from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stageroute_agents.sb3.generalist import train_generalist
from stageroute_agents.sb3.mixture import ScenarioMixture
from stageroute_agents.sb3.randomised import random_scenario
from stageroute_agents.sb3.vec_env import NativeVecEnv

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation import evaluate
from stageroute_gym.vector import StageRouteContinuousVectorEnv
from stageroute_gym.wrappers import VectorFlatObservation


def pool(horizons: list[int], **overrides: Any) -> list[NativeVecEnv]:
    return [
        NativeVecEnv(
            VectorFlatObservation(
                StageRouteContinuousVectorEnv(1, horizon=h, num_stages=2, budget=1, **overrides)
            )
        )
        for h in horizons
    ]


def test_mixture_plays_all_its_scenarios_and_the_same_ones_under_one_seed() -> None:
    horizons = [20, 30, 40, 50, 60]
    traces = []
    for _ in range(2):
        env = ScenarioMixture(pool(horizons), 2)
        env.seed(3)
        trace, ended = [env.reset()], []
        for _ in range(400):
            observations, rewards, dones, infos = env.step(np.ones((2, 11), np.float32))
            assert observations.shape == (2, *env.observation_space.shape)
            ended += [info["t"] for info, done in zip(infos, dones, strict=True) if done]
            trace += [observations, rewards, dones]
        assert set(ended) == set(horizons)
        traces.append(trace)
    for first, second in zip(*traces, strict=True):
        np.testing.assert_array_equal(first, second)


def test_mixture_says_what_it_takes() -> None:
    with pytest.raises(FieldError, match="pool"):
        ScenarioMixture(pool([20]), 2)
    with pytest.raises(FieldError, match="spaces"):
        ScenarioMixture(pool([20]) + pool([20], features="task"), 1)
    two = NativeVecEnv(VectorFlatObservation(StageRouteContinuousVectorEnv(2)))
    with pytest.raises(FieldError, match="num_envs in the pool"):
        ScenarioMixture([two], 1)


def test_random_scenarios_are_of_one_shape_and_repeat_under_one_seed(tmp_path: Path) -> None:
    drawn = []
    for _ in range(2):
        rng = np.random.default_rng(0)
        drawn.append([random_scenario(rng, tmp_path) for _ in range(6)])
    assert drawn[0] == drawn[1]
    assert {arguments["scenario"] for arguments in drawn[0]} == {"routerbench", "recorded"}
    for arguments in drawn[0]:
        env = StageRouteContinuousVectorEnv(1, **arguments)
        assert env.world.num_models == 11
        assert env.world.horizon_plan.value > 0


@pytest.mark.slow
def test_generalist_trains_and_plays_a_scenario_it_never_saw(tmp_path: Path) -> None:
    path = train_generalist(
        tmp_path / "run",
        steps=256,
        num_scenarios=4,
        num_envs=4,
        eval_interval=256,
        parameters={"n_steps": 32, "batch_size": 64},
        show_progress=False,
    )
    rows = evaluate(str(path), "routerbench-tight", [0], horizon=500, num_stages=4)
    assert rows["score"][0] >= 0
    with pytest.raises(FieldError, match="folder"):
        train_generalist(tmp_path / "run")
