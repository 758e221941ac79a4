"""Agents that remember more of an episode than the observation shows: one mechanism for all."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stageroute_agents.arrays import Batch, Flags, Floats, Integers, State
from stageroute_agents.base import Agent
from stageroute_gym.array_types import Singles
from stageroute_gym.compiling import njit


class Outcomes(NamedTuple):
    """What has been observed since the last step, once for each query.

    Attributes:
        due: episodes in which the outcome of one more query is known, shape (E,), bool.
        model: model that served it, -1 if it was declined, its score does not come back, or none
            is due, shape (E,), int64.
        score: its score, 0 if none, shape (E,), float64.
        cost: its cost in USD, also without a score; 0 if none, shape (E,), float64.
    """

    due: Flags
    model: Integers
    score: Floats
    cost: Floats

    @property
    def served(self) -> tuple[Integers, Integers]:
        """Rows whose query's score is known, and the models that served it, for indexing."""
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
        news = news_since(
            state["queries"],
            batch["progress"],
            batch["last_action"],
            batch["last_score"],
            batch["last_cost"],
            self.problem.horizon,
            self.problem.feedback_delay,
        )
        self.learn(batch, state, Outcomes(*news))

    @abstractmethod
    def learn(self, batch: Batch, state: State, outcomes: Outcomes) -> None:
        """Update ``state``, in place.

        Args:
            batch: observations of ``E`` episodes.
            state: what is remembered of them; ``state["queries"]`` is up to date.
            outcomes: what has been observed since the last step.
        """


@njit(cache=True)
def news_since(
    queries: Integers,
    progress: Singles,
    last_action: Singles,
    last_score: Singles,
    last_cost: Singles,
    horizon: int,
    delay: int,
) -> tuple[Flags, Integers, Floats, Floats]:
    """What has been observed since the last step, as `Outcomes` lists it.

    Args:
        queries: queries that were over then, and, written, that are over now, shape (E,), int64.
        progress: observation, shape (E, 2), float32.
        last_action: observation, shape (E, 1), float32, like the next two.
        last_score: see there.
        last_cost: see there.
        horizon: queries in an episode.
        delay: queries after which an outcome is observed.
    """
    rows = len(queries)
    due, model = np.zeros(rows, np.bool_), np.full(rows, -1, np.int64)
    score, cost = np.zeros(rows), np.zeros(rows)
    for e in range(rows):
        # As `Agent.queries` counts.
        over = np.int64(np.rint(np.float64(progress[e, 0]) * horizon))
        due[e] = over > queries[e] and over > delay
        queries[e] = over
        if due[e] and last_action[e, 0] >= 0:
            cost[e] = last_cost[e, 0]
            # Without a score there is nothing to learn of the model, but the money is gone.
            if last_score[e, 0] >= 0.0:
                model[e], score[e] = np.int64(last_action[e, 0]), last_score[e, 0]
    return due, model, score, cost


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
