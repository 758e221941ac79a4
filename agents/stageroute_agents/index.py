"""Agents that rank the models by one number and take the best, without a linear programme."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stageroute_agents.base import Batch
from stageroute_agents.linear_program import Floats
from stageroute_agents.stageroute import StageRoute
from stageroute_gym.optimize.deploy import deploy_rows
from stageroute_gym.optimize.route import route_rows


class IndexAgent(StageRoute):
    """Deploys the models with the largest index, and routes to the best up to its throughput.

    The next query goes to the best deployed model up to its throughput share, to the second best
    for what is left, and so on. Ties go to the model with the fewest pulls, then to the lowest
    number. The indices are built from StageRoute's confidence bounds.

    Args:
        env: the environment it is for.
        seed: seed of the agent's own random numbers.
        gamma: confidence scale of the bounds.
    """

    def __init__(self, env: Any, *, seed: int = 0, gamma: float = 0.1) -> None:
        super().__init__(env, seed=seed, gamma=gamma)

    @abstractmethod
    def index(self, batch: Batch, caps: Floats) -> Floats:
        """The number that models are ranked by, largest first, shape (E, N), float64.

        Args:
            batch: observations of ``E`` episodes.
            caps: throughput share of the models to rank, 0 for all others, shape (E, N), float64.
        """

    def plan(self, batch: Batch) -> NDArray[np.bool_]:
        """The models on offer with the largest indices."""
        caps = self.throughput * batch["available"]
        order = self._ranking(batch, caps)[:, : self.problem.max_deployed]
        chosen = np.zeros(caps.shape, np.bool_)
        np.put_along_axis(chosen, order, True, axis=1)
        return chosen & (caps > 0)

    def shares(self, batch: Batch) -> Floats:
        """The best models, each filled up to its throughput."""
        caps = self.throughput * batch["deployed"]
        order = self._ranking(batch, caps)
        ranked = np.take_along_axis(caps, order, axis=1)
        taken = np.cumsum(ranked, axis=1) - ranked
        shares = np.empty(caps.shape)
        np.put_along_axis(shares, order, np.clip(1.0 - taken, 0.0, ranked), axis=1)
        return shares

    def _ranking(self, batch: Batch, caps: Floats) -> NDArray[np.int64]:
        index = np.where(caps > 0, self.index(batch, caps), -np.inf)
        return np.lexsort((batch["pulls"], -index), axis=1)


class GreedyRatio(IndexAgent):
    """Greedy by ``mu^U / c^L``: most score for the money.

    One reading of the paper's Greedy baseline, whose formula is not public; see `GreedyPrice`.
    """

    def index(self, batch: Batch, caps: Floats) -> Floats:
        """Upper bound of the score over lower bound of the cost."""
        score, cost = self.estimates(batch)
        return score / np.maximum(cost, np.finfo(np.float64).tiny)


class GreedyPrice(IndexAgent):
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
        # Nothing is affordable at an infinite price: then only the cost counts.
        affordable = np.isfinite(price)[:, None]
        return np.where(affordable, score - np.where(affordable, price[:, None], 0.0) * cost, -cost)


class Cheapest(IndexAgent):
    """Cheapest first by ``c^L``, whatever the score."""

    def index(self, batch: Batch, caps: Floats) -> Floats:
        """The lower bound of the cost, negated."""
        return -self.estimates(batch)[1]


class BestScore(IndexAgent):
    """Best first by ``mu^U``, whatever the cost."""

    def index(self, batch: Batch, caps: Floats) -> Floats:
        """The upper bound of the score."""
        return self.estimates(batch)[0]
