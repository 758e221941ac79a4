"""What a tuning runs: agents with their search spaces, a suite, seeds; checked before it runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import stageroute_gym
from stageroute_gym import scenarios as registry
from stageroute_gym.checks import count
from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation import agents
from stageroute_gym.evaluation.entries import Entry
from stageroute_gym.evaluation.running import LARGEST_SEED, check_seeds
from stageroute_gym.extras import check_extra
from stageroute_gym.scenarios import Suite
from stageroute_gym.tuning.space import Range, space_of

DEFAULT_SUITE = "worlds-tune"
DEFAULT_TRIALS = 20
MOST_TRIALS = 100_000
SAMPLER = "TPE"


@dataclass(frozen=True)
class Candidate:
    """An agent to tune.

    Attributes:
        entry: the agent with its default parameters, labelled by its name.
        space: what may be tried, by parameter.
        default: the defaults of these parameters.
    """

    entry: Entry
    space: dict[str, Range]
    default: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """All that decides its trials but the settings, as JSON-native values."""
        return {
            "agent": self.entry.agent,
            "env_id": self.entry.env_id,
            "fingerprint": self.entry.fingerprint,
            "space": {name: repr(values) for name, values in self.space.items()},
            "default": self.default,
        }


@dataclass(frozen=True)
class TuningSettings:
    """All that decides the trials of every agent alike.

    Attributes:
        candidates: the agents.
        suite: the worlds to tune on.
        seeds: seeds of the episodes in each.
        trials: number of settings that each agent tries, its defaults among them.
        seed: seed of the sampler.
    """

    candidates: tuple[Candidate, ...]
    suite: Suite
    seeds: tuple[int, ...]
    trials: int
    seed: int

    @classmethod
    def checked(
        cls,
        names: Sequence[str] = (),
        *,
        suite: str = DEFAULT_SUITE,
        seeds: Sequence[int] | None = None,
        trials: int = DEFAULT_TRIALS,
        seed: int = 0,
    ) -> Self:
        """Settings that can be run.

        Args:
            names: agents by name; none takes all installed ones with parameters to tune.
            suite: name of a suite.
            seeds: None takes the suite's.
            trials: at least 1.
            seed: at least 0.

        Raises:
            FieldError: if an argument is not allowed, an agent has nothing to tune, or Optuna is
                not installed.
        """
        check_extra("tune", "sampler", "optuna")
        chosen = registry.suite(suite)
        checked_seeds = check_seeds(chosen.seeds if seeds is None else seeds)
        number = count("trials", trials, 1, MOST_TRIALS)
        sampler_seed = count("seed", seed, 0, LARGEST_SEED)
        for name in names:
            if list(names).count(name) > 1:
                raise FieldError("agent", name, "a name given only once")
        candidates = [candidate(name) for name in names or tunable()]
        return cls(tuple(candidates), chosen, tuple(checked_seeds), number, sampler_seed)

    def to_dict(self) -> dict[str, Any]:
        """What has to be equal for trials to be comparable, as JSON-native values."""
        return {
            "version": stageroute_gym.__version__,
            "suite": {
                "name": self.suite.name,
                "version": self.suite.version,
                "sha256": self.suite.sha256(),
            },
            "seeds": list(self.seeds),
            "sampler": SAMPLER,
            "seed": self.seed,
        }


def candidate(name: str) -> Candidate:
    """An agent to tune.

    Raises:
        FieldError: if there is no such agent, or it has no parameters to tune.
    """
    factory = agents.load(name)
    space = space_of(factory, name)
    if not space:
        allowed = f"an agent with parameters to tune: {', '.join(tunable())}"
        raise FieldError("agent", name, allowed)
    known_parameters = agents.parameters_of(factory)
    default = {parameter: known_parameters[parameter].default for parameter in space}
    # To the types that a file gives back.
    return Candidate(Entry.resolved(name), space, json.loads(json.dumps(default)))


def tunable() -> list[str]:
    """Names of the installed agents with parameters to tune, of those that can be loaded."""
    found = []
    for name in agents.names():
        try:
            space = space_of(agents.load(name), name)
        except FieldError:
            continue
        if space:
            found.append(name)
    return found
