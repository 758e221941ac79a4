"""Views of observations: some rows of a batch, one as a batch, and what some agents are shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stageroute_agents.arrays import Batch

# Where nothing costs anything, every query is taken to cost this, in USD, since much divides by
# costs.
FREE = 1e-12


def rows_of(batch: Batch, rows: NDArray[Any]) -> Batch:
    """Some rows of a batch.

    Args:
        batch: observations of ``E`` episodes.
        rows: which of them, shape (R,), int64, or shape (E,), bool.
    """
    return _Rows(batch, rows)


class View(Mapping[str, NDArray[Any]]):
    """A mapping over another; only what an agent looks at is computed."""

    def __init__(self, fields: Batch) -> None:
        self._fields = fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


class OneRow(View):
    """A single observation as a batch of one."""

    def __getitem__(self, key: str) -> NDArray[Any]:
        return self._fields[key][None]


class _Rows(View):
    """The selected rows of a batch."""

    def __init__(self, fields: Batch, rows: NDArray[Any]) -> None:
        super().__init__(fields)
        self._rows = rows

    def __getitem__(self, key: str) -> NDArray[Any]:
        return self._fields[key][self._rows]


class Ready(View):
    """Observations in which only the models that can serve the query count as deployed."""

    def __getitem__(self, key: str) -> NDArray[Any]:
        values = self._fields[key]
        if key != "deployed":
            return values
        # On a deploy step the mask is about what can be added.
        serving = (self._fields["action_mask"][:, :-1] > 0) | (self._fields["phase"] == 0)
        return values * serving


class Priced(View):
    """Observations of free models, as if each query had cost `FREE`."""

    def __getitem__(self, key: str) -> NDArray[Any]:
        values = self._fields[key]
        if key == "mean_cost":
            return np.where(self._fields["pulls"] > 0, np.float32(FREE), values)
        if key == "last_cost":
            return np.where(self._fields["last_action"] >= 0, np.float32(FREE), values)
        return values
