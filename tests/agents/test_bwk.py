"""Bandits with knapsacks: UCB-BwK, PD-BwK and LagrangeBwK against cases computed by hand."""

from __future__ import annotations

import math

import numpy as np
from agent_cases import ONE, agent_for, batch, follow, outcome
from stageroute_agents import make
from worlds import make_env, make_world

GAMMA = 0.1


def test_ucb_bwk_is_stageroute_with_a_smaller_budget_in_the_paper_s_special_case():
    common = {"models": 5, "stages": 1, "max_deployed": 5, "budget_rule": "soft", "horizon": 200}
    world, smaller = make_world(**common), make_world(**common, budget=0.75)
    stageroute = make(
        "stageroute", make_env(smaller, continuous=True), gamma=GAMMA, cost_scale="query"
    )
    bwk = make("ucb-bwk", make_env(world, continuous=True), gamma=GAMMA, epsilon=0.25)
    actions = follow([stageroute, bwk], world, 200)
    mixed = 0
    for first, second in actions:
        np.testing.assert_array_equal(first, second)
        mixed += (first > 0).sum() == 2
    assert mixed > 50


def test_ucb_bwk_holds_back_what_the_theory_says():
    # B = 1 * 100 / 4 = 25 largest costs; gamma N / B = 0.1 * 2 / 25 = 0.008.
    expected = math.sqrt(0.008) + math.log(100) * 0.008
    agent = agent_for("ucb-bwk")
    np.testing.assert_allclose(agent.budgets(batch()), [1 - expected])
    # Where the formula passes 1: gamma N / B = 2 / 25 with gamma = 1 gives 0.65, with 10 gives 4.6.
    np.testing.assert_allclose(agent_for("ucb-bwk", {"gamma": 10.0}).budgets(batch()), [0.1])
    np.testing.assert_allclose(agent_for("ucb-bwk", {"epsilon": 0.0}).budgets(batch()), [1.0])


def test_pd_bwk_ranks_by_bang_per_buck_and_prices_by_hedge():
    agent = agent_for("pd-bwk", {"C_rad": 0.0})
    state = agent.initial_state(1)
    # B = 1 * 100 / 4 = 25; without a radius the bounds are the means, as shares of c2 = 4.
    epsilon, time = math.sqrt(math.log(2) / 25), 0.25
    seen = batch(mean_score=[0.6, 0.9], mean_cost=[0.8, 2.0])
    index = agent.index(seen, state, ONE, np.ones((1, 2)))
    # At v = (1, 1), to a common factor: 0.6 / (0.2 + 0.25) and 0.9 / (0.5 + 0.25).
    np.testing.assert_allclose(index[0, 0] / index[0, 1], (0.6 / 0.45) / (0.9 / 0.75))
    agent.learn(seen, state, outcome(1, 1.0, 3.0))
    money, clock = (1 + epsilon) ** 0.5, (1 + epsilon) ** time
    np.testing.assert_allclose(np.exp(state["log_price"]), money / clock)
    index = agent.index(seen, state, ONE, np.ones((1, 2)))
    expected = [0.6 / (money * 0.2 + clock * time), 0.9 / (money * 0.5 + clock * time)]
    np.testing.assert_allclose(index[0, 0] / index[0, 1], expected[0] / expected[1])
    untried = agent.index(batch(pulls=[0, 10]), state, ONE, np.ones((1, 2)))
    assert untried[0, 0] == np.inf


def test_lagrange_bwk_updates_both_players_as_published():
    agent = agent_for("lagrange-bwk")
    state = agent.initial_state(1)
    seen = batch()
    agent.learn(seen, state, outcome(-1, 0.0, 0.0))
    rate = min(0.6, 2 * math.sqrt(0.6 * 2 * math.log(2) / 100))
    np.testing.assert_allclose(agent.shares(seen, state, ONE), [[0.5, 0.5]])
    # The declined query earned 1 - 0 for money, 0 for time; the payoff lies in [1 - 4, 2].
    hedge = math.sqrt(8 * math.log(2) / 100) / 5
    np.testing.assert_allclose(state["log_price"], -hedge)
    state["log_price"][:] = 0.0
    agent.learn(seen, state, outcome(0, 0.8, 3.0))
    # At equal weights of money and time: L = 0.8 + (1 - 3) / 2, scaled to (L + 3) / 5.
    gain = ((0.8 - 1.0 + 3.0) / 5) / 0.5
    step = rate / 6 * gain
    np.testing.assert_allclose(state["log_weights"], [[step / 2, -step / 2]])
    np.testing.assert_allclose(state["log_price"], 2 * hedge)
    weights = np.exp([step / 2, -step / 2])
    mixed = (1 - rate) * weights / weights.sum() + rate / 2
    np.testing.assert_allclose(agent.shares(seen, state, ONE), [mixed])
