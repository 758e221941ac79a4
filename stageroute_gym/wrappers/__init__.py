"""Wrappers for learners, each of one purpose, for single and for vector environments.

`HoldDecision` goes directly on the environment, `BudgetPrice`, `SoftmaxAction` and either
`FlatObservation` or `RelativeObservation` on top of it, `MaskedObservation` last. Each has a sister
whose name starts with ``Vector``.
"""

from __future__ import annotations

from stageroute_gym.wrappers.holding import HoldDecision, VectorHoldDecision
from stageroute_gym.wrappers.normalization import Normalization
from stageroute_gym.wrappers.observations import (
    FlatObservation,
    MaskedObservation,
    RelativeObservation,
    VectorFlatObservation,
    VectorMaskedObservation,
    VectorRelativeObservation,
)
from stageroute_gym.wrappers.relative import RelativeFeatures
from stageroute_gym.wrappers.rewards import BudgetPrice, VectorBudgetPrice
from stageroute_gym.wrappers.shares import SoftmaxAction, VectorSoftmaxAction

__all__ = [
    "BudgetPrice",
    "FlatObservation",
    "HoldDecision",
    "MaskedObservation",
    "Normalization",
    "RelativeFeatures",
    "RelativeObservation",
    "SoftmaxAction",
    "VectorBudgetPrice",
    "VectorFlatObservation",
    "VectorHoldDecision",
    "VectorMaskedObservation",
    "VectorRelativeObservation",
    "VectorSoftmaxAction",
]
