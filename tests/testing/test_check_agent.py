"""The check passes this project's agents, and names the fault of others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from speeds import quick_ones
from stageroute_agents import names
from stageroute_agents.uniform import Uniform

from stageroute_gym.env import StageRouteEnv
from stageroute_gym.evaluation.agents import kind_of, load
from stageroute_gym.testing import check_agent
from stageroute_gym.testing.agents import reachable


@pytest.mark.parametrize("name", quick_ones(names(), "stageroute", "uniform", "horizon-oracle"))
def test_this_project_s_agents_keep_all_of_it(name: str) -> None:
    check_agent(load(name), keeps_limits=True)


def test_kinds_are_as_the_readme_groups_them() -> None:
    kinds = {name: kind_of(load(name), name) for name in names()}
    references = {name for name, kind in kinds.items() if kind == "reference"}
    assert references == {"oracle", "horizon-oracle", "paced-oracle", "best-fixed"}
    learners = {name for name, kind in kinds.items() if kind == "learner"}
    assert {"stageroute", "paced-route"} <= learners
    assert "uniform" in kinds.keys() - learners - references


class Draws(Uniform):
    """Draws from one generator for all."""

    def __init__(self, context: Any, *, seed: int = 0) -> None:
        super().__init__(context, seed=seed)
        self.rng = np.random.default_rng(seed)

    def shares(self, batch: Any, state: Any, rows: Any) -> Any:
        weights = batch["deployed"] * self.rng.random(batch["deployed"].shape)
        return super().shares(batch, state, rows) * weights


class Counts(Uniform):
    """Remembers in itself how often it was asked, from the first decision of an episode on."""

    def shares(self, batch: Any, state: Any, rows: Any) -> Any:
        first = batch["progress"][:, 0] == 0
        self.asked = 0 if first.all() else getattr(self, "asked", 0) + 1
        return super().shares(batch, state, rows) * (1.0 if self.asked < 30 else 0.5)


class Peeks(Uniform):
    """Keeps an environment."""

    def __init__(self, context: Any, *, seed: int = 0) -> None:
        super().__init__(context, seed=seed)
        self.look = [StageRouteEnv().reset]


class Undeployed(Uniform):
    """Routes to models that are not deployed."""

    def shares(self, batch: Any, state: Any, rows: Any) -> Any:
        return np.where(batch["deployed"] > 0, 0.0, 0.1)


class Greedy(Uniform):
    """Asks for more than the throughput allows."""

    def shares(self, batch: Any, state: Any, rows: Any) -> Any:
        return batch["deployed"] * 0.5


@pytest.mark.parametrize(
    ("agent", "fault"),
    [
        (Draws, "the same seed gives another episode"),
        (Counts, "remembers is not in its state"),
        (Peeks, r"it holds the truth, in Peeks\.look\[0\]\.__self__"),
        (Undeployed, "the mask forbids"),
        (Greedy, "above the throughput"),
    ],
)
def test_faults_are_named(agent: Any, fault: str) -> None:
    with pytest.raises(AssertionError, match=fault):
        check_agent(agent, keeps_limits=True)


def test_reachable_follows_closures_and_containers() -> None:
    hidden = StageRouteEnv()
    found = [value for _, value in reachable({"a": [lambda: hidden]})]
    assert any(value is hidden.world for value in found)
