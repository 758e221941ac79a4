"""Agents that rank the models by one number and take the best, without a linear programme."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stageroute_agents.base import Agent, Batch
from stageroute_agents.linear_program import Floats, value_at_price
from stageroute_agents.ranking import best_set, filled_shares
from stageroute_agents.stageroute import StageRoute
from stageroute_gym.optimize.deploy import deploy_rows
from stageroute_gym.optimize.route import route_rows


class IndexAgent(Agent):
    """Deploys the models with the largest index, and routes to the best up to its throughput.

    The next query goes to the best deployed model up to its throughput share, to the second best
    for what is left, and so on. Ties go to the model with the fewest pulls, then to the lowest
    number.
    """

    @abstractmethod
    def index(self, batch: Batch, caps: Floats) -> Floats:
        """The number that models are ranked by, largest first, shape (E, N), float64.

        Args:
            batch: observations of ``E`` episodes, all in the same phase.
            caps: throughput share of the models to rank, 0 for all others, shape (E, N), float64.
        """

    def plan(self, batch: Batch) -> NDArray[np.bool_]:
        """The models on offer with the largest indices."""
        caps = self.throughput * batch["available"]
        return best_set(self.index(batch, caps), caps, batch["pulls"], self.problem.max_deployed)

    def shares(self, batch: Batch) -> Floats:
        """The best models, each filled up to its throughput."""
        caps = self.throughput * batch["deployed"]
        return filled_shares(self.index(batch, caps), caps, batch["pulls"])


class OptimisticIndexAgent(IndexAgent, StageRoute):
    """An index built from StageRoute's confidence bounds.

    Args:
        env: the environment it is for.
        seed: seed of the agent's own random numbers.
        gamma: confidence scale of the bounds.
    """

    def __init__(self, env: Any, *, seed: int = 0, gamma: float = 0.1) -> None:
        super().__init__(env, seed=seed, gamma=gamma)


class GreedyRatio(OptimisticIndexAgent):
    """Greedy by ``mu^U / c^L``: most score for the money.

    One reading of the paper's Greedy baseline, whose formula is not public; see `GreedyPrice`.
    """

    def index(self, batch: Batch, caps: Floats) -> Floats:
        """Upper bound of the score over lower bound of the cost."""
        score, cost = self.estimates(batch)
        return score / np.maximum(cost, np.finfo(np.float64).tiny)


class GreedyPrice(OptimisticIndexAgent):
    """Greedy by ``mu^U - lambda c^L``, with the budget's price ``lambda`` of the two programmes.

    The other reading of the paper's Greedy baseline, whose formula is not public; see
    `GreedyRatio`. The price is DeployOPT's at an update point and RouteOPT's at a query.
    """

    def index(self, batch: Batch, caps: Floats) -> Floats:
        """Upper bound of the score less what the lower bound of the cost is worth."""
        score, cost = self.estimates(batch)
        rows = len(caps)
        weights, value, price = np.empty(caps.shape), np.empty(rows), np.empty(rows)
        feasible = np.empty(rows, np.bool_)
        budgets = self.budgets(batch)
        if batch["phase"][0, 0] > 0:
            route_rows(score, cost, budgets, caps, weights, value, price, feasible)
        else:
            slots = self.problem.max_deployed
            deploy_rows(score, cost, budgets, caps, slots, weights, value, price, feasible)
        return value_at_price(score, cost, price)


class Cheapest(OptimisticIndexAgent):
    """Cheapest first by ``c^L``, whatever the score."""

    def index(self, batch: Batch, caps: Floats) -> Floats:
        """The lower bound of the cost, negated."""
        return -self.estimates(batch)[1]


class BestScore(OptimisticIndexAgent):
    """Best first by ``mu^U``, whatever the cost."""

    def index(self, batch: Batch, caps: Floats) -> Floats:
        """The upper bound of the score."""
        return self.estimates(batch)[0]
