"""The named, versioned scenarios, and the suites that leaderboards run over."""

from __future__ import annotations

# The tests put a world of their own among the scenarios for a while.
from stageroute_gym.scenarios.catalogue import _SCENARIOS as _SCENARIOS
from stageroute_gym.scenarios.catalogue import get, names
from stageroute_gym.scenarios.scenario import Scenario
from stageroute_gym.scenarios.suites import Suite, suite, suite_names

__all__ = ["Scenario", "Suite", "get", "names", "suite", "suite_names"]
