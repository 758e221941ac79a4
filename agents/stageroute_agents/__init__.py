"""Agents for the stageroute-gym environments, on stable-baselines3's ``predict`` interface."""

from __future__ import annotations

from stageroute_agents.base import Agent
from stageroute_agents.registry import make, names

__all__ = ["Agent", "make", "names"]
