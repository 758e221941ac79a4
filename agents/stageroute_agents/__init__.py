"""Agents for the stageroute-gym environments, on stable-baselines3's ``predict`` interface."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stageroute_agents.base import Agent
    from stageroute_agents.registry import make, names

__all__ = ["Agent", "make", "names"]

_HOMES = {"Agent": "base", "make": "registry", "names": "registry"}


def __getattr__(name: str) -> Any:
    # Only when asked for, since both modules load the compiler.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
