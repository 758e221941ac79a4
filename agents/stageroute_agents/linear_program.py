"""Agents that choose by the two programmes of the paper, whatever they believe of the models.

Such an agent gives estimates of each model's score and cost; DeployOPT picks the set from them and
RouteOPT splits the queries. StageRoute's estimates are confidence bounds, the oracle's the truth.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from stageroute_agents.allocation import best_set
from stageroute_agents.arrays import Batch, Flags, Floats, Integers, State
from stageroute_agents.base import Agent, Kind
from stageroute_gym.checks import switch
from stageroute_gym.context import AgentContext
from stageroute_gym.optimize.deploy import deploy_rows
from stageroute_gym.optimize.route import route_rows
from stageroute_gym.optimize.slots import fill_slots_rows


class LinearProgramAgent(Agent):
    """Deploys by DeployOPT and routes by RouteOPT on its own estimates.

    Args:
        context: what it may know of the world it is for.
        seed: seed of the agent's own random numbers.
        fill_slots: whether slots that DeployOPT leaves empty go to the models with the largest
            ``score - price cost`` (ties: fewest pulls, then lowest number).
    """

    def __init__(self, context: AgentContext, *, seed: int = 0, fill_slots: bool = True) -> None:
        super().__init__(context, seed=seed)
        self.fill_slots = switch("fill_slots", fill_slots)

    @abstractmethod
    def estimates(self, batch: Batch, state: State, rows: Integers) -> tuple[Floats, Floats]:
        """What the agent takes each model's score and cost to be, shapes (R, N), float64.

        Args:
            batch: observations of ``R`` episodes.
            state: what is remembered of all ``E`` episodes.
            rows: where the ``R`` episodes stand in it, shape (R,), int64.
        """

    def budgets(self, batch: Batch) -> Floats:
        """What a query may cost on average from now on, USD, shape (E,); the problem's budget."""
        return np.full(len(batch["phase"]), self.problem.budget)

    def paced_budgets(self, batch: Batch) -> Floats:
        """What is left of the budget over the queries left, USD a query, shape (E,)."""
        left = self.problem.total_budget * batch["budget_left"][:, 0].astype(np.float64)
        return left / np.maximum(self.problem.horizon - self.queries(batch), 1)

    def deployment_estimates(
        self, batch: Batch, state: State, rows: Integers
    ) -> tuple[Floats, Floats]:
        """The estimates that DeployOPT works with; the same as RouteOPT's."""
        return self.estimates(batch, state, rows)

    def plan(self, batch: Batch, state: State, rows: Integers) -> Flags:
        """The models that DeployOPT gives a share, and those that fill the slots left over."""
        score, cost = self.deployment_estimates(batch, state, rows)
        caps = self.throughput * batch["available"]
        slots = self.problem.max_deployed
        weights, price = deployed(score, cost, self.budgets(batch), caps, slots)
        chosen = weights > 0
        if self.fill_slots:
            pulls = batch["pulls"].astype(np.int64)
            fill_slots_rows(score, cost, caps > 0, pulls, price, slots, chosen)
        return chosen

    def shares(self, batch: Batch, state: State, rows: Integers) -> Floats:
        """The mixture of RouteOPT over the deployed models."""
        score, cost = self.estimates(batch, state, rows)
        caps = self.throughput * batch["deployed"]
        return routed(score, cost, self.budgets(batch), caps)[0]


class SlotlessAgent(LinearProgramAgent):
    """Routes by RouteOPT, but knows no slots: deploys the set that its own index ranks best.

    The index is ``score - lambda cost``, the value of a model at the budget price ``lambda`` of
    RouteOPT over all models on offer; where no mixture is affordable, the cost alone counts.
    """

    kind: ClassVar[Kind] = "baseline"

    def index(self, batch: Batch, state: State, rows: Integers, caps: Floats) -> Floats:
        """Value of each model at the budget's price, shape (R, N), float64.

        Args:
            batch: observations of ``R`` episodes.
            state: what is remembered of all ``E`` episodes.
            rows: where the ``R`` episodes stand in it, shape (R,), int64.
            caps: throughput share of the models on offer, 0 for all others, shape (R, N), float64.
        """
        score, cost = self.estimates(batch, state, rows)
        _, price = routed(score, cost, self.budgets(batch), caps)
        return value_at_price(score, cost, price)

    def plan(self, batch: Batch, state: State, rows: Integers) -> Flags:
        """The models on offer with the largest indices."""
        caps = self.throughput * batch["available"]
        return best_set(
            self.index(batch, state, rows, caps), caps, batch["pulls"], self.problem.max_deployed
        )


def routed(score: Floats, cost: Floats, budgets: Floats, caps: Floats) -> tuple[Floats, Floats]:
    """RouteOPT in each of ``R`` episodes.

    Args:
        score: shape (R, N), float64.
        cost: USD, shape (R, N), float64.
        budgets: USD a query, shape (R,), float64.
        caps: throughput, 0 for models that cannot be used, shape (R, N), float64.

    Returns:
        Shares, shape (R, N), and price of the budget in score per USD, shape (R,), float64.
    """
    shares, _, price, _ = route_rows(score, cost, budgets, caps)
    return shares, price


def deployed(
    score: Floats, cost: Floats, budgets: Floats, caps: Floats, slots: int
) -> tuple[Floats, Floats]:
    """DeployOPT in each of ``R`` episodes.

    Args:
        score: as for `routed`, like what follows.
        cost: see there.
        budgets: see there.
        caps: see there.
        slots: models that can be deployed.

    Returns:
        Shares, shape (R, N), and price of the budget in score per USD, shape (R,), float64.
    """
    weights, _, price, _ = deploy_rows(score, cost, budgets, caps, slots)
    return weights, price


def value_at_price(score: Floats, cost: Floats, price: Floats) -> Floats:
    """``score - price cost``, or ``-cost`` where the price is infinite, shape (E, N), float64.

    Args:
        score: shape (E, N), float64.
        cost: USD, shape (E, N), float64.
        price: score per USD, shape (E,), float64; infinite where nothing is affordable.
    """
    affordable = np.isfinite(price)[:, None]
    return np.where(affordable, score - np.where(affordable, price[:, None], 0.0) * cost, -cost)
