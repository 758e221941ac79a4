"""Instances on which every agent must lose: the two sources of the lower bound, as workloads."""

from __future__ import annotations

from stageroute_gym.workloads.hard.hidden_model import HiddenModel
from stageroute_gym.workloads.hard.late_newcomers import LateNewcomers

__all__ = ["HiddenModel", "LateNewcomers"]
