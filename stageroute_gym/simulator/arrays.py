"""The state of environments as arrays, one row each: what the kernels read and write."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Singles = NDArray[np.float32]
Masks = NDArray[np.int8]
Members = NDArray[np.uint32]
Flags = NDArray[np.bool_]

# `finished`, shape (E,), bool: the episode is over, and the next step starts a new one.
# `counters`, shape (E, 10), int64; the first six are shown in `info`.
QUERIES, STAGE, MODEL, DECLINED, INVALID, ACTIVATIONS = range(6)
PHASE, CHOSEN_SIZE, ROW, KEY = range(6, 10)
NUM_COUNTERS = 10
# `amounts`, shape (E, 7), float64; the first five are shown in `info`, and SEEN_SPEND is what the
# agent's observation knows of the spend.
STEP_SCORE, STEP_COST, SPEND, REGRET, ORACLE_SCORE, SEEN_SPEND, TOTAL_SCORE = range(7)
NUM_AMOUNTS = 7
# `members`, shape (E, M_max), uint32: the models chosen for the stage, in ascending order.
# `routing`, shape (E, 2, M_max), float64: shares of these models in the current query, and the
# largest allowed, for the continuous environment.
SHARES, CAPS = range(2)
# `tokens`, shape (E, N), float64: what each model's bucket holds.
# `totals`, shape (E, N, 3), float64: what has been observed of each model.
PULLS, SCORE_SUM, COST_SUM = range(3)
NUM_TOTALS = 3
# `pending`, shape (E, feedback_delay, 3), float64: feedback that is still on its way.
PENDING_MODEL, PENDING_SCORE, PENDING_COST = range(3)
NUM_PENDING = 3
# `fields`, `scalars`, float32, and `mask`, shape (E, N + 1), int8: the observation, which is laid
# out in `observation`. The sets of models on offer and deployed are kept there only.

# Values of PHASE, and of MODEL where no model served.
DEPLOY, ROUTE = 0, 1
NO_MODEL = -1

# Division as in C: Python's check for a zero divisor costs a branch each time. Without numba's
# reference counting, which took half the time of a step: the kernels hold and allocate nothing.
_OPTIONS: dict[str, Any] = {"cache": True, "error_model": "numpy", "_nrt": False}
kernel = njit(**_OPTIONS)
# For what every step calls: passing a dozen arrays to a function costs more than its work.
inlined = njit(**_OPTIONS, inline="always")
