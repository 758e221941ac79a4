"""The teacher: it knows the true means, and says what each of a learner's decisions should be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stageroute_agents.arrays import Batch, Floats, Integers
from stageroute_agents.base import rows_of
from stageroute_agents.linear_program import routed
from stageroute_agents.references import TrueMeans

# Where nothing is affordable there is no price; a query that costs the pace then counts as a score
# of 1. No mistake counts as more than five queries.
_LARGEST_LOSS = 5.0


class Teacher(TrueMeans):
    """DeployOPT and RouteOPT on the true means, with the budget paced; blind to the arrivals.

    A query may cost what is left of the budget over the queries left.
    """

    def budgets(self, batch: Batch) -> Floats:
        """What is left of the budget over the queries left."""
        return self.paced_budgets(batch)

    def advise(self, batch: Batch) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What to do, and what each model would lose.

        Args:
            batch: observations of ``E`` episodes.

        Returns:
            Shares of RouteOPT in the route phase, 1 for each model that DeployOPT uses in the
            deploy phase, shape (E, N); what a query that goes to a model loses against these
            shares, in score less cost at the budget's price, at least 0, and 0 in the deploy
            phase, shape (E, N); both float32.
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
        score, cost = self.estimates(batch, {}, rows)  # the truth needs no memory
        budgets, caps = self.budgets(batch), self.throughput * batch["deployed"]
        shares, price = routed(score, cost, budgets, caps)
        dearest = 1.0 / np.maximum(budgets, 1e-6 * self.problem.budget)
        worth = score - np.where(np.isfinite(price), price, dearest)[:, None] * cost
        own = (worth * shares).sum(axis=1, keepdims=True)
        return shares, np.clip(own - worth, 0.0, _LARGEST_LOSS)
