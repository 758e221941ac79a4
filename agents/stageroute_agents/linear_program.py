"""Agents that choose by the two programmes of the paper, whatever they believe of the models.

Such an agent gives estimates of each model's score and cost; DeployOPT picks the set from them and
RouteOPT splits the queries. StageRoute's estimates are confidence bounds, the oracle's the truth.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from stageroute_agents.base import Agent, Batch
from stageroute_gym.optimize.deploy import deploy_rows
from stageroute_gym.optimize.route import route_rows
from stageroute_gym.optimize.slots import fill_slots_kernel

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

    def plan(self, batch: Batch) -> NDArray[np.bool_]:
        """The models that DeployOPT gives a share, and those that fill the slots left over."""
        score, cost = self.estimates(batch)
        caps = self.throughput * batch["available"]
        rows = len(caps)
        weights = np.empty(caps.shape)
        value, price, feasible = np.empty(rows), np.empty(rows), np.empty(rows, np.bool_)
        slots = self.problem.max_deployed
        deploy_rows(score, cost, self.budgets(batch), caps, slots, weights, value, price, feasible)
        chosen = weights > 0
        if self.fill_slots:
            pulls = batch["pulls"].astype(np.int64)
            _fill_rows(score, cost, caps > 0, pulls, price, slots, chosen)
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


@njit(cache=True)
def _fill_rows(
    score: Floats,
    cost: Floats,
    available: NDArray[np.bool_],
    pulls: NDArray[np.int64],
    price: Floats,
    slots: int,
    chosen: NDArray[np.bool_],
) -> None:
    for e in range(len(chosen)):
        fill_slots_kernel(score[e], cost[e], available[e], pulls[e], price[e], slots, chosen[e])
