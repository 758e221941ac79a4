"""Names for the arrays that agents work with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from stageroute_gym.array_types import Flags, Floats, Integers

__all__ = ["Batch", "Flags", "Floats", "Integers", "State"]

# Observations of a batch, by the observation's keys, and what an agent remembers, by its own.
Batch = Mapping[str, NDArray[Any]]
State = dict[str, NDArray[Any]]
