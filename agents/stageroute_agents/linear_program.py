"""Agents that choose by the two programmes of the paper, whatever they believe of the models.

Such an agent gives estimates of each model's score and cost; DeployOPT picks the set from them and
RouteOPT splits the queries. StageRoute's estimates are confidence bounds, the oracle's the truth.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stageroute_agents.base import Agent, Batch
from stageroute_agents.ranking import best_set
from stageroute_gym.optimize.deploy import deploy_rows
from stageroute_gym.optimize.route import route_rows
from stageroute_gym.optimize.slots import fill_slots_rows

Floats = NDArray[np.float64]


class LinearProgramAgent(Agent):
    """Deploys by DeployOPT and routes by RouteOPT on its own estimates.

    Args:
        env: the environment it is for.
        seed: seed of the agent's own random numbers.
        fill_slots: whether slots that DeployOPT leaves empty go to the models with the largest
            ``score - price cost`` (ties: fewest pulls, then lowest number).
    """

    def __init__(self, env: Any, *, seed: int = 0, fill_slots: bool = True) -> None:
        super().__init__(env, seed=seed)
        self.fill_slots = fill_slots

    @abstractmethod
    def estimates(self, batch: Batch) -> tuple[Floats, Floats]:
        """What the agent takes each model's score and cost to be, shapes (E, N), float64.

        Args:
            batch: observations of ``E`` episodes.
        """

    def budgets(self, batch: Batch) -> Floats:
        """What a query may cost on average from now on, USD, shape (E,); the problem's budget."""
        return np.full(len(batch["phase"]), self.problem.budget)

    def paced_budgets(self, batch: Batch) -> Floats:
        """What is left of the budget over the queries left, USD a query, shape (E,)."""
        left = self.problem.total_budget * batch["budget_left"][:, 0].astype(np.float64)
        return left / np.maximum(self.problem.horizon - self.queries(batch), 1)

    def deployment_estimates(self, batch: Batch) -> tuple[Floats, Floats]:
        """The estimates that DeployOPT works with; the same as RouteOPT's."""
        return self.estimates(batch)

    def plan(self, batch: Batch) -> NDArray[np.bool_]:
        """The models that DeployOPT gives a share, and those that fill the slots left over."""
        score, cost = self.deployment_estimates(batch)
        caps = self.throughput * batch["available"]
        rows = len(caps)
        weights = np.empty(caps.shape)
        value, price, feasible = np.empty(rows), np.empty(rows), np.empty(rows, np.bool_)
        slots = self.problem.max_deployed
        deploy_rows(score, cost, self.budgets(batch), caps, slots, weights, value, price, feasible)
        chosen = weights > 0
        if self.fill_slots:
            pulls = batch["pulls"].astype(np.int64)
            fill_slots_rows(score, cost, caps > 0, pulls, price, slots, chosen)
        return chosen

    def shares(self, batch: Batch) -> Floats:
        """The mixture of RouteOPT over the deployed models."""
        score, cost = self.estimates(batch)
        caps = self.throughput * batch["deployed"]
        rows = len(caps)
        shares = np.empty(caps.shape)
        value, price, feasible = np.empty(rows), np.empty(rows), np.empty(rows, np.bool_)
        route_rows(score, cost, self.budgets(batch), caps, shares, value, price, feasible)
        return shares


class SlotlessAgent(LinearProgramAgent):
    """Routes by RouteOPT, but knows no slots: deploys the set that its own index ranks best.

    The index is ``score - lambda cost``, the value of a model at the budget price ``lambda`` of
    RouteOPT over all models on offer; where no mixture is affordable, the cost alone counts.
    """

    def index(self, batch: Batch, caps: Floats) -> Floats:
        """Value of each model at the budget's price, shape (E, N), float64.

        Args:
            batch: observations of ``E`` episodes.
            caps: throughput share of the models on offer, 0 for all others, shape (E, N), float64.
        """
        score, cost = self.estimates(batch)
        rows = len(caps)
        shares = np.empty(caps.shape)
        value, price, feasible = np.empty(rows), np.empty(rows), np.empty(rows, np.bool_)
        route_rows(score, cost, self.budgets(batch), caps, shares, value, price, feasible)
        return value_at_price(score, cost, price)

    def plan(self, batch: Batch) -> NDArray[np.bool_]:
        """The models on offer with the largest indices."""
        caps = self.throughput * batch["available"]
        return best_set(self.index(batch, caps), caps, batch["pulls"], self.problem.max_deployed)


def value_at_price(score: Floats, cost: Floats, price: Floats) -> Floats:
    """``score - price cost``, or ``-cost`` where the price is infinite, shape (E, N), float64.

    Args:
        score: shape (E, N), float64.
        cost: USD, shape (E, N), float64.
        price: score per USD, shape (E,), float64; infinite where nothing is affordable.
    """
    affordable = np.isfinite(price)[:, None]
    return np.where(affordable, score - np.where(affordable, price[:, None], 0.0) * cost, -cost)
