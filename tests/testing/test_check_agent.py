"""The check passes this project's agents, and names the fault of others."""

from __future__ import annotations

import functools
import weakref
from collections import deque
from typing import Any

import numpy as np
import pytest
from speeds import quick_ones
from stageroute_agents import names
from stageroute_agents.uniform import Uniform

from stageroute_gym.env import StageRouteEnv
from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.agents import kind_of, load
from stageroute_gym.testing import check_agent
from stageroute_gym.testing.reachable import reachable


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


WORLD = StageRouteEnv().world


class Reads(Uniform):
    """Looks the truth up in its module."""

    def shares(self, batch: Any, state: Any, rows: Any) -> Any:
        return super().shares(batch, state, rows) * (WORLD.num_models > 0)


class Copies(Uniform):
    """Keeps an environment in its state."""

    def initial_state(self, rows: int) -> Any:
        return super().initial_state(rows) | {"worlds": np.array([StageRouteEnv()] * rows)}


class Knows(Uniform):
    """Holds a table of true scores."""

    scores = WORLD.table.score.copy()


class Writes(Uniform):
    """Changes what others read too."""

    def observe(self, batch: Any, state: Any) -> None:
        batch["pulls"][...] += 1


class Stubborn(Uniform):
    """Is never asked for deterministic actions, it thinks."""

    def predict(self, observation: Any, *given: Any, **others: Any) -> Any:
        actions, state = super().predict(observation, *given, **others)
        return (actions + 10**6 if given[-1] is True else actions), state


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
        (Reads, r"it holds the truth, in Reads\.shares\(WORLD\)"),
        (Copies, r"it holds the truth, in state: dict\['worlds'\]\[0\]"),
        (Knows, r"it holds the truth, in Knows\.scores"),
        (Writes, "it writes to the observation's 'pulls'"),
        (Stubborn, "is outside the action space"),
        (Undeployed, "the mask forbids"),
        (Greedy, "above the throughput"),
    ],
)
def test_faults_are_named(agent: Any, fault: str) -> None:
    with pytest.raises(AssertionError, match=fault):
        check_agent(agent, keeps_limits=True)


def test_what_cannot_be_called_or_played_is_refused() -> None:
    class Elsewhere(Uniform):
        env_id = "StageRoute-v9"

    class Seedless:
        def __init__(self, context: Any) -> None: ...

    with pytest.raises(FieldError, match="env_id = 'StageRoute-v9': expected 'StageRoute-v0'"):
        check_agent(Elsewhere)
    with pytest.raises(FieldError, match="a context and a seed; got an unexpected keyword"):
        check_agent(Seedless)


class Hidden:
    def method(self) -> None: ...


class Box:
    __slots__ = ("__inside",)

    def __init__(self, inside: Any) -> None:
        self.__inside = inside


def test_reachable_leaves_proxies_of_what_is_gone_alone() -> None:
    assert len(list(reachable([weakref.proxy(StageRouteEnv()), 1]))) > 0


@pytest.mark.parametrize(
    "hide",
    [
        lambda hidden: [lambda: hidden],
        lambda hidden: lambda given=hidden: given,
        lambda hidden: functools.partial(print, hidden),
        lambda hidden: deque([hidden]),
        lambda hidden: np.array([None, hidden]),
        Box,
        weakref.ref,
        lambda hidden: hidden.method,
    ],
)
def test_reachable_follows_what_holds_an_object(hide: Any) -> None:
    hidden = Hidden()
    assert any(value is hidden for _, value in reachable({"a": hide(hidden)}))
