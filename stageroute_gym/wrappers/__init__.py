"""Wrappers for learners, each of one purpose, for single and for vector environments.

`HoldDecision` goes directly on the environment, `BudgetPrice` and `FlatObservation` on top of it,
`MaskedObservation` last. Each has a sister whose name starts with ``Vector``.
"""

from __future__ import annotations

from stageroute_gym.wrappers.holding import HoldDecision, VectorHoldDecision
from stageroute_gym.wrappers.normalization import Normalization
from stageroute_gym.wrappers.observations import (
    FlatObservation,
    MaskedObservation,
    VectorFlatObservation,
    VectorMaskedObservation,
)
from stageroute_gym.wrappers.rewards import BudgetPrice, VectorBudgetPrice

__all__ = [
    "BudgetPrice",
    "FlatObservation",
    "HoldDecision",
    "MaskedObservation",
    "Normalization",
    "VectorBudgetPrice",
    "VectorFlatObservation",
    "VectorHoldDecision",
    "VectorMaskedObservation",
]
