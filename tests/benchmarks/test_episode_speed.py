from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from ratios import assert_faster
from scipy.optimize import linprog
from stageroute_agents.stageroute import StageRoute

from stageroute_gym.benchmark.probe import probe
from stageroute_gym.benchmark.timing import Task
from stageroute_gym.benchmark.worlds import Size

pytestmark = [pytest.mark.benchmark, pytest.mark.xdist_group("benchmark")]

SLOW_QUERIES = 200


class StageRouteByLinprog(StageRoute):
    """StageRoute, with RouteOPT by scipy."""

    def shares(self, batch, state, rows):
        score, cost = self.estimates(batch, state, rows)
        caps = self.throughput * batch["deployed"]
        size = caps.shape[1]
        result = linprog(
            -score[0],
            A_ub=cost / self.problem.budget,
            b_ub=np.ones(1),
            A_eq=np.ones((1, size)),
            b_eq=np.ones(1),
            bounds=np.stack([np.zeros(size), caps[0]], axis=1),
            method="highs",
        )
        assert result.status == 0
        return result.x[None]


def _episode(agent_class, queries):
    """The first queries of an episode, its deploy steps among them."""
    # The rule soft, so that the episode goes to its end; sharing changes nothing of a step's cost.
    env = gym.make("StageRouteContinuous-v0", scenario="paper", budget_rule="soft")

    def play():
        agent = agent_class(env.unwrapped.agent_context)
        observation, info = env.reset(seed=0)
        state, terminated = None, False
        while info["t"] < queries and not terminated:
            action, state = agent.predict(observation, state)
            observation, _, terminated, _, info = env.step(action)
        assert info["t"] == queries

    return Task(play, units=queries)


def test_a_paper_episode_is_30_times_faster_than_with_linprog():
    # An episode by linprog takes minutes: its first queries stand for all, as time a query.
    horizon = gym.make("StageRouteContinuous-v0", scenario="paper").unwrapped.problem.horizon
    fast, slow = _episode(StageRoute, horizon), _episode(StageRouteByLinprog, SLOW_QUERIES)
    what = f"a paper episode, against {SLOW_QUERIES} of its queries by linprog"
    assert_faster(fast, slow, 30, what, rounds=3)


def test_memory_does_not_grow_with_the_horizon():
    short, long = (probe(4, Size(10, 5, horizon), 2 * horizon) for horizon in (500, 50_000))
    if short["memory"] is None:
        pytest.skip("this system does not tell how much memory a process takes")
    assert long["steps"] >= 50_000
    ratio = long["memory"] / short["memory"]
    print(f"peak memory, T = 50,000 against T = 500: {ratio:.3f}")
    assert ratio < 1.05
