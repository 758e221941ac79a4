"""Uniform: a random set, and equal shares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stageroute_agents.base import Agent, Batch
from stageroute_agents.ranking import capped_shares


class Uniform(Agent):
    """Deploys models drawn at random and routes to all of them alike, as far as throughput lets."""

    def plan(self, batch: Batch) -> NDArray[np.bool_]:
        """``M_max`` of the models on offer, all sets equally likely."""
        available = batch["available"] > 0
        priority = np.where(available, self.rng.random(available.shape), -1.0)
        order = np.argsort(-priority, axis=1)[:, : self.problem.max_deployed]
        chosen = np.zeros(available.shape, np.bool_)
        np.put_along_axis(chosen, order, True, axis=1)
        return chosen & available

    def shares(self, batch: Batch) -> NDArray[np.float64]:
        """Equal shares, capped by the throughput."""
        deployed = batch["deployed"]
        return capped_shares(deployed, deployed, self.throughput)
