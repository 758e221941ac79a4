"""Agents that estimate scores and costs by task, from evidence that may lose its worth."""

from __future__ import annotations

import math
from abc import abstractmethod

import numpy as np

from stageroute_agents.arrays import Batch, Floats, Integers, State
from stageroute_agents.memory import Learner, Outcomes
from stageroute_agents.paced.estimates import Prior, estimate_rows
from stageroute_agents.paced.evidence import NUM_SUMS, NUM_WATCHED, learn_rows
from stageroute_gym.context import AgentContext

# Of more tasks than this none is told apart.
_MOST_TASKS = 64
_TASK_MEMORY = 2_000.0
# The last outcomes, and the evidence in nats that they differ from all of a model's.
_LATE_OUTCOMES = 30.0
_EVIDENCE = 8.0


class EstimatingAgent(Learner):
    """An agent that knows, at each step, what to expect of every model on every task.

    Where queries tell their task, one-hot, each has estimates of its own; otherwise there is one.
    What was routed and is not yet observed counts as tried.

    Args:
        context: what it may know of the world it is for.
        seed: seed of the agent's own random numbers.
        prior: what is expected before anything has been observed.
        use_prices: whether the list prices are part of that.
        forget: whether evidence on a model that changes shrinks to its last outcomes.
        per_task: whether tasks are told apart.
        count_pending: whether queries whose outcome is late are counted.
    """

    def __init__(
        self,
        context: AgentContext,
        *,
        seed: int,
        prior: Prior,
        use_prices: bool,
        forget: bool,
        per_task: bool,
        count_pending: bool,
    ) -> None:
        super().__init__(context, seed=seed)
        self.prior = prior
        self.use_prices = use_prices
        self.threshold = _EVIDENCE if forget else math.inf
        tasks = context.num_tasks
        self.num_tasks = tasks if per_task and 1 < tasks <= _MOST_TASKS else 1
        self.count_pending = count_pending and self.problem.feedback_delay > 0

    def initial_state(self, rows: int) -> State:
        """With the evidence, the estimates that follow from it, and what was routed lately."""
        tasks, models = self.num_tasks, self.num_models
        state = {
            **super().initial_state(rows),
            "cells": np.zeros((rows, tasks, models, NUM_SUMS)),
            "watches": np.zeros((rows, models, 2, NUM_WATCHED)),
            "task": np.zeros(rows, np.int64),
            "task_counts": np.full((rows, tasks), 1e-9),
            "score": np.zeros((rows, tasks, models)),
            "deviation": np.zeros((rows, tasks, models)),
            "cost": np.zeros((rows, tasks, models)),
            "noise": np.zeros((rows, models)),
            "scale": np.zeros(rows),
            "pending": np.zeros((rows, models)),
        }
        if tasks > 1:
            state["tasks"] = self.diary.blank(rows, 1)
        if self.count_pending:
            state["routed"] = self.diary.blank(rows, models)
        return state

    def learn(self, batch: Batch, state: State, outcomes: Outcomes) -> None:
        """Book the outcomes, and estimate anew."""
        self._book(state, outcomes)
        if self.num_tasks > 1:
            self._note_tasks(batch, state, np.flatnonzero(batch["phase"][:, 0] > 0))
        self.estimate(batch, state)

    def estimate(self, batch: Batch, state: State) -> None:
        """Write what each model is taken to score and cost on each task, with the deviation.

        Args:
            batch: observations of ``E`` episodes.
            state: what is remembered of them; ``score``, ``deviation`` and ``cost`` are written,
                shapes (E, G, N), float64.
        """
        prices = batch["list_price"].astype(np.float64)
        estimate_rows(
            state["cells"],
            self.task_weights(state),
            state["pending"],
            state["scale"],
            prices if self.use_prices else np.zeros_like(prices),
            self.prior,
            self.cost_bounds[0],
            state["score"],
            state["deviation"],
            state["noise"],
            state["cost"],
        )

    @abstractmethod
    def route(self, batch: Batch, state: State, rows: Integers) -> Floats:
        """Shares for the query at hand, as `shares` returns them."""

    def shares(self, batch: Batch, state: State, rows: Integers) -> Floats:
        """The shares for the query at hand, counted as pending until its outcome is observed."""
        shares = self.route(batch, state, rows)
        if self.count_pending:
            self.diary.note(state["routed"], state["queries"], rows, shares)
            state["pending"][rows] += shares
        return shares

    def task_weights(self, state: State) -> Floats:
        """Share of each task in the queries, shape (E, G), float64."""
        counts = state["task_counts"]
        return np.ones(counts.shape) if self.num_tasks == 1 else shares_of_tasks(counts)

    def over_tasks(self, state: State, name: str, rows: Integers) -> Floats:
        """The mean of an estimate over the tasks as they come, shape (R, N), float64.

        Args:
            state: what is remembered of the episodes.
            name: ``score``, ``deviation`` or ``cost``.
            rows: the episodes, shape (R,), int64.
        """
        if self.num_tasks == 1:
            return state[name][rows, 0]
        weight = shares_of_tasks(state["task_counts"][rows])
        return np.einsum("eg,egn->en", weight, state[name][rows])

    def _book(self, state: State, outcomes: Outcomes) -> None:
        rows, models = outcomes.served
        state["scale"][rows] = np.maximum(state["scale"][rows], outcomes.score[rows])
        tasks = np.zeros(len(rows), np.int64)
        if self.num_tasks > 1:
            noted = self.diary.recall(state["tasks"], outcomes.query, rows)
            tasks = noted[:, 0].astype(np.int64)
        learn_rows(
            state["cells"],
            state["watches"],
            rows,
            tasks,
            models,
            outcomes.score[rows],
            outcomes.cost[rows],
            state["score"][rows, tasks, models],
            state["cost"][rows, tasks, models],
            _LATE_OUTCOMES,
            self.threshold,
        )
        if self.count_pending:
            due = np.flatnonzero(outcomes.due)
            known = self.diary.recall(state["routed"], outcomes.query, due)
            state["pending"][due] = np.maximum(state["pending"][due] - known, 0.0)

    def _note_tasks(self, batch: Batch, state: State, routed: Integers) -> None:
        task = batch["query"][routed, : self.num_tasks].argmax(axis=1)
        state["task"][routed] = task
        self.diary.note(state["tasks"], state["queries"], routed, task[:, None].astype(np.float64))
        # Shares of the tasks drift; a fixed window would need all of it remembered.
        state["task_counts"][routed] *= 1.0 - 1.0 / _TASK_MEMORY
        state["task_counts"][routed, task] += 1.0


def shares_of_tasks(counts: Floats) -> Floats:
    """Share of each task in the queries, shape (E, G), float64, from discounted counts."""
    return counts / counts.sum(axis=1, keepdims=True)
