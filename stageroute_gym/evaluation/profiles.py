"""Performance profiles: in what share of runs an entry reaches a score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def performance_profile(
    scores: Sequence[NDArray[np.float64]], thresholds: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Share of runs that score at least each threshold, every scenario counting the same.

    The run-score distribution of Agarwal et al. 2021 (arXiv 2108.13264, section 4.2).

    Args:
        scores: those of each scenario's runs, at least one run each, shape (runs,), float64.
        thresholds: shape (P,), float64.

    Returns:
        The shares, shape (P,), float64, in [0, 1].
    """
    reached = [(run[:, None] >= thresholds).mean(axis=0) for run in scores]
    return np.array(reached).mean(axis=0)
