"""StageRoute's parameters against bounds worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from agent_cases import ONE, agent_for, batch, outcome
from stageroute_agents import make
from worlds import make_env, make_world

from stageroute_gym.errors import FieldError

SCORES, COSTS = (0.2, 0.6, 0.7), (1.0, 2.0, 3.0)
WITH_VARIANCE = {"variance": "empirical", "cost_scale": 2.0}


def test_the_empirical_variance_takes_the_place_of_the_mean():
    agent = agent_for("stageroute", WITH_VARIANCE)
    state = agent.initial_state(1)
    for score, cost in zip(SCORES, COSTS, strict=True):
        agent.learn(batch(), state, outcome(1, score, cost))
    seen = batch(pulls=[0, 3], mean_score=[0.0, 0.5], mean_cost=[0.0, 2.0])
    score, cost = agent.estimates(seen, state, ONE)
    # n + 1 = 4; variances 0.14 / 3 and (1 + 0 + 1) / 3 USD^2, as a share of 2 USD a quarter of it.
    wide = 2 * (math.sqrt(0.1 * 0.14 / 3 / 4) + 0.1 / 4)
    np.testing.assert_allclose(score, [[1.0, 0.5 + wide]])
    wide = 2 * (math.sqrt(0.1 * (2 / 3) / 4 / 4) + 0.1 / 4)
    np.testing.assert_allclose(cost, [[0.5, 2 * (1.0 - wide)]])


def test_the_joint_radius_is_wider_and_used_in_both_programmes():
    agent = agent_for("stageroute", {"radius": "joint", "cost_scale": 2.0})
    seen = batch(pulls=[0, 99], mean_score=[0.0, 0.5], mean_cost=[0.0, 2.0])
    score, cost = agent.estimates(seen, {}, ONE)
    wide = 2 * math.sqrt(0.1 * 0.5 / 100 + 0.1 / 100)
    np.testing.assert_allclose(score, [[1.0, 0.5 + wide]])
    wide = 2 * math.sqrt(0.1 * 1.0 / 100 + 0.1 / 100)
    np.testing.assert_allclose(cost, [[0.5, 2 * (1.0 - wide)]])
    # RouteOPT: both deployed, budget 1 USD: as much as it pays for goes to the dearer, better one.
    seen = batch(pulls=[99, 99], mean_score=[0.3, 0.5], mean_cost=[0.5, 2.0])
    expected = (1.0 - 0.5) / (2 * (1.0 - wide) - 0.5)
    np.testing.assert_allclose(agent.shares(seen, {}, ONE), [[1 - expected, expected]])


def test_part_of_the_budget_can_be_held_back():
    agent = agent_for("stageroute", {"epsilon": 0.25})
    np.testing.assert_array_equal(agent.budgets(batch()), [0.75])


def test_only_variances_are_remembered_and_cost_memory():
    env = make_env(make_world(features=2), continuous=True)
    assert set(make("stageroute", env).initial_state(3)) == {"key", "plan"}
    kept = make("stageroute", env, variance="empirical").initial_state(3)
    assert set(kept) == {"key", "plan", "queries", "sums"}


def test_variances_follow_late_outcomes():
    env = make_env(make_world(feedback_delay=3, budget_rule="soft"), continuous=True)
    agent, state, over = make("stageroute", env, variance="empirical"), None, False
    observation, _ = env.reset(seed=0)
    while not over:
        action, state = agent.predict(observation, state)
        np.testing.assert_array_equal(state["sums"][0, :, 0], observation["pulls"])
        score = state["sums"][0, :, 1] / np.maximum(observation["pulls"], 1)
        np.testing.assert_allclose(score, observation["mean_score"], atol=1e-6)
        observation, _, over, _, _ = env.step(action)


def test_wrong_parameters_are_named():
    with pytest.raises(FieldError, match=r"^radius = 'squared'"):
        agent_for("stageroute", {"radius": "squared"})
    with pytest.raises(FieldError, match=r"^variance = 'none'"):
        agent_for("stageroute", {"variance": "none"})
    with pytest.raises(FieldError, match=r"^epsilon = 1\.0: .* below 1"):
        agent_for("stageroute", {"epsilon": 1.0})
