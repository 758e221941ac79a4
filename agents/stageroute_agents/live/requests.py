"""Requests of a live router of which not everything is known yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

# Of the requests whose cost is known and whose score is not, and of the lost ones, so many are
# kept; the oldest of more are given up.
MOST_KEPT = 100_000


@dataclass(slots=True)
class Request:
    """A query sent to a model.

    Attributes:
        query: its number in its lap.
        lap: number of the lap.
        period: the day or month whose budget it is charged to.
        model: number of the model.
        time: when it was sent, in seconds since 1970.
        score: None where it is not known.
        cost: USD; None where it is not known.
        charge: USD that it was charged at when it was lost; None if it was not, or was found.
    """

    query: int
    lap: int
    period: int
    model: int
    time: float
    score: float | None = None
    cost: float | None = None
    charge: float | None = None

    def values(self) -> list[Any]:
        """The attributes, for ``Request(*values)``."""
        return [getattr(self, field.name) for field in fields(self)]


class Requests:
    """Requests by the numbers of their decisions.

    Each is in flight until its cost is known or it is lost; with a known cost it waits for a score.
    """

    def __init__(self) -> None:
        self._open: dict[int, Request] = {}
        # Each oldest first.
        self._flying: dict[int, None] = {}
        self._waiting: dict[int, None] = {}
        self._lost: dict[int, None] = {}

    def __len__(self) -> int:
        return len(self._open)

    def get(self, number: int) -> Request | None:
        """The request of a decision; None if all is known of it, or it was given up."""
        return self._open.get(number)

    @property
    def lost(self) -> int:
        """How many were lost and have not been found."""
        return len(self._lost)

    def send(self, number: int, request: Request) -> None:
        """Add a request that goes out now."""
        self._open[number] = request
        self._flying[number] = None

    def overdue(self, time: float) -> Iterator[Request]:
        """Lose the requests in flight that were sent at ``time`` or before, one by one."""
        while self._flying:
            number = next(iter(self._flying))
            request = self._open[number]
            if request.time > time:
                return
            del self._flying[number]
            self._keep(self._lost, number)
            yield request

    def paid(self, number: int) -> None:
        """The cost of a request is known now."""
        self._flying.pop(number, None)
        self._lost.pop(number, None)

    def waits(self, number: int) -> bool:
        """Whether a request of known cost waits for its score."""
        return number in self._waiting

    def wait(self, number: int) -> None:
        """Keep a request of known cost until its score comes."""
        self._keep(self._waiting, number)

    def close(self, number: int) -> None:
        """Forget a request of which all is known."""
        self._waiting.pop(number, None)
        del self._open[number]

    def _keep(self, kept: dict[int, None], number: int) -> None:
        kept[number] = None
        if len(kept) > MOST_KEPT:
            oldest = next(iter(kept))
            del kept[oldest], self._open[oldest]

    def snapshot(self) -> dict[str, Any]:
        """All of it as JSON-native values, for `restore`."""
        return {
            "open": [[number, *request.values()] for number, request in self._open.items()],
            "flying": list(self._flying),
            "waiting": list(self._waiting),
            "lost": list(self._lost),
        }

    def restore(self, kept: dict[str, Any]) -> None:
        """Go on from what `snapshot` returned."""
        self._open = {number: Request(*values) for number, *values in kept["open"]}
        self._flying = dict.fromkeys(kept["flying"])
        self._waiting = dict.fromkeys(kept["waiting"])
        self._lost = dict.fromkeys(kept["lost"])
