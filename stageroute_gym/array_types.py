"""Names of the array types that signatures share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Integers = NDArray[np.int64]
Members = NDArray[np.uint32]
Masks = NDArray[np.int8]
Flags = NDArray[np.bool_]
