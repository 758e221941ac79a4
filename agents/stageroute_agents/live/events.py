"""What happened, as bytes for the journal: decisions, outcomes, models on offer."""

from __future__ import annotations

import math
import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.array_types import Singles

_DECISION, _OUTCOME, _OFFER = range(3)
_HEADS = {_DECISION: struct.Struct("<Bdi"), _OUTCOME: struct.Struct("<Bqdd?")}


class Decided(NamedTuple):
    """A query came at ``time`` (seconds since 1970), and what became of it.

    ``model`` is the one that it was routed to, `books.DECLINED` or `books.SPENT`; ``features`` are
    those of the query, shape (F,), float32.
    """

    time: float
    model: int
    features: Singles

    def packed(self) -> bytes:
        """The event as bytes."""
        head = _HEADS[_DECISION].pack(_DECISION, self.time, self.model)
        return head + self.features.tobytes()


class Recorded(NamedTuple):
    """Score and cost (USD) of decision ``number``, NaN for what is not told now.

    ``final`` says that nothing more will be.
    """

    number: int
    score: float
    cost: float
    final: bool

    def packed(self) -> bytes:
        """The event as bytes."""
        return _HEADS[_OUTCOME].pack(_OUTCOME, *self)


class Offered(NamedTuple):
    """The models on offer from now on, shape (N,), bool."""

    models: NDArray[np.bool_]

    def packed(self) -> bytes:
        """The event as bytes."""
        return bytes([_OFFER]) + self.models.tobytes()


Event = Decided | Recorded | Offered


def unpacked(event: bytes) -> Event:
    """The event that ``packed`` wrote."""
    kind = event[0]
    if kind == _DECISION:
        head = _HEADS[_DECISION]
        _, time, model = head.unpack_from(event)
        return Decided(time, model, np.frombuffer(event, np.float32, offset=head.size).copy())
    if kind == _OUTCOME:
        return Recorded(*_HEADS[_OUTCOME].unpack(event)[1:])
    return Offered(np.frombuffer(event, np.bool_, offset=1).copy())


def told(value: float) -> float | None:
    """A number of `Recorded`, None where it was not told."""
    return None if math.isnan(value) else value
