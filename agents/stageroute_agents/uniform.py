"""Uniform: a random set, and equal shares."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from stageroute_agents.base import Agent, Batch
from stageroute_gym.projection import project


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
        return _equal_shares(np.ascontiguousarray(batch["deployed"]), self.throughput)


@njit(cache=True)
def _equal_shares(
    deployed: NDArray[np.float32], throughput: NDArray[np.float64]
) -> NDArray[np.float64]:
    shares = np.empty(deployed.shape)
    for e in range(deployed.shape[0]):
        project(deployed[e], deployed[e], throughput, shares[e])
    return shares
