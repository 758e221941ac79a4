"""Suites: scenarios and seeds that are run together."""

from __future__ import annotations

from dataclasses import dataclass

from stageroute_gym.errors import FieldError, closest


@dataclass(frozen=True)
class Suite:
    """Scenarios and seeds that are run together.

    Args:
        name: name of the suite.
        scenarios: names of its scenarios.
        seeds: seeds of the episodes of each of them.
        description: what it is for, in a line.
    """

    name: str
    scenarios: tuple[str, ...]
    seeds: tuple[int, ...]
    description: str


_SUITES = {
    suite.name: suite
    for suite in (
        Suite(
            "quick",
            ("routerbench", "routerbench-tight", "routerbench-loose"),
            tuple(range(10)),
            "the three budgets, 10 seeds; under a minute",
        ),
        Suite(
            "full",
            ("routerbench", "routerbench-tight", "routerbench-loose", "paper"),
            tuple(range(20)),
            "everything stationary that needs no file, 20 seeds",
        ),
        Suite(
            "changes",
            (
                "drift",
                "regression",
                "price-cut",
                "outage",
                "crowd",
                "many-models",
                "mixed-alpha",
                "delayed",
                "per-task",
            ),
            tuple(range(20)),
            "what separates agents: changes over time, many models, delay, tasks; 20 seeds",
        ),
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
