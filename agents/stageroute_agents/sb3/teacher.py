"""The teacher: it knows the true means, and says what each of a learner's decisions should be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stageroute_agents.arrays import Batch, Flags, Floats, Integers, State
from stageroute_agents.references import TrueMeans
from stageroute_agents.sb3.planned import declining_shares
from stageroute_agents.views import rows_of
from stageroute_gym.optimize.deploy import deploy_rows

# No mistake counts as more than five queries of the mixture.
_LARGEST_LOSS = 5.0


class Teacher(TrueMeans):
    """DeployOPT and RouteOPT on the true means, with the budget paced; blind to the arrivals.

    A query may cost what is left of the budget over the queries left. Queries are declined where
    that earns more, as the horizon oracle does: where the budget cannot serve all, a cheapest
    mixture would buy less for it than the models with the most score for their cost.
    """

    def budgets(self, batch: Batch) -> Floats:
        """What is left of the budget over the queries left."""
        return self.paced_budgets(batch)

    def plan(self, batch: Batch, state: State, rows: Integers) -> Flags:
        """The models that DeployOPT uses; where not all can be served, those that earn the most."""
        score, cost = self.estimates(batch, state, rows)  # the truth needs no memory
        budgets, caps = self.budgets(batch), self.throughput * batch["available"]
        slots = self.problem.max_deployed
        weights, _, _, feasible = deploy_rows(score, cost, budgets, caps, slots)
        scarce = np.flatnonzero(~feasible)
        if scarce.size:
            earned = declining_shares(score[scarce], cost[scarce], budgets[scarce], caps[scarce])[0]
            earned *= score[scarce]
            fewest = np.sort(earned, axis=1)[:, -min(slots, earned.shape[1]), None]
            weights[scarce] = np.where(earned >= fewest, earned, 0.0)
        return weights > 0

    def advise(self, batch: Batch) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What to do, and what each model would lose.

        Args:
            batch: observations of ``E`` episodes.

        Returns:
            Weights in proportion to the best shares in the route phase, 1 for each model of the
            best set in the deploy phase, shape (E, N); what a query that goes to a model loses
            against the best shares, in score less cost at the budget's price, over the mean score
            of a query that they serve, at least 0, and 0 in the deploy phase, shape (E, N); both
            float32.
        """
        advice, losses = np.zeros((2, *batch["pulls"].shape), np.float32)
        routing = batch["phase"][:, 0] > 0
        if not routing.all():
            rows = np.flatnonzero(~routing)
            advice[rows] = self.plan(rows_of(batch, rows), {}, rows)
        if routing.any():
            rows = np.flatnonzero(routing)
            advice[rows], losses[rows] = self._routes(rows_of(batch, rows), rows)
        return advice, losses

    def _routes(self, batch: Batch, rows: Integers) -> tuple[Floats, Floats]:
        score, cost = self.estimates(batch, {}, rows)
        caps = self.throughput * batch["deployed"]
        # Nothing is left at the very end only.
        budgets = np.maximum(self.budgets(batch), 1e-6 * self.problem.budget)
        shares, price = declining_shares(score, cost, budgets, caps)
        worth = score - price[:, None] * cost
        own = (worth * shares).sum(axis=1, keepdims=True)
        served = shares.sum(axis=1, keepdims=True)
        weights = np.divide(shares, served, out=np.zeros_like(shares), where=served > 0)
        earned = (weights * score).sum(axis=1, keepdims=True)
        lost = np.divide(own - worth, earned, out=np.zeros_like(worth), where=earned > 0)
        return weights, np.clip(lost, 0.0, _LARGEST_LOSS)
