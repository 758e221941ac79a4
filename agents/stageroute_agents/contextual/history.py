"""Agents that are fitted once on a history of queries, and never learn again."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import ClassVar, NamedTuple

import numpy as np

from stageroute_agents.allocation import best_set, capped_shares
from stageroute_agents.arrays import Batch, Flags, Floats, Integers, State
from stageroute_agents.base import Kind
from stageroute_agents.memory import Learner, Outcomes
from stageroute_agents.views import rows_of
from stageroute_gym.checks import number
from stageroute_gym.context import AgentContext
from stageroute_gym.errors import FieldError


class Past(NamedTuple):
    """Queries of a history, and what models scored and cost on them.

    Attributes:
        query: features as an agent sees them, shape (H, F), float64.
        model: the one model whose outcome is known of each query, shape (H,), int64; -1 where that
            of all is.
        score: shape (H, N), or (H, 1) where one is known, float64.
        cost: USD, shape as ``score``.
    """

    query: Floats
    model: Integers
    score: Floats
    cost: Floats

    def of_model(self, model: int) -> tuple[Floats, Floats, Floats]:
        """Queries of known outcome with one model, its scores and its costs."""
        if self.score.shape[1] > 1 or (self.model < 0).any():
            return self.query, self.score[:, model], self.cost[:, model]
        served = self.model == model
        return self.query[served], self.score[served, 0], self.cost[served, 0]


class HistoryAgent(Learner):
    """An agent fitted once: on a file, or on the first part of the episode.

    A file tells what every model scored and cost on each query, as the files that scenarios are
    made of do; `stageroute data split` makes one of the first part of such a file. Without a file
    the agent gathers: it deploys the models tried least and routes uniformly, for a share of the
    horizon, and is fitted on what it saw of the one model that served each query.

    Args:
        context: what it may know of the world it is for.
        seed: seed of the agent's own random numbers.
        history: path of a file in the wide layout, with the features that the scenario shows; None
            gathers.
        gather: share of the horizon to gather for, in (0, 1); not used with a file.

    Raises:
        FieldError: if a parameter is out of range, or the file has a fault, or lacks a model or
            one of the scenario's features.
    """

    kind: ClassVar[Kind] = "baseline"
    # Without a file that only a user has, it is not itself.
    plays_by_default: ClassVar[bool] = False

    def __init__(
        self, context: AgentContext, *, seed: int, history: str | None, gather: float
    ) -> None:
        super().__init__(context, seed=seed)
        self.gather = number("gather", gather, 0, 1, above=True, below=True)
        self.size = context.num_features
        self.past = None if history is None else read_past(history, context)
        self.gathered = 0 if self.past else math.ceil(self.gather * self.problem.horizon)

    @abstractmethod
    def fit(self, state: State, row: int, past: Past) -> None:
        """Write into one row of ``state`` what is concluded from a history.

        Args:
            state: what is remembered of all episodes.
            row: the episode's place in it.
            past: the history.
        """

    @abstractmethod
    def plan_fitted(self, batch: Batch, state: State, rows: Integers) -> Flags:
        """As `plan`, once it is fitted."""

    @abstractmethod
    def shares_fitted(self, batch: Batch, state: State, rows: Integers) -> Floats:
        """As `shares`, once it is fitted."""

    def initial_state(self, rows: int) -> State:
        """With what has been gathered so far; fitted already where there is a file."""
        return {
            **super().initial_state(rows),
            "contexts": self.diary.blank(rows, self.size),
            "fitted": np.zeros(rows, np.bool_),
            "past_number": np.zeros(rows, np.int64),
            "past_query": np.zeros((rows, self.gathered, self.size)),
            "past_model": np.zeros((rows, self.gathered), np.int64),
            "past_score": np.zeros((rows, self.gathered)),
            "past_cost": np.zeros((rows, self.gathered)),
        }

    def learn(self, batch: Batch, state: State, outcomes: Outcomes) -> None:
        """Gather, and fit where that is over."""
        rows, models = outcomes.served
        wanted = ~state["fitted"][rows] & (state["past_number"][rows] < self.gathered)
        rows, models = rows[wanted], models[wanted]
        place = state["past_number"][rows]
        query = self.diary.recall(state["contexts"], outcomes.query, rows)
        state["past_query"][rows, place] = query
        state["past_model"][rows, place] = models
        state["past_score"][rows, place] = outcomes.score[rows]
        state["past_cost"][rows, place] = outcomes.cost[rows]
        state["past_number"][rows] += 1
        ready = ~state["fitted"] & (state["queries"] >= self.gathered)
        for row in np.flatnonzero(ready):
            self.fit(state, int(row), self.past or _gathered(state, int(row)))
            state["fitted"][row] = True
        routed = np.flatnonzero(batch["phase"][:, 0] > 0)
        seen = batch["query"][routed].astype(np.float64)
        self.diary.note(state["contexts"], state["queries"], routed, seen)

    def plan(self, batch: Batch, state: State, rows: Integers) -> Flags:
        """The models tried least, or the fitted rule's set."""
        fitted = state["fitted"][rows]
        caps, pulls = self.throughput * batch["available"], batch["pulls"]
        chosen = best_set(-pulls.astype(np.float64), caps, pulls, self.problem.max_deployed)
        if fitted.any():
            chosen[fitted] = self.plan_fitted(rows_of(batch, fitted), state, rows[fitted])
        return chosen

    def shares(self, batch: Batch, state: State, rows: Integers) -> Floats:
        """Deployed models alike, or the fitted rule's shares."""
        fitted = state["fitted"][rows]
        deployed = batch["deployed"]
        shares = capped_shares(np.ones(deployed.shape), deployed, self.throughput)
        if fitted.any():
            shares[fitted] = self.shares_fitted(rows_of(batch, fitted), state, rows[fitted])
        return shares


def _gathered(state: State, row: int) -> Past:
    number = state["past_number"][row]
    return Past(
        state["past_query"][row, :number],
        state["past_model"][row, :number],
        state["past_score"][row, :number, None],
        state["past_cost"][row, :number, None],
    )


def read_past(history: str, context: AgentContext) -> Past:
    """The history in a file, for the models and features of a context.

    Features are found by their names, those of tasks too, and numbers are standardised over the
    file, as a scenario's are over its own.

    Args:
        history: path of the file.
        context: what the agent is for.

    Raises:
        FieldError: see `HistoryAgent`.
    """
    from stageroute_gym.workloads.layouts import COST, SCORE
    from stageroute_gym.workloads.outcome_files import read_any
    from stageroute_gym.workloads.query_features import features_named

    if not isinstance(history, str):
        raise FieldError("history", history, "the path of a file of outcomes, as text")
    names = context.feature_names
    # Without features a query still shows one number, 0.
    if not names and context.num_features > 1:
        allowed = f"names of the {context.num_features} features, which a history is read by"
        raise FieldError("feature_names", names, allowed)
    try:
        frame = read_any(history).frame
    except FieldError as error:
        raise FieldError(f"{error.field} of history", error.value, error.allowed) from None
    for model in context.models:
        if SCORE + model not in frame.columns:
            raise FieldError("history", history, f"a file with the model {model}")
    query = np.zeros((len(frame), context.num_features))
    if names:
        query[:] = features_named(frame, names, "history")
    score, cost = (
        np.ascontiguousarray(frame.select(kind + model for model in context.models).to_numpy())
        for kind in (SCORE, COST)
    )
    return Past(query, np.full(len(frame), -1), score, cost)
