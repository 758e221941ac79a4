"""What a leaderboard runs: entries, scenarios, seeds; checked before anything runs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import stageroute_gym
from stageroute_gym import scenarios as registry
from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation import fingerprints
from stageroute_gym.evaluation.entries import Entry, installed_entries, parse_entries
from stageroute_gym.evaluation.running import check_parameters, check_seeds
from stageroute_gym.evaluation.sweeps import Sweep, sweep
from stageroute_gym.scenarios import Scenario
from stageroute_gym.workloads.changing import parts

DEFAULT_SUITE = "quick"
DEFAULT_SEEDS = tuple(range(10))


@dataclass(frozen=True)
class Trial:
    """One entry on one scenario with all its seeds: what is run, and kept, as a whole.

    Attributes:
        scenario: the scenario, overridden.
        entry: the entry.
        seeds: seeds of its episodes.
    """

    scenario: Scenario
    entry: Entry
    seeds: tuple[int, ...]

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"agent {self.entry.label} on scenario {self.scenario.name}"

    def to_dict(self) -> dict[str, Any]:
        """All that decides its results, as JSON-native values."""
        return {
            "version": stageroute_gym.__version__,
            "scenario": scenario_dict(self.scenario),
            "entry": self.entry.to_dict(),
            "seeds": list(self.seeds),
        }


def kept_entries(kept: dict[str, Any]) -> tuple[Entry, ...]:
    """The entries of a leaderboard that is there already, with their agents as they are today.

    Args:
        kept: its settings, as `LeaderboardSettings.to_dict` makes them.

    Raises:
        FieldError: if one of its agents is no longer there.
    """
    return tuple(
        Entry.resolved(entry["agent"], entry["parameters"], label=label, env_id=entry["env_id"])
        for label, entry in kept["entries"].items()
    )


@dataclass(frozen=True)
class LeaderboardSettings:
    """All that decides a leaderboard's results.

    Attributes:
        scenarios: the scenarios, overridden.
        entries: what is ranked on them.
        seeds: seeds of the episodes of each entry in each scenario.
        sweeps: which of the scenarios are one at several values.
        broken: installed agents that were to be among the entries and cannot be loaded, each with
            the reason.
    """

    scenarios: tuple[Scenario, ...]
    entries: tuple[Entry, ...]
    seeds: tuple[int, ...]
    sweeps: tuple[Sweep, ...] = ()
    broken: tuple[tuple[str, str], ...] = ()

    @classmethod
    def checked(
        cls,
        *,
        agents: Sequence[str | Entry] | None = None,
        scenarios: Sequence[str | Scenario] | None = None,
        suite: str | None = None,
        seeds: Sequence[int] | None = None,
        env_id: str | None = None,
        **overrides: Any,
    ) -> Self:
        """Settings that can be run.

        Args:
            agents: entries, as text (see `stageroute_gym.evaluation.entries.Entry.parsed`) or
                resolved; None takes all agents that are installed, of which those that cannot be
                loaded are `broken`.
            scenarios: names of scenarios, ``module:NAME``, or scenarios themselves, no two of one
                name; None takes a suite.
            suite: name of a suite, ``quick`` unless ``scenarios`` are given.
            seeds: None takes the suite's, and 0 to 9 without a suite.
            env_id: as for `stageroute_gym.evaluation.evaluate`.
            overrides: as for `stageroute_gym.evaluation.evaluate`, for every scenario; several
                values of a field of the problem make a sweep, see
                `stageroute_gym.evaluation.sweeps.sweep`.

        Raises:
            FieldError: if an argument is not allowed, an agent refuses its parameters, or a
                scenario's files have a fault.
        """
        if scenarios is not None and suite is not None:
            raise FieldError("suite", suite, "either a suite or scenarios, not both")
        chosen = None if scenarios is not None else registry.suite(suite or DEFAULT_SUITE)
        named = chosen.scenarios if chosen else tuple(scenarios or ())
        broken: tuple[tuple[str, str], ...] = ()
        if agents is None:
            agents, broken = installed_entries(env_id)
        entries = parse_entries(agents, env_id)
        default_seeds = chosen.seeds if chosen else DEFAULT_SEEDS
        checked_seeds = check_seeds(default_seeds if seeds is None else seeds)
        sweeps = tuple(sweep(registry.get(name), overrides) for name in named)
        overridden = tuple(variant for each in sweeps for variant in each.variants)
        _each_once("scenario", [scenario.name for scenario in overridden])
        for scenario in overridden:
            scenario.check_json()
            for seed in checked_seeds if scenario.per_seed else checked_seeds[:1]:
                scenario.world(seed)
        for entry in entries:
            if entry.parameters:
                check_parameters(entry, overridden[0])
        swept = tuple(each for each in sweeps if each.fields)
        return cls(overridden, entries, tuple(checked_seeds), swept, broken)

    def beside(self, kept: dict[str, Any]) -> Self:
        """These settings with the entries and seeds of a leaderboard that is there already.

        Args:
            kept: its settings, as `to_dict` makes them.

        Raises:
            FieldError: if its scenarios differ, it has another entry of the same label, or one of
                its agents is no longer there.
        """
        now = json.loads(json.dumps(self.to_dict()))
        for part in ("version", "scenarios"):
            difference = first_difference(now[part], kept[part], f"settings.{part}")
            if difference is not None:
                name, given, before = difference
                allowed = f"{before!r}, as the leaderboard to add to was run with"
                raise FieldError(name, given, allowed)
        entries = {entry.label: entry for entry in kept_entries(kept)}
        for entry in self.entries:
            there = entries.get(entry.label, entry)
            if (there.agent, dict(there.parameters), there.env_id) != (
                entry.agent,
                dict(entry.parameters),
                entry.env_id,
            ):
                allowed = "a label that the leaderboard does not have; write label=agent(...)"
                raise FieldError("agent", entry.label, allowed)
            entries[entry.label] = entry
        seeds = tuple(sorted({*kept["seeds"], *self.seeds}))
        return dataclasses.replace(self, entries=tuple(entries.values()), seeds=seeds)

    def trials(self) -> list[Trial]:
        """Every entry on every scenario."""
        return [
            Trial(scenario, entry, self.seeds)
            for scenario in self.scenarios
            for entry in self.entries
        ]

    def to_dict(self) -> dict[str, Any]:
        """The settings as JSON-native values, with the content of the scenarios' files."""
        return {
            "version": stageroute_gym.__version__,
            "scenarios": {scenario.name: scenario_dict(scenario) for scenario in self.scenarios},
            "entries": {entry.label: entry.to_dict() for entry in self.entries},
            "seeds": list(self.seeds),
            "sweeps": [each.to_dict() for each in self.sweeps],
        }


def scenario_dict(scenario: Scenario) -> dict[str, Any]:
    """A scenario as JSON-native values, with the SHA-256 of each file that its workload reads."""
    options = {
        field.name: getattr(part, field.name)
        for part in parts(scenario.workload)
        for field in dataclasses.fields(part)
    }
    files = {
        option: fingerprints.of_file(value)
        for option, value in options.items()
        if isinstance(value, str) and Path(value).is_file()
    }
    return {**scenario.to_dict(), "files": files}


def first_difference(
    given: Any, kept: Any, name: str = "settings", *, but: Sequence[str] = ()
) -> tuple[str, object, object] | None:
    """Where two JSON values differ first: the place, the given and the kept value there.

    Args:
        given: one value.
        kept: the other.
        name: what to call the place of the whole.
        but: keys whose values may differ.
    """
    if isinstance(given, dict) and isinstance(kept, dict):
        if list(given) != list(kept):
            return name, list(given), list(kept)
        for key in given:
            if key in but:
                continue
            inner = first_difference(given[key], kept[key], f"{name}.{key}", but=but)
            if inner is not None:
                return inner
        return None
    return None if given == kept else (name, given, kept)


def differing(values: Mapping[str, Any], others: Mapping[str, Any]) -> list[str]:
    """Keys of ``values`` that ``others`` lacks or has with another value."""
    return [key for key, value in values.items() if others.get(key) != value]


def _each_once(field: str, names: Sequence[str]) -> None:
    if not names:
        raise FieldError(field, list(names), "at least one name")
    for name in names:
        if list(names).count(name) > 1:
            raise FieldError(field, name, "a name given only once")
