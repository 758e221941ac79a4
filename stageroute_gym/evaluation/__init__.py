"""Running agents, measuring and ranking them."""

from __future__ import annotations

from stageroute_gym.evaluation.comparison import compare
from stageroute_gym.evaluation.running import evaluate
from stageroute_gym.evaluation.statistics import Estimate, estimate

__all__ = ["Estimate", "compare", "estimate", "evaluate"]
