"""Epsilon-greedy, CUCB, explore-then-commit: cases computed by hand."""

from __future__ import annotations

import math

import numpy as np
from agent_cases import ONE, agent_for, batch, outcome
from stageroute_agents import make
from worlds import make_vector, make_world


def test_epsilon_greedy_explores_a_fixed_share_and_paces_its_budget():
    agent = agent_for("epsilon-greedy", {"epsilon": 0.2})
    np.testing.assert_allclose(agent.budgets(batch(progress=[0.75, 0], budget_left=[0.5])), [2.0])
    rich = batch(mean_score=[0.2, 0.9], mean_cost=[0.5, 1.5], budget_left=[0.9])
    np.testing.assert_allclose(agent.shares(rich, {}, ONE), [[0.1, 0.9]])
    poor = batch(mean_score=[0.2, 0.9], mean_cost=[0.5, 1.5], budget_left=[0.1])
    np.testing.assert_allclose(agent.shares(poor, {}, ONE), [[0.9, 0.1]])


def test_cucb_pads_by_the_published_radius():
    agent = agent_for("cucb")
    seen = batch(pulls=[60, 0], mean_score=[0.3, 0], progress=[0.6, 0])
    score, cost = agent.estimates(seen, {}, ONE)
    np.testing.assert_allclose(score, [[0.3 + math.sqrt(1.5 * math.log(61) / 60), 1.0]], rtol=1e-6)
    np.testing.assert_allclose(cost, [[1.0, 0.5]])


def test_explore_then_commit_explores_then_holds_on_to_its_means():
    agent = agent_for("explore-then-commit", {"m": 20})
    state = agent.initial_state(1)
    early = batch(pulls=[20, 15], mean_score=[0.9, 0.5], mean_cost=[2.5, 0.5])
    agent.learn(early, state, outcome(-1, 0.0, 0.0))
    np.testing.assert_allclose(agent.shares(early, state, ONE), [[0.0, 1.0]], atol=1e-6)
    later = batch(pulls=[90, 20], mean_score=[0.0, 0.5], mean_cost=[9.0, 0.5])
    agent.learn(later, state, outcome(-1, 0.0, 0.0))
    # Committed to 0.9 for 2.5 USD and 0.5 for 0.5 USD, whatever came after the 20th try.
    np.testing.assert_allclose(agent.shares(later, state, ONE), [[0.25, 0.75]], atol=1e-6)


def test_all_algorithms_without_slots_deploy_what_their_index_ranks_best():
    world = make_world(models=6, max_deployed=3)
    env = make_vector(world, 2, continuous=True)
    for name in ("pd-bwk", "linucb", "paretobandit", "ucb-bwk", "sw-ucb", "d-ucb"):
        agent = make(name, env)
        seen = batch(models=6, phase=[0], pulls=np.arange(1, 7), deployed=np.zeros(6))
        seen["mean_score"] = np.linspace(0.1, 0.9, 6, dtype=np.float32)[None]
        state = agent.initial_state(1)
        index = agent.index(seen, state, ONE, np.ones((1, 6)))
        chosen = agent.plan(seen, state, ONE)[0]
        assert chosen.sum() == 3
        assert index[0, chosen].min() >= index[0, ~chosen].max()
