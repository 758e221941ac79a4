"""Agents for the stageroute-gym environments, on stable-baselines3's ``predict`` interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stageroute_agents.registry import make, names

if TYPE_CHECKING:
    from stageroute_agents.base import Agent

__all__ = ["Agent", "make", "names"]


def __getattr__(name: str) -> Any:
    # Only when asked for, since it loads the compiler.
    if name == "Agent":
        from stageroute_agents.base import Agent

        return Agent
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
