"""No agent raises, warns or breaks a limit, whatever the scale of the world."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from scaled_worlds import scaled_worlds
from stageroute_agents import make, names
from worlds import make_env, make_world

from stageroute_gym.simulator.world import World


def play(name: str, env: Any) -> dict[str, Any]:
    """The last ``info`` of an episode in which each action respects the limits."""
    agent, problem = make(name, env), env.problem
    observation, info = env.reset(seed=0)
    state, over = None, False
    while not over:
        action, state = agent.predict(observation, state)
        if env.continuous:
            assert np.isfinite(action).all()
            if observation["phase"][0] > 0:
                assert (action <= observation["throughput"] + 1e-6).all()
                assert action.sum() <= 1 + 1e-5
            else:
                assert (action > 0).sum() <= problem.max_deployed
        observation, _, over, _, info = env.step(action)
    return info


@pytest.mark.slow
@pytest.mark.parametrize("continuous", [False, True])
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(world=scaled_worlds())
def test_every_agent_keeps_the_limits_on_any_scale(continuous: bool, world: World) -> None:
    env = make_env(world, continuous=continuous)
    for name in names():
        try:
            info = play(name, env)
        except Exception as error:
            error.add_note(f"agent {name}")
            raise
        assert info["invalid_actions"] == 0, name


@pytest.mark.parametrize("name", names())
def test_free_models_are_as_good_as_nearly_free_ones(name: str) -> None:
    """All costs 0 against all costs 1e-12, which the observation's budget does not notice."""
    played = []
    for cost in (0.0, 1e-12):
        world = make_world(models=4, horizon=80, throughput=0.6)
        costs = np.full(world.table.cost.shape, cost)
        table = dataclasses.replace(world.table, cost=costs, list_price=np.zeros(4))
        env = make_env(World(world.problem, table, world.schedule), continuous=True)
        played.append(play(name, env))
    assert played[0]["score"] == played[1]["score"]
    assert played[0]["declined"] == played[1]["declined"] == 0
    assert played[0]["regret"] == pytest.approx(played[1]["regret"], abs=1e-9)
