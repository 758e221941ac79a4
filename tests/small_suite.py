"""A suite of two short scenarios, and a backend that runs in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from stageroute_gym import scenarios
from stageroute_gym.scenarios import Suite, registry, suites


class Here:
    """Calls one after the other, in this process."""

    def run(
        self, function: Callable[..., Any], arguments: Sequence[Any]
    ) -> Iterator[tuple[int, Any]]:
        for place, argument in enumerate(arguments):
            yield place, function(argument, lambda: None)


def use_small_suite(monkeypatch: pytest.MonkeyPatch, seeds: int = 3) -> Suite:
    """Make the suite ``small`` known."""
    for name, base in (("small", "routerbench"), ("small-drift", "drift")):
        given = scenarios.get(base, horizon=300, num_stages=3)
        values = {"name": name, "version": 1, "problem": given.problem, "workload": given.workload}
        monkeypatch.setitem(registry._registered, name, scenarios.Scenario(**values))
    suite = Suite("small", 1, ("small", "small-drift"), tuple(range(seeds)), "for tests")
    monkeypatch.setitem(suites._SUITES, "small", suite)
    return suite
