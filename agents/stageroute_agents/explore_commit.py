"""Explore-then-commit."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from stageroute_agents.allocation import capped_shares
from stageroute_agents.arrays import Batch, Floats, Integers, State
from stageroute_agents.linear_program import SlotlessAgent
from stageroute_agents.memory import Learner, Outcomes
from stageroute_gym.checks import count
from stageroute_gym.context import AgentContext
from stageroute_gym.tuning.space import SearchSpace, Whole


class ExploreThenCommit(Learner, SlotlessAgent):
    """Explore-then-commit (Lattimore & Szepesvari 2020, "Bandit algorithms", chapter 6).

    Tries every model ``m`` times, then goes by the mean score and cost of these tries for ever.
    Committed, it routes by RouteOPT on them. Models on offer with less than ``m`` tries are
    deployed first, and get all queries that their throughput allows; the other slots and queries
    go by the means. Models that arrive later are explored on arrival.

    Args:
        context: what it may know of the world it is for.
        seed: seed of the agent's own random numbers.
        m: tries of each model, at least 1.

    Raises:
        FieldError: if ``m`` is out of range.
    """

    search_space: ClassVar[SearchSpace] = {"m": Whole(1, 1000, log=True)}

    def __init__(self, context: AgentContext, *, seed: int = 0, m: int = 100) -> None:
        super().__init__(context, seed=seed)
        self.m = count("m", m, 1)

    def initial_state(self, rows: int) -> State:
        """With the means of the first ``m`` tries, each of shape (rows, N)."""
        shape = (rows, self.num_models)
        return {
            **super().initial_state(rows),
            "tried_score": np.zeros(shape),
            "tried_cost": np.zeros(shape),
        }

    def learn(self, batch: Batch, state: State, outcomes: Outcomes) -> None:
        """Follow the means until the ``m``-th try."""
        trying = batch["pulls"] <= self.m
        np.copyto(state["tried_score"], batch["mean_score"], where=trying)
        np.copyto(state["tried_cost"], batch["mean_cost"], where=trying)

    def estimates(self, batch: Batch, state: State, rows: Integers) -> tuple[Floats, Floats]:
        """Mean score and cost of the first ``m`` tries."""
        return state["tried_score"][rows], state["tried_cost"][rows]

    def index(self, batch: Batch, state: State, rows: Integers, caps: Floats) -> Floats:
        """Models to explore first, the others by their value at the budget's price."""
        exploring = batch["pulls"] < self.m
        return np.where(
            exploring, np.inf, super().index(batch, state, rows, np.where(exploring, 0.0, caps))
        )

    def shares(self, batch: Batch, state: State, rows: Integers) -> Floats:
        """Deployed models to explore alike, and the mixture of RouteOPT for what is left."""
        committed = super().shares(batch, state, rows)
        exploring = (batch["deployed"] > 0) & (batch["pulls"] < self.m)
        # A weight this small only counts for what the models to explore may not take.
        weights = np.where(exploring, 1.0, 1e-9 * committed)
        explored = capped_shares(weights, batch["deployed"], self.throughput)
        return np.where(exploring.any(axis=1, keepdims=True), explored, committed)
