"""UCB policies that forget, for drift: sliding-window and discounted (Garivier & Moulines 2011)."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import ClassVar

import numpy as np

from stageroute_agents.arrays import Batch, Floats, Integers, State
from stageroute_agents.linear_program import SlotlessAgent
from stageroute_agents.memory import Learner, Outcomes
from stageroute_gym.checks import count, number
from stageroute_gym.context import AgentContext
from stageroute_gym.tuning.space import Real, SearchSpace, Whole


class ForgettingAgent(Learner, SlotlessAgent):
    """Routes by RouteOPT on bounds and means of what has not been forgotten.

    The published policies know scores only: they play the largest bound. Here the bound is the
    score of RouteOPT, and the remembered mean the cost; a model of which nothing is remembered
    costs ``c1``. Deploys the set that its own index ranks best.
    """

    def initial_state(self, rows: int) -> State:
        """With the remembered pulls, score sums and cost sums, each of shape (rows, N)."""
        shape = (rows, self.num_models)
        sums = {name: np.zeros(shape) for name in ("kept_pulls", "kept_score", "kept_cost")}
        return {**super().initial_state(rows), **sums}

    @abstractmethod
    def padding(self, state: State, rows: Integers, pulls: Floats) -> Floats:
        """What the bound adds to the mean, shape (R, N), for ``pulls`` > 0 remembered pulls."""

    def estimates(self, batch: Batch, state: State, rows: Integers) -> tuple[Floats, Floats]:
        """Mean score with padding, and mean cost."""
        pulls = state["kept_pulls"][rows]
        known = pulls > 0
        some = np.where(known, pulls, 1.0)
        # Score 1 and one pull: the policies play a model first of which nothing is remembered. In a
        # window nothing tops that bound; discounted, a model pulled long ago, of which less than
        # one pull is left, can.
        score = np.where(known, state["kept_score"][rows] / some, 1.0) + self.padding(
            state, rows, some
        )
        cost = np.where(known, state["kept_cost"][rows] / some, self.cost_bounds[0])
        return score, np.clip(cost, *self.cost_bounds)

    def seen(self, queries: Floats) -> Floats:
        """Queries whose outcome is known."""
        return np.maximum(queries - self.problem.feedback_delay, 0)


class SlidingWindowUcb(ForgettingAgent):
    """Sliding-window UCB, SW-UCB (Garivier & Moulines 2011, arXiv 0805.3415).

    Bound: mean over the last ``tau`` queries + ``B sqrt(xi log(min(t, tau)) / N_t(tau, m))`` with
    ``B = 1``.

    Args:
        context: what it may know of the world it is for.
        seed: seed of the agent's own random numbers.
        tau: queries remembered, at least 1; None takes ``4 sqrt(T log T)``, as published for one
            change in the horizon.
        xi: scale of the padding, above 0; above 1/2 in the theory.

    Raises:
        FieldError: if a parameter is out of range.
    """

    search_space: ClassVar[SearchSpace] = {
        "tau": Whole(50, 20_000, log=True),
        "xi": Real(1e-3, 2.0, "log"),
    }

    def __init__(
        self, context: AgentContext, *, seed: int = 0, tau: int | None = None, xi: float = 0.5
    ) -> None:
        super().__init__(context, seed=seed)
        horizon = self.problem.horizon
        published = max(int(4.0 * math.sqrt(horizon * math.log(horizon))), 1)
        self.tau = published if tau is None else count("tau", tau, 1)
        self.xi = number("xi", xi, 0, above=True)

    def initial_state(self, rows: int) -> State:
        """With model, score and cost of the last ``tau`` queries, shapes (rows, tau)."""
        return {
            **super().initial_state(rows),
            "window_model": np.full((rows, self.tau), -1),
            "window_score": np.zeros((rows, self.tau)),
            "window_cost": np.zeros((rows, self.tau)),
        }

    def learn(self, batch: Batch, state: State, outcomes: Outcomes) -> None:
        """Take the newest outcome in and the oldest out."""
        rows = np.flatnonzero(outcomes.due)
        slot = (outcomes.query[rows] + 1) % self.tau
        model = state["window_model"][rows, slot]
        full = model >= 0
        leaving, at, old = rows[full], slot[full], model[full]
        state["kept_pulls"][leaving, old] -= 1.0
        state["kept_score"][leaving, old] -= state["window_score"][leaving, at]
        state["kept_cost"][leaving, old] -= state["window_cost"][leaving, at]
        state["window_model"][rows, slot] = outcomes.model[rows]
        state["window_score"][rows, slot] = outcomes.score[rows]
        state["window_cost"][rows, slot] = outcomes.cost[rows]
        served, models = outcomes.served
        state["kept_pulls"][served, models] += 1.0
        state["kept_score"][served, models] += outcomes.score[served]
        state["kept_cost"][served, models] += outcomes.cost[served]

    def listen(self, reach: int) -> None:
        """As `Learner.listen`; an outcome older than the window has no place in it."""
        super().listen(min(reach, self.problem.feedback_delay + self.tau - 1))

    def padding(self, state: State, rows: Integers, pulls: Floats) -> Floats:
        """``B sqrt(xi log(min(t, tau)) / N_t(tau, m))``."""
        rounds = np.clip(self.seen(state["queries"][rows]), 1, self.tau)
        return np.sqrt(self.xi * np.log(rounds)[:, None] / pulls)


class DiscountedUcb(ForgettingAgent):
    """Discounted UCB, D-UCB (Garivier & Moulines 2011, arXiv 0805.3415).

    Bound: discounted mean + ``2 B sqrt(xi log n_t(gamma) / N_t(gamma, m))``, ``B = 1``, where an
    outcome of ``s`` queries ago counts ``gamma^s`` and ``n_t`` is the sum of all ``N_t``.

    Args:
        context: what it may know of the world it is for.
        seed: seed of the agent's own random numbers.
        gamma: discount a query, in [0, 1); None takes ``1 - 1 / (4 sqrt(T))``, as published for one
            change in the horizon.
        xi: scale of the padding, above 0; above 1/2 in the theory.

    Raises:
        FieldError: if a parameter is out of range.
    """

    search_space: ClassVar[SearchSpace] = {
        "gamma": Real(0.9, 0.99999, "log_to_one"),
        "xi": Real(1e-3, 2.0, "log"),
    }

    def __init__(
        self, context: AgentContext, *, seed: int = 0, gamma: float | None = None, xi: float = 0.5
    ) -> None:
        super().__init__(context, seed=seed)
        published = 1.0 - 0.25 / math.sqrt(self.problem.horizon)
        self.gamma = published if gamma is None else number("gamma", gamma, 0, 1, below=True)
        self.xi = number("xi", xi, 0, above=True)

    def learn(self, batch: Batch, state: State, outcomes: Outcomes) -> None:
        """Discount everything by one query, then add the newest outcome."""
        discount = np.where(outcomes.due, self.gamma, 1.0)[:, None]
        rows, models = outcomes.served
        for name, values in (
            ("kept_pulls", np.ones(len(rows))),
            ("kept_score", outcomes.score[rows]),
            ("kept_cost", outcomes.cost[rows]),
        ):
            state[name] *= discount
            state[name][rows, models] += values

    def padding(self, state: State, rows: Integers, pulls: Floats) -> Floats:
        """``2 B sqrt(xi log n_t(gamma) / N_t(gamma, m))``."""
        total = np.maximum(state["kept_pulls"][rows].sum(axis=1, keepdims=True), 1.0)
        return 2.0 * np.sqrt(self.xi * np.log(total) / pulls)
