"""Arrivals: from which query on each model is on offer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stageroute_gym import checks
from stageroute_gym.errors import FieldError, closest
from stageroute_gym.problem import Problem


@dataclass(frozen=True)
class Arrivals:
    """Models on offer from the start, and the others later in the horizon.

    The later models arrive one after the other: each ``interval`` queries; or spread evenly over
    the horizon, whatever its length; or, where ``dates`` are given and ``interval`` is not, in
    proportion to their dates. With ``L`` later arrivals (``L`` later dates), the last one comes at
    ``L / (L + 1)`` of the horizon, so that it still serves queries.

    Args:
        order: model names in the order in which they arrive; every model of the table.
        initial: how many of them are there from the first query on, at least 1.
        interval: queries between two arrivals.
        dates: day number of each model of ``order``, never decreasing. Time begins at the date of
            the last initial model; models of one date arrive together.
        withdrawals: day number from which on each model of ``order`` is off, None for never; only
            with ``dates`` and without ``interval``. They lie on the same scale, which then ends
            with the last of all days.

    Raises:
        FieldError: if ``initial``, ``interval`` or ``dates`` is out of range.
    """

    order: tuple[str, ...]
    initial: int
    interval: int | None = None
    dates: tuple[int, ...] | None = None
    withdrawals: tuple[int | None, ...] | None = None

    def __post_init__(self) -> None:
        checks.count("initial_models", self.initial, 1, len(self.order))
        if self.interval is not None:
            checks.count("arrival_interval", self.interval, 1)
        if self.dates is not None and (
            len(self.dates) != len(self.order) or list(self.dates) != sorted(self.dates)
        ):
            raise FieldError("dates", self.dates, "one a model, never decreasing")

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
                raise FieldError("arrival_order", name, closest(name, models))
        if sorted(self.order) != sorted(models):
            missing = sorted(set(models) - set(self.order))
            raise FieldError("arrival_order", self.order, f"each model once; missing: {missing}")
        arrives_at = dict(zip(self.order, self._queries(int(stage_bounds[-1])), strict=True))
        arrival = np.array([arrives_at[name] for name in models], dtype=np.int64)
        present: NDArray[np.bool_] = stage_bounds[:-1, None] >= arrival[None, :]
        if self.withdrawals is None or self.dates is None or self.interval is not None:
            return present
        goes_at = dict(zip(self.order, self.withdrawals, strict=True))
        for column, name in enumerate(models):
            day = goes_at[name]
            if day is not None:
                present[stage_bounds[:-1] >= self._query_of(day, int(stage_bounds[-1])), column] = 0
        return present

    def _queries(self, horizon: int) -> list[int]:
        """The query at which each model of ``order`` arrives."""
        later = [max(0, place - self.initial + 1) for place in range(len(self.order))]
        if self.interval is not None:
            return [nth * self.interval for nth in later]
        if self.dates is None:
            return [nth * horizon // (later[-1] + 1) for nth in later]
        return [self._query_of(day, horizon) for day in self.dates]

    def _query_of(self, day: int, horizon: int) -> int:
        """The query of a day: 0 up to the start, and the last day so that queries are left."""
        assert self.dates is not None
        start = self.dates[self.initial - 1]
        days = {*self.dates, *(gone for gone in self.withdrawals or () if gone is not None)}
        moments = len({other for other in days if other > start})
        scale = (moments + 1) * max(max(days) - start, 1)
        return max(day - start, 0) * horizon * moments // scale


def arrival_order(value: object, allowed: Sequence[str]) -> str | tuple[str, ...]:
    """An arrival order as users give it: one of the words ``allowed``, or model names as a tuple.

    Raises:
        FieldError: if it is neither.
    """
    if isinstance(value, (list, tuple)):
        if not value or not all(isinstance(name, str) for name in value):
            raise FieldError("arrival_order", value, "model names")
        return tuple(value)
    return checks.choice("arrival_order", value, allowed)


def initial_pool(order: Sequence[str], models: Sequence[str], problem: Problem) -> int:
    """How many models of ``order`` should be there at the start.

    As many as can be deployed, and more if the throughput caps of those do not sum to 1, since
    some queries would then be declined; all, if even they do not suffice.

    Args:
        order: model names in the order in which they arrive.
        models: the table's model names, to which the problem's throughput refers.
        problem: the problem to lay out.
    """
    caps = dict(zip(models, problem.throughput_of_first(len(models)), strict=True))
    along = np.array([caps[name] for name in order if name in caps])
    for size in range(min(problem.max_deployed, len(order)), len(order)):
        largest = np.sort(along[:size])[::-1][: problem.max_deployed]
        if largest.sum() >= 1 - 1e-9:
            return size
    return len(order)
