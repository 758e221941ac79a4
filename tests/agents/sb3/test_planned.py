"""The plan beside the relative features, against RouteOPT in USD, and what small weights mean."""

from __future__ import annotations

import numpy as np
import pytest
from stageroute_agents.sb3.planned import (
    LEAST_WEIGHT,
    PLANNED_CONTEXT_FEATURES,
    PLANNED_MODEL_FEATURES,
    PlannedFeatures,
    declining_shares,
    planned_weights,
)

from stageroute_gym.optimize import horizon_oracle, route_lp
from stageroute_gym.vector import StageRouteContinuousVectorEnv
from stageroute_gym.wrappers import RelativeFeatures
from stageroute_gym.wrappers.relative import CONTEXT_FEATURES, MODEL_FEATURES


def test_shares_that_decline_earn_what_the_horizon_oracle_does_in_one_stage() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        n = int(rng.integers(1, 12))
        score, cost = rng.uniform(0, 1, n), 10 ** rng.uniform(-3, 0, n)
        caps, budget = rng.uniform(0, 1, n), float(10 ** rng.uniform(-4, 0))
        shares, _ = declining_shares(score[None], cost[None], np.array([budget]), caps[None])
        best = horizon_oracle(
            score[None], cost[None], np.ones((1, n), bool), [1.0], budget, caps, n
        ).value
        assert float(shares[0] @ score) == pytest.approx(best, rel=1e-9)
        assert float(shares[0] @ cost) <= budget * (1 + 1e-9)


@pytest.mark.parametrize("scenario", ["routerbench", "worlds-tune-50"])
def test_rows_hold_the_relative_features_and_the_plan_at_the_estimates(scenario: str) -> None:
    env = StageRouteContinuousVectorEnv(3, scenario=scenario)
    features, n = PlannedFeatures.of(env), env.agent_context.num_models
    observation, _ = env.reset(seed=0)
    rng = np.random.default_rng(0)
    for _ in range(60):
        action = rng.uniform(0, 1, (3, n)).astype(np.float32)
        observation, _, _, _, _ = env.step(action)
    rows = features(observation)
    assert rows.dtype == np.float32
    assert features.space.contains(rows[0])
    np.testing.assert_array_equal(features({k: v[1] for k, v in observation.items()}), rows[1])
    plain = RelativeFeatures.of(env)(observation)
    size = len(MODEL_FEATURES) * n
    np.testing.assert_array_equal(rows[:, :size], plain[:, :size])
    context = rows[:, len(PLANNED_MODEL_FEATURES) * n :]
    np.testing.assert_array_equal(context[:, : len(CONTEXT_FEATURES)], plain[:, size:])
    blocks = rows[:, : len(PLANNED_MODEL_FEATURES) * n].reshape(3, -1, n)
    named = dict(zip(PLANNED_MODEL_FEATURES, blocks.swapaxes(0, 1).astype(float), strict=True))
    for row in range(3):
        score = np.append(0.5 + 0.5 * named["relative_score"][row], 0.0)
        cost = np.append(np.exp(8 * named["cost_estimate"][row]), 0.0)
        caps = np.append(observation["deployed"][row] * observation["throughput"][row], 1.0)
        plan = route_lp(score, cost, 1.0, caps)
        np.testing.assert_allclose(
            named["plan_share"][row], plan.probabilities[:-1], rtol=0, atol=1e-4
        )
    served = context[:, PLANNED_CONTEXT_FEATURES.index("plan_served")]
    np.testing.assert_allclose(served, 2 * named["plan_share"].sum(axis=1) - 1, atol=1e-5)


def test_scores_count_in_terms_of_the_best() -> None:
    env = StageRouteContinuousVectorEnv(1, scenario="routerbench")
    features, n = PlannedFeatures.of(env), env.agent_context.num_models
    observation, _ = env.reset(seed=0)
    observation, *_ = env.step(np.ones((1, n), np.float32))
    for _ in range(200):
        observation, *_ = env.step(np.ones((1, n), np.float32))
    tiny = observation | {"mean_score": observation["mean_score"] / 1024}
    start = PLANNED_MODEL_FEATURES.index("relative_score") * n
    end = len(PLANNED_MODEL_FEATURES) * n
    np.testing.assert_array_equal(features(tiny)[:, start:end], features(observation)[:, start:end])


def test_small_weights_are_none_in_the_route_phase_only() -> None:
    logits = np.array([[0.0, np.log(LEAST_WEIGHT) - 0.1, -1.0]] * 2)
    weights = planned_weights(logits, np.array([True, False]))
    assert (weights[0] > 0).tolist() == [True, False, True]
    assert (weights[1] > 0).all()
