"""Predicted scores in place of means: where features tell something, and where not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from stageroute_agents import make
from stageroute_agents.sb3.shipped import Generalist

from stageroute_gym.evaluation import evaluate
from stageroute_gym.vector import StageRouteContinuousVectorEnv

(FILE,) = Generalist.files


def played(scenario: str, queries: int) -> tuple[Generalist, Any, Any, Any]:
    """The agent after some queries of three episodes: itself, world, observation and state."""
    env = StageRouteContinuousVectorEnv(3, scenario=scenario, horizon=4_000)
    agent = make("generalist", env)
    assert isinstance(agent, Generalist)
    observation, _ = env.reset(seed=0)
    state = None
    for _ in range(queries):
        actions, state = agent.predict(observation, state)
        observation, *_ = env.step(actions)
    return agent, env.world, observation, state


def test_predictions_are_nearer_to_the_truth_of_a_query_than_the_means() -> None:
    agent, world, observation, state = played("per-query", 1_500)
    rows = np.arange(3)
    assert agent.query_scores.pays(state, rows).all()
    seen = agent.seen(observation, state, rows)
    # The rows of the table that show these features.
    features = world.table.features.astype(np.float32)
    gap = np.abs(features[None] - observation["query"][:, None, : features.shape[1]]).sum(axis=2)
    truth = world.table.score[gap.argmin(axis=1)]
    tried = observation["pulls"] > 50
    assert tried.sum() >= 6
    errors = [np.abs(each["mean_score"] - truth)[tried].mean() for each in (seen, observation)]
    assert errors[0] < errors[1]
    assert (seen["mean_score"][observation["pulls"] == 0] == 0).all() or tried.all()


def test_noise_leaves_the_observation_as_it_is() -> None:
    agent, _, observation, state = played("noise-features", 300)
    blind = ~agent.query_scores.pays(state, np.arange(3))
    assert blind.any()
    rows = np.flatnonzero(blind)[:1]
    one = {name: values[rows] for name, values in observation.items()}
    assert agent.seen(one, state, rows) is one


def test_without_features_it_plays_as_its_file_does() -> None:
    named, by_path = (
        evaluate(agent, "worlds-tune-53", [0, 1]) for agent in ("generalist", str(FILE))
    )
    assert named["score"].to_list() == pytest.approx(by_path["score"].to_list(), abs=1e-9)
    assert named["spend"].to_list() == pytest.approx(by_path["spend"].to_list(), abs=1e-12)


@pytest.mark.slow
def test_features_pay_where_they_tell_something_and_cost_nothing_where_not() -> None:
    short: dict[str, Any] = {"horizon": 4_000}
    gain = {
        scenario: evaluate("generalist", scenario, range(4), **short)["score"].mean()
        / evaluate(str(FILE), scenario, range(4), **short)["score"].mean()
        for scenario in ("per-query", "noise-features")
    }
    assert gain["per-query"] > 1.05
    assert gain["noise-features"] > 0.99
