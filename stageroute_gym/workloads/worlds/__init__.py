"""Random worlds that nobody chose: traits drawn by number, and the table and schedule they make."""

from __future__ import annotations

from stageroute_gym.workloads.worlds.random_world import RandomWorld
from stageroute_gym.workloads.worlds.traits import Traits, draw_traits

__all__ = ["RandomWorld", "Traits", "draw_traits"]
