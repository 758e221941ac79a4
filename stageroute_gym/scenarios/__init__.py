"""The named, versioned scenarios, and the suites that leaderboards run over."""

from __future__ import annotations

from stageroute_gym.scenarios.registry import get, names, register
from stageroute_gym.scenarios.scenario import Scenario
from stageroute_gym.scenarios.suites import Suite, suite, suite_names

__all__ = ["Scenario", "Suite", "get", "names", "register", "suite", "suite_names"]
