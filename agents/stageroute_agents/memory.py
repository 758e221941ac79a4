"""Agents that remember more of an episode than the observation shows: one mechanism for all."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stageroute_agents.arrays import Batch, Flags, Floats, Integers, State
from stageroute_agents.base import Agent


class Outcomes(NamedTuple):
    """What has been observed since the last step, once for each query.

    Attributes:
        due: episodes in which the outcome of one more query is known, shape (E,), bool.
        model: model that served it, -1 if it was declined or none is due, shape (E,), int64.
        score: its score, 0 if none, shape (E,), float64.
        cost: its cost in USD, 0 if none, shape (E,), float64.
    """

    due: Flags
    model: Integers
    score: Floats
    cost: Floats

    @property
    def served(self) -> tuple[Integers, Integers]:
        """Rows whose query was served, and the models that served it, for indexing."""
        rows = np.flatnonzero(self.model >= 0)
        return rows, self.model[rows]


class Learner(Agent):
    """An agent that learns from each outcome; subclasses say how in `learn`.

    The observation shows the last outcome until the next one replaces it, several times around an
    update point, and ``feedback_delay`` queries late. Counting the queries tells them apart.
    """

    def initial_state(self, rows: int) -> State:
        """With the number of queries that were over at the last step, shape (rows,)."""
        return {**super().initial_state(rows), "queries": np.zeros(rows, np.int64)}

    def observe(self, batch: Batch, state: State) -> None:
        """Learn from what has been observed since the last step."""
        queries = self.queries(batch)
        due = (queries > state["queries"]) & (queries > self.problem.feedback_delay)
        served = due & (batch["last_action"][:, 0] >= 0)
        state["queries"][:] = queries
        self.learn(
            batch,
            state,
            Outcomes(
                due,
                np.where(served, batch["last_action"][:, 0], -1).astype(np.int64),
                np.where(served, batch["last_score"][:, 0], 0.0).astype(np.float64),
                np.where(served, batch["last_cost"][:, 0], 0.0).astype(np.float64),
            ),
        )

    @abstractmethod
    def learn(self, batch: Batch, state: State, outcomes: Outcomes) -> None:
        """Update ``state``, in place.

        Args:
            batch: observations of ``E`` episodes.
            state: what is remembered of them; ``state["queries"]`` is up to date.
            outcomes: what has been observed since the last step.
        """


class Diary:
    """What was noted when a query was routed, until its outcome is observed.

    Args:
        delay: queries between the two, `Problem.feedback_delay`.
    """

    def __init__(self, delay: int) -> None:
        self._slots = delay + 1

    def blank(self, rows: int, size: int) -> Floats:
        """Room for the notes of ``rows`` episodes, shape (rows, delay + 1, size), float64."""
        return np.zeros((rows, self._slots, size))

    def recall(self, notes: Floats, queries: NDArray[Any], rows: Integers) -> Floats:
        """Notes on the query whose outcome is due after ``queries``, shape (len(rows), size)."""
        return notes[rows, queries[rows] % self._slots]

    def note(self, notes: Floats, queries: NDArray[Any], rows: Integers, values: Floats) -> None:
        """Note ``values``, shape (len(rows), size), on the query to be routed now."""
        # Query q is due after q + 1 + delay queries, which is the same slot.
        notes[rows, queries[rows] % self._slots] = values
