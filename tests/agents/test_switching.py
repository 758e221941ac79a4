"""The policies that forget against cases computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from agent_cases import ONE, agent_for, batch, outcome


def test_the_sliding_window_holds_the_last_tau_queries():
    agent = agent_for("sw-ucb", {"tau": 4, "xi": 0.6})
    state = agent.initial_state(1)
    history = [(0, 1.0, 2.0), (1, 0.5, 1.0), (1, 0.1, 3.0), (-1, 0.0, 0.0), (1, 0.3, 1.0)]
    for number, (model, score, cost) in enumerate([*history, (0, 0.6, 0.7)], start=1):
        state["queries"][:] = number
        agent.learn(batch(), state, outcome(model, score, cost, number - 1))
    # Left: (1, 0.1, 3), declined, (1, 0.3, 1), (0, 0.6, 0.7).
    score, cost = agent.estimates(batch(), state, ONE)
    pad = 0.6 * math.log(4)
    np.testing.assert_allclose(score, [[0.6 + math.sqrt(pad), 0.2 + math.sqrt(pad / 2)]])
    np.testing.assert_allclose(cost, [[0.7, 2.0]])


def test_discounted_ucb_weighs_by_age():
    agent = agent_for("d-ucb", {"gamma": 0.5, "xi": 0.6})
    state = agent.initial_state(1)
    for model, score, cost in [(0, 1.0, 2.0), (1, 0.5, 1.0), (0, 0.2, 1.0)]:
        agent.learn(batch(), state, outcome(model, score, cost))
    score, cost = agent.estimates(batch(), state, ONE)
    pad = 0.6 * math.log(1.75)
    expected = [0.45 / 1.25 + 2 * math.sqrt(pad / 1.25), 0.5 + 2 * math.sqrt(pad / 0.5)]
    np.testing.assert_allclose(score, [expected])
    np.testing.assert_allclose(cost, [[1.5 / 1.25, 1.0]])


@pytest.mark.parametrize("name", ["sw-ucb", "d-ucb"])
def test_policies_that_forget_notice_a_change_that_the_mean_hides(name):
    agent = agent_for(name, {"tau": 50} if name == "sw-ucb" else {"gamma": 0.95}, horizon=2_000)
    state = agent.initial_state(1)
    for number in range(1, 1_201):
        state["queries"][:] = number
        good = 0 if number <= 1_000 else 1
        agent.learn(batch(), state, outcome(number % 2, float(number % 2 == good), 1.0, number - 1))
    score, _ = agent.estimates(batch(), state, ONE)
    assert score[0, 1] > score[0, 0]
