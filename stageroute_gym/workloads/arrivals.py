"""Arrivals: from which query on each model is on offer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.errors import FieldError, closest


@dataclass(frozen=True)
class Arrivals:
    """Models on offer from the start, and one more at a time after that.

    Args:
        order: model names in the order in which they arrive; every model of the table.
        initial: how many of them are there from the first query on, at least 1.
        interval: queries between two arrivals. None spreads the later arrivals evenly over the
            horizon, whatever its length.

    Raises:
        FieldError: if ``initial`` or ``interval`` is out of range.
    """

    order: tuple[str, ...]
    initial: int
    interval: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.initial <= len(self.order):
            raise FieldError("initial_models", self.initial, f"1 to {len(self.order)}")
        if self.interval is not None and self.interval < 1:
            raise FieldError("arrival_interval", self.interval, "queries, at least 1")

    def available(
        self, models: Sequence[str], stage_bounds: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Whether each model has arrived at each update point, shape (K, N), bool.

        Args:
            models: the table's model names.
            stage_bounds: update points and the horizon in queries, shape (K + 1,), int64.

        Raises:
            FieldError: if ``order`` does not name each model exactly once.
        """
        for name in self.order:
            if name not in models:
                raise FieldError("arrival order", name, closest(name, models))
        if sorted(self.order) != sorted(models):
            missing = sorted(set(models) - set(self.order))
            raise FieldError("arrival order", self.order, f"each model once; missing: {missing}")
        horizon = int(stage_bounds[-1])
        later = len(self.order) - self.initial
        arrives_at = {}
        for position, name in enumerate(self.order):
            nth = max(0, position - self.initial + 1)
            spread = nth * horizon // (later + 1)
            arrives_at[name] = spread if self.interval is None else nth * self.interval
        arrival = np.array([arrives_at[name] for name in models], dtype=np.int64)
        return stage_bounds[:-1, None] >= arrival[None, :]
