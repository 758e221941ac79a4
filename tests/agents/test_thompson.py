"""Thompson sampling against its posteriors, and against cases computed by hand."""

from __future__ import annotations

import numpy as np
from agent_cases import ONE, agent_for, batch, outcome


def test_thompson_sampling_draws_from_the_beta_posteriors():
    agent = agent_for("thompson-lp")
    seen = batch(pulls=[30, 0], mean_score=[0.8, 0.0], mean_cost=[1.0, 0.0])
    draws = [agent.estimates(seen, agent.begin([seed]), ONE) for seed in range(4_000)]
    score, cost = (np.concatenate([draw[i] for draw in draws]) for i in range(2))
    # Beta(1 + 24, 1 + 6) and Beta(1, 1); costs Beta(1 + 7.5, 1 + 22.5) and Beta(1, 1) of 4 USD.
    np.testing.assert_allclose(score.mean(axis=0), [25 / 32, 0.5], atol=0.02)
    np.testing.assert_allclose(score.var(axis=0), [25 * 7 / (32**2 * 33), 1 / 12], rtol=0.1)
    np.testing.assert_allclose(cost.mean(axis=0), [4 * 8.5 / 32, 2.0], atol=0.05)


def test_thompson_sampling_routes_by_the_programme_on_its_draws():
    agent = agent_for("thompson-lp")
    many = batch(pulls=[10**7, 10**7], mean_score=[0.2, 0.9], mean_cost=[0.5, 2.5])
    # 0.5 p + 2.5 (1 - p) = 1.
    np.testing.assert_allclose(
        agent.shares(many, agent.initial_state(1), ONE), [[0.75, 0.25]], atol=0.01
    )


def test_budgeted_thompson_counts_trials_and_ranks_by_the_ratio():
    agent = agent_for("budgeted-thompson")
    state = agent.initial_state(1)
    for query in range(2_000):
        state["queries"][:] = query
        agent.learn(batch(), state, outcome(1, 0.3, 1.0, query))
    np.testing.assert_allclose(state["score_ones"], [[0, 600]], atol=80)
    np.testing.assert_allclose(state["cost_ones"], [[0, 500]], atol=80)
    certain = agent.initial_state(1) | {
        "score_ones": np.array([[5e6, 9e6]]),
        "cost_ones": np.array([[1e6, 3e6]]),
    }
    index = agent.index(batch(pulls=[1e7, 1e7]), certain, ONE, np.ones((1, 2)))
    np.testing.assert_allclose(index, [[5.0, 3.0]], rtol=0.01)
