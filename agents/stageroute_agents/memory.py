"""Agents that remember more of an episode than the observation shows: one mechanism for all."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stageroute_agents.arrays import Batch, Flags, Floats, Integers, State
from stageroute_agents.base import Agent
from stageroute_agents.views import View
from stageroute_gym.array_types import Singles
from stageroute_gym.compiling import njit
from stageroute_gym.context import AgentContext


class Outcomes(NamedTuple):
    """What has been observed since the last step, once for each query.

    Attributes:
        due: episodes in which the outcome of one more query is known, shape (E,), bool.
        model: model that served it, -1 if it was declined, its score does not come back, or none
            is due, shape (E,), int64.
        score: its score, 0 if none, shape (E,), float64.
        cost: its cost in USD, also without a score; 0 if none, shape (E,), float64.
        query: number of that query, shape (E,), int64; without meaning if none is due.
    """

    due: Flags
    model: Integers
    score: Floats
    cost: Floats
    query: Integers

    @property
    def served(self) -> tuple[Integers, Integers]:
        """Rows whose query's score is known, and the models that served it, for indexing."""
        rows = np.flatnonzero(self.model >= 0)
        return rows, self.model[rows]


class Learner(Agent):
    """An agent that learns from each outcome; subclasses say how in `learn`.

    The observation shows the last outcome until the next one replaces it, several times around an
    update point, and ``feedback_delay`` queries late. Counting the queries tells them apart. Live
    traffic has no such order: there outcomes are told one by one, see `listen`.

    Attributes:
        learns: whether it remembers anything beyond the observation; where a parameter of the agent
            says that it does not, nothing is kept and `learn` is not called.
        diary: room for notes on each query until its outcome is known.
        reach: number of queries after which that no longer is to be expected.
    """

    learns: bool = True

    def __init__(self, context: AgentContext, *, seed: int = 0) -> None:
        super().__init__(context, seed=seed)
        self.reach = self.problem.feedback_delay
        self.diary = Diary(self.reach)
        self._listening = False
        self._heard: list[Outcomes] = []

    def initial_state(self, rows: int) -> State:
        """With the number of queries that were over at the last step, shape (rows,)."""
        state = super().initial_state(rows)
        if self.learns:
            state["queries"] = np.zeros(rows, np.int64)
        return state

    def observe(self, batch: Batch, state: State) -> None:
        """Learn from what has been observed since the last step."""
        if not self.learns:
            return
        if self._listening:
            state["queries"][:] = self.queries(batch)
            heard = self._heard or [_nothing(len(state["queries"]))]
            self._heard = []
            for outcomes in heard[:-1]:
                self.learn(_BetweenQueries(batch), state, outcomes)
            self.learn(batch, state, heard[-1])
            return
        due, model, score, cost = news_since(
            state["queries"],
            batch["progress"],
            batch["last_action"],
            batch["last_score"],
            batch["last_cost"],
            self.problem.horizon,
            self.problem.feedback_delay,
        )
        query = state["queries"] - 1 - self.problem.feedback_delay
        self.learn(batch, state, Outcomes(due, model, score, cost, query))

    def listen(self, reach: int) -> None:
        """Learn from what `hear` is told from now on, and not from the observations.

        To be called before `begin`. Each query is then to be heard of once.

        Args:
            reach: how many queries late an outcome may be; the next ones count as `feedback_delay`
                does where that is larger.
        """
        self.reach = max(reach, self.problem.feedback_delay)
        self.diary = Diary(self.reach)
        self._listening = True

    def hear(self, outcomes: Outcomes) -> None:
        """Have the next step learn from the outcome of one query; see `listen`."""
        self._heard.append(outcomes)

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
    """What has been observed since the last step, as `Outcomes` lists it, but for the query.

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
        delay: most queries between the two.
    """

    def __init__(self, delay: int) -> None:
        self._slots = delay + 1

    def blank(self, rows: int, size: int) -> Floats:
        """Room for the notes of ``rows`` episodes, shape (rows, delay + 1, size), float64."""
        return np.zeros((rows, self._slots, size))

    def recall(self, notes: Floats, queries: NDArray[Any], rows: Integers) -> Floats:
        """Notes on the query with the number in ``queries``, shape (R, size), float64.

        Args:
            notes: those of all episodes, from `blank`.
            queries: number of the query in each of all episodes, shape (E,), whole numbers.
            rows: the episodes asked about, shape (R,), int64.
        """
        return notes[rows, queries[rows] % self._slots]

    def note(self, notes: Floats, queries: NDArray[Any], rows: Integers, values: Floats) -> None:
        """Note something on the query to be routed now.

        Args:
            notes: as for `recall`, like the next two; written.
            queries: see there.
            rows: see there.
            values: what to note, shape (R, size), float64.
        """
        notes[rows, queries[rows] % self._slots] = values


class _BetweenQueries(View):
    """Observations that show no query to route, so that none is noted twice."""

    def __getitem__(self, key: str) -> NDArray[Any]:
        values = self._fields[key]
        return np.zeros_like(values) if key == "phase" else values


def _nothing(rows: int) -> Outcomes:
    none = np.zeros(rows)
    numbers = np.full(rows, -1)
    return Outcomes(np.zeros(rows, np.bool_), numbers, none, none, numbers)
