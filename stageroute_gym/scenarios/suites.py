"""Suites: scenarios and seeds that are run together, with a version."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from stageroute_gym.errors import FieldError, closest
from stageroute_gym.scenarios.registry import get


@dataclass(frozen=True)
class Suite:
    """Scenarios and seeds that are run together.

    Args:
        name: name of the suite.
        version: raised whenever its scenarios, one of their versions, or its seeds change.
        scenarios: names of its scenarios.
        seeds: seeds of the episodes of each of them.
        description: what it is for, in a line.
    """

    name: str
    version: int
    scenarios: tuple[str, ...]
    seeds: tuple[int, ...]
    description: str

    def to_dict(self) -> dict[str, Any]:
        """The suite as JSON-native values, with all that its scenarios say.

        Fields that have their default are left out: one that comes later changes no episode.
        """
        return {
            "name": self.name,
            "version": self.version,
            "scenarios": [_said(get(name)) for name in self.scenarios],
            "seeds": list(self.seeds),
        }

    def sha256(self) -> str:
        """SHA-256 of `to_dict` as JSON: two suites of equal value ask for the same episodes."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def _said(value: Any) -> Any:
    """A dataclass and those in it as JSON-native values, without fields that have their default."""
    if isinstance(value, tuple):
        return [_said(each) for each in value]
    if not dataclasses.is_dataclass(value):
        return value
    said = {
        field.name: _said(getattr(value, field.name))
        for field in dataclasses.fields(value)
        if field.name != "description" and getattr(value, field.name) != field.default
    }
    return {"kind": type(value).__name__, **said}


_BUDGETS = ("routerbench", "routerbench-tight", "routerbench-loose")
_CHANGES = (
    *("drift", "regression", "price-cut", "outage", "crowd", "many-models"),
    *("mixed-alpha", "delayed", "per-task"),
)
_PRODUCTION = ("sparse-feedback", "slow-start")
_FEATURES = ("per-query", "noise-features")
_ALL = (*_BUDGETS, "paper", *_CHANGES, *_PRODUCTION, *_FEATURES)

# Worlds of a horizon above 20,000, of which one alone takes as long as all the others together.
_TOO_LONG = {"tune": (11, 21, 26, 38), "test": (6, 17, 28, 39)}
_WORLDS = 48  # the first ones: each level of each trait in its share


def _worlds(half: str) -> Suite:
    """The suite of a half of the random worlds."""
    numbers = (number for number in range(_WORLDS) if number not in _TOO_LONG[half])
    purpose = {"tune": "to choose agents and parameters by", "test": "to report on"}[half]
    return Suite(
        f"worlds-{half}",
        1,
        tuple(f"worlds-{half}-{number}" for number in numbers),
        tuple(range(5)),
        f"44 random worlds of up to 20,000 queries, {purpose}; 5 seeds",
    )


_SUITES = {
    suite.name: suite
    for suite in (
        Suite(
            "quick", 1, _BUDGETS, tuple(range(10)), "the three budgets, 10 seeds; under a minute"
        ),
        Suite(
            "core",
            2,
            _ALL,
            tuple(range(20)),
            "all that is stationary or changes and needs no file, 20 seeds; what is submitted",
        ),
        Suite("full", 3, _ALL, tuple(range(50)), "the scenarios of core, 50 seeds"),
        Suite(
            "changes",
            1,
            _CHANGES,
            tuple(range(20)),
            "what separates agents: changes over time, many models, delay, tasks; 20 seeds",
        ),
        _worlds("tune"),
        _worlds("test"),
    )
}


def suite_names() -> list[str]:
    """Names of all suites."""
    return list(_SUITES)


def suite(name: str) -> Suite:
    """The suite of that name.

    Raises:
        FieldError: if there is no such suite.
    """
    if not isinstance(name, str) or name not in _SUITES:
        raise FieldError("suite", name, closest(str(name), _SUITES))
    return _SUITES[name]
