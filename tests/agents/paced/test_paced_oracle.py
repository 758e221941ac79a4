"""PacedOracle knows the truth of the stage, and loses less than what has to be learned."""

from __future__ import annotations

import numpy as np
import pytest
from stageroute_agents.paced.paced_oracle import PacedOracle

from stageroute_gym.evaluation import compare, evaluate
from stageroute_gym.oracles import oracles_of
from stageroute_gym.vector import StageRouteContinuousVectorEnv


@pytest.mark.parametrize("scenario", ["price-cut", "per-task", "drift"])
def test_its_means_are_the_world_s(scenario):
    env = StageRouteContinuousVectorEnv(1, scenario=scenario)
    agent, world = PacedOracle(env.agent_context, world=env.world), env.world
    if scenario == "per-task":
        # The features stand in the order of the tasks.
        np.testing.assert_allclose(agent.true_score, oracles_of(world).task_means.score, atol=1e-12)
        np.testing.assert_allclose(agent.true_cost, oracles_of(world).task_means.cost, atol=1e-12)
    else:
        np.testing.assert_allclose(agent.true_score[:, 0], world.mean_score, atol=1e-12)
        np.testing.assert_allclose(agent.true_cost[:, 0], world.mean_cost, atol=1e-12)


def test_it_follows_the_stages():
    env = StageRouteContinuousVectorEnv(1, scenario="price-cut", horizon=440)
    agent, state = PacedOracle(env.agent_context, world=env.world), None
    observation, _ = env.reset(seed=0)
    dearest = []
    for _ in range(440 + 22):
        action, state = agent.predict(observation, state)
        dearest.append(state["cost"][0, 0].max())
        observation, *_ = env.step(action)
    np.testing.assert_allclose(dearest[0], env.world.mean_cost[0].max())
    assert dearest[-1] < dearest[0]


@pytest.mark.slow
def test_learning_is_all_that_it_saves():
    seeds = range(3_000, 3_008)
    rows = [evaluate(name, "routerbench-loose", seeds) for name in ("paced-oracle", "paced-route")]
    ahead = compare(rows[0].vstack(rows[1]), "paced-oracle", "paced-route")
    assert 0 < ahead["low"][0] < ahead["high"][0] < 0.03
