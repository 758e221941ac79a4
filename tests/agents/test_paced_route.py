"""PacedRoute's estimates and budget, by hand and by what they are for."""

from __future__ import annotations

import numpy as np
import pytest
from stageroute_agents.paced_route import PacedRoute

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation import evaluate
from stageroute_gym.vector import StageRouteContinuousVectorEnv


@pytest.fixture
def env():
    return StageRouteContinuousVectorEnv(1, scenario="routerbench", horizon=1_000)


def batch_of(env, **fields):
    observation, _ = env.reset(seed=0)
    for name, value in fields.items():
        observation[name] = np.array(observation[name])
        observation[name][0] = value
    return observation


def test_estimates_by_hand(env):
    agent = PacedRoute(env, width=2.0, score_prior=4.0, prior_mean=0.5, cost_prior=2.0)
    pulls = np.zeros(11)
    pulls[3] = 12
    scores, costs = np.zeros(11), np.zeros(11)
    scores[3], costs[3] = 0.75, 3e-4
    prices = np.zeros(11)
    prices[3], prices[4] = 1e-4, 5e-5
    batch = batch_of(env, pulls=pulls, mean_score=scores, mean_cost=costs, list_price=prices)
    score, cost = agent.estimates(batch)
    mean = (12 * 0.75 + 4 * 0.5) / 16
    assert score[0, 3] == pytest.approx(mean + 2 * np.sqrt(mean * (1 - mean) / 16))
    assert score[0, 0] == 1.0  # 0.5 + 2 sqrt(0.25 / 4), clipped
    assert cost[0, 3] == pytest.approx((12 * 3e-4 + 2 * 1e-4) / 14)
    assert cost[0, 4] == pytest.approx(5e-5)  # the list price, as nothing was observed
    assert cost[0, 0] == pytest.approx(3e-4)  # the mean cost of what was observed of others


def test_budget_is_what_is_left_over_the_queries_left(env):
    batch = batch_of(env, progress=[0.75, 0.0], budget_left=0.5)
    paced, constant = PacedRoute(env), PacedRoute(env, pace=False)
    assert paced.budgets(batch)[0] == pytest.approx(2 * env.problem.budget)
    assert constant.budgets(batch)[0] == env.problem.budget


def test_never_locks_a_model_out(env):
    """A first answer of 0 leaves the bound above a mediocre mean; StageRoute's falls to 0.1."""
    pulls, scores = np.zeros(11), np.zeros(11)
    pulls[0] = 1
    score, _ = PacedRoute(env).estimates(batch_of(env, pulls=pulls, mean_score=scores))
    assert score[0, 0] > 0.8


@pytest.mark.parametrize(
    ("field", "value"),
    [("width", -1.0), ("score_prior", 0.0), ("prior_mean", 1.0), ("cost_prior", float("nan"))],
)
def test_bad_parameters(env, field, value):
    with pytest.raises(FieldError, match=field):
        PacedRoute(env, **{field: value})


@pytest.mark.slow
def test_beats_stageroute_within_the_budget():
    seeds = range(100, 108)
    paced = evaluate("paced-route", "routerbench", seeds)
    reference = evaluate("stageroute", "routerbench", seeds)
    assert paced["spend_over_budget"].max() < 1.01
    assert (paced["score"].to_numpy() > reference["score"].to_numpy()).all()
