"""Names for the arrays that agents work with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
# Observations of a batch, by the observation's keys, and what an agent remembers, by its own.
Batch = Mapping[str, NDArray[Any]]
State = dict[str, NDArray[Any]]
