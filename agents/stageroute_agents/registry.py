"""Agents by name; the same lookup that the evaluation and the command line use."""

from __future__ import annotations

from stageroute_gym.evaluation.agents import make, names

__all__ = ["make", "names"]
