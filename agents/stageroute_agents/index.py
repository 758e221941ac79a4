"""Agents that rank the models by one number and take the best, without a linear programme."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from stageroute_agents.allocation import best_set, filled_shares
from stageroute_agents.arrays import Batch, Flags, Floats, Integers, State
from stageroute_agents.base import Agent, Kind
from stageroute_agents.linear_program import deployed, routed, value_at_price
from stageroute_agents.stageroute import StageRoute
from stageroute_gym.context import AgentContext


class IndexAgent(Agent):
    """Deploys the models with the largest index, and routes to the best up to its throughput.

    The next query goes to the best deployed model up to its throughput share, to the second best
    for what is left, and so on. Ties go to the model with the fewest pulls, then to the lowest
    number.
    """

    kind: ClassVar[Kind] = "baseline"

    @abstractmethod
    def index(self, batch: Batch, state: State, rows: Integers, caps: Floats) -> Floats:
        """The number that models are ranked by, largest first, shape (R, N), float64.

        Args:
            batch: observations of ``R`` episodes, all in the same phase.
            state: what is remembered of all ``E`` episodes.
            rows: where the ``R`` episodes stand in it, shape (R,), int64.
            caps: throughput share of the models to rank, 0 for all others, shape (R, N), float64.
        """

    def plan(self, batch: Batch, state: State, rows: Integers) -> Flags:
        """The models on offer with the largest indices."""
        caps = self.throughput * batch["available"]
        return best_set(
            self.index(batch, state, rows, caps), caps, batch["pulls"], self.problem.max_deployed
        )

    def shares(self, batch: Batch, state: State, rows: Integers) -> Floats:
        """The best models, each filled up to its throughput."""
        caps = self.throughput * batch["deployed"]
        return filled_shares(self.index(batch, state, rows, caps), caps, batch["pulls"])


class OptimisticIndexAgent(IndexAgent, StageRoute):
    """An index built from StageRoute's confidence bounds.

    Args:
        context: what it may know of the world it is for.
        seed: seed of the agent's own random numbers.
        gamma: confidence scale of the bounds.
        cost_scale: as for `StageRoute`.
    """

    def __init__(
        self,
        context: AgentContext,
        *,
        seed: int = 0,
        gamma: float = 0.1,
        cost_scale: str | float = "list_price",
    ) -> None:
        super().__init__(context, seed=seed, gamma=gamma, cost_scale=cost_scale)


class GreedyRatio(OptimisticIndexAgent):
    """Greedy by ``mu^U / c^L``: most score for the money.

    One reading of the paper's Greedy baseline, whose formula is not public; see `GreedyPrice`.
    """

    def index(self, batch: Batch, state: State, rows: Integers, caps: Floats) -> Floats:
        """Upper bound of the score over lower bound of the cost."""
        score, cost = self.estimates(batch, state, rows)
        return score / np.maximum(cost, np.finfo(np.float64).tiny)


class GreedyPrice(OptimisticIndexAgent):
    """Greedy by ``mu^U - lambda c^L``, with the budget's price ``lambda`` of the two programmes.

    The other reading of the paper's Greedy baseline, whose formula is not public; see
    `GreedyRatio`. The price is DeployOPT's at an update point and RouteOPT's at a query.
    """

    def index(self, batch: Batch, state: State, rows: Integers, caps: Floats) -> Floats:
        """Upper bound of the score less what the lower bound of the cost is worth."""
        score, cost = self.estimates(batch, state, rows)
        budgets = self.budgets(batch)
        if batch["phase"][0, 0] > 0:
            _, price = routed(score, cost, budgets, caps)
        else:
            _, price = deployed(score, cost, budgets, caps, self.problem.max_deployed)
        return value_at_price(score, cost, price)


class Cheapest(OptimisticIndexAgent):
    """Cheapest first by ``c^L``, whatever the score."""

    def index(self, batch: Batch, state: State, rows: Integers, caps: Floats) -> Floats:
        """The lower bound of the cost, negated."""
        return -self.estimates(batch, state, rows)[1]


class BestScore(OptimisticIndexAgent):
    """Best first by ``mu^U``, whatever the cost."""

    def index(self, batch: Batch, state: State, rows: Integers, caps: Floats) -> Floats:
        """The upper bound of the score."""
        return self.estimates(batch, state, rows)[0]
