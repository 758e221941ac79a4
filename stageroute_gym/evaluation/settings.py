"""What a leaderboard runs: agents, scenarios, seeds; checked before anything runs."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import stageroute_gym
from stageroute_gym import scenarios as registry
from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation import agents as agent_registry
from stageroute_gym.evaluation.running import check_seeds, environment_of
from stageroute_gym.scenarios import Scenario

DEFAULT_SUITE = "quick"
DEFAULT_SEEDS = tuple(range(10))


@dataclass(frozen=True)
class Task:
    """One agent on one scenario with all its seeds: what is run, and kept, as a whole.

    Attributes:
        scenario: name of the scenario.
        agent: name of the agent.
        seeds: seeds of its episodes.
        env_id: as for `stageroute_gym.evaluation.evaluate`.
        overrides: as for `stageroute_gym.evaluation.evaluate`.
    """

    scenario: str
    agent: str
    seeds: tuple[int, ...]
    env_id: str | None
    overrides: Mapping[str, Any]


@dataclass(frozen=True)
class Settings:
    """All that decides a leaderboard's results.

    Attributes:
        scenarios: the scenarios, overridden.
        agents: names of the agents.
        seeds: seeds of the episodes of each agent in each scenario.
        env_id: the environment; None leaves it to the agent.
        overrides: what was overridden, the same in each scenario.
    """

    scenarios: tuple[Scenario, ...]
    agents: tuple[str, ...]
    seeds: tuple[int, ...]
    env_id: str | None
    overrides: Mapping[str, Any]

    @classmethod
    def checked(
        cls,
        *,
        agents: Sequence[str] | None = None,
        scenarios: Sequence[str] | None = None,
        suite: str | None = None,
        seeds: Sequence[int] | None = None,
        env_id: str | None = None,
        **overrides: Any,
    ) -> Self:
        """Settings that can be run.

        Args:
            agents: names of agents, or ``module:Class``; None takes all that are installed.
            scenarios: names of scenarios; None takes a suite.
            suite: name of a suite, ``quick`` unless ``scenarios`` are given.
            seeds: None takes the suite's, and 0 to 9 without a suite.
            env_id: as for `stageroute_gym.evaluation.evaluate`.
            overrides: as for `stageroute_gym.evaluation.evaluate`, for every scenario.

        Raises:
            FieldError: if an argument is not allowed, or a scenario's files have a fault.
        """
        if scenarios is not None and suite is not None:
            raise FieldError("suite", suite, "either a suite or scenarios, not both")
        chosen = None if scenarios is not None else registry.suite(suite or DEFAULT_SUITE)
        names = _each_once("scenario", chosen.scenarios if chosen else scenarios or ())
        players = _each_once("agent", agent_registry.names() if agents is None else agents)
        default_seeds = chosen.seeds if chosen else DEFAULT_SEEDS
        checked_seeds = check_seeds(default_seeds if seeds is None else seeds)
        for player in players:
            environment_of(agent_registry.load(player), env_id)
        overridden = tuple(registry.get(name, **overrides) for name in names)
        for scenario in overridden:
            scenario.world()
        return cls(overridden, players, tuple(checked_seeds), env_id, overrides)

    def tasks(self) -> list[Task]:
        """Every agent on every scenario."""
        return [
            Task(scenario.name, agent, self.seeds, self.env_id, self.overrides)
            for scenario in self.scenarios
            for agent in self.agents
        ]

    def to_dict(self) -> dict[str, Any]:
        """The settings as JSON-native values, with the content of the scenarios' files."""
        return {
            "version": stageroute_gym.__version__,
            "scenarios": {
                scenario.name: {**scenario.to_dict(), "files": _fingerprints(scenario)}
                for scenario in self.scenarios
            },
            "agents": list(self.agents),
            "seeds": list(self.seeds),
            "env_id": self.env_id,
        }


def first_difference(
    given: Any, kept: Any, name: str = "settings"
) -> tuple[str, object, object] | None:
    """Where two JSON values differ first: the place, the given and the kept value there."""
    if isinstance(given, dict) and isinstance(kept, dict):
        if list(given) != list(kept):
            return name, list(given), list(kept)
        for key in given:
            inner = first_difference(given[key], kept[key], f"{name}.{key}")
            if inner is not None:
                return inner
        return None
    return None if given == kept else (name, given, kept)


def _each_once(field: str, names: Sequence[str]) -> tuple[str, ...]:
    if not names:
        raise FieldError(field, list(names), "at least one name")
    for name in names:
        if list(names).count(name) > 1:
            raise FieldError(field, name, "a name given only once")
    return tuple(names)


def _fingerprints(scenario: Scenario) -> dict[str, str]:
    """SHA-256 of the files that a scenario's workload reads, by the option that names them."""
    options = dataclasses.asdict(scenario.workload)
    return {
        option: hashlib.sha256(Path(value).read_bytes()).hexdigest()
        for option, value in options.items()
        if isinstance(value, str) and Path(value).is_file()
    }
