"""Conformance checks: what this project holds its scenarios and agents to, for others' too."""

from __future__ import annotations

from stageroute_gym.testing.agents import check_agent
from stageroute_gym.testing.scenarios import check_scenario

__all__ = ["check_agent", "check_scenario"]
