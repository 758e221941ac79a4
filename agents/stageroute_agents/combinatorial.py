"""Combinatorial UCB for the deployed set (Chen, Wang & Yuan 2013)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from stageroute_agents.arrays import Batch, Floats, Integers, State
from stageroute_agents.base import Kind
from stageroute_agents.linear_program import LinearProgramAgent
from stageroute_gym.context import AgentContext


class CombinatorialUcb(LinearProgramAgent):
    """CUCB (Chen, Wang & Yuan 2013, "Combinatorial multi-armed bandit: general framework").

    The base arms are the models, the super arm is the deployed set. The bounds
    ``min(1, mean + sqrt(3 ln t / (2 n)))``, 1 for a model never tried, go to an offline oracle,
    which returns the super arm to play; here the oracle is DeployOPT, and RouteOPT for the shares
    within the set. Only outcomes of the models that served count, as the paper's triggered arms.
    CUCB knows no costs: the oracles get the mean cost, ``c1`` for a model never tried.

    Args:
        context: what it may know of the world it is for.
        seed: seed of the agent's own random numbers.
    """

    kind: ClassVar[Kind] = "baseline"

    def __init__(self, context: AgentContext, *, seed: int = 0) -> None:
        super().__init__(context, seed=seed)

    def estimates(self, batch: Batch, state: State, rows: Integers) -> tuple[Floats, Floats]:
        """Upper bound of the score, and mean cost."""
        pulls = batch["pulls"].astype(np.float64)
        rounds = self.queries(batch)[:, None] + 1.0
        radius = np.sqrt(1.5 * np.log(rounds) / np.maximum(pulls, 1.0))
        score = np.where(pulls > 0, np.minimum(batch["mean_score"] + radius, 1.0), 1.0)
        cost = np.where(pulls > 0, batch["mean_cost"].astype(np.float64), self.cost_bounds[0])
        return score, cost
