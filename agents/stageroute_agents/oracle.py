"""Agents that know the true means: what others are measured against."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stageroute_agents.base import Batch, rows_of
from stageroute_agents.linear_program import Floats, LinearProgramAgent
from stageroute_gym.oracles import oracles_of


class TrueMeans(LinearProgramAgent):
    """What both oracles share: the true means of the stage that an observation belongs to."""

    def stages(self, batch: Batch) -> NDArray[np.int64]:
        """Number of the stage of each observation, shape (E,)."""
        # The observation that ends an episode counts as its last stage's.
        updates = self.problem.stage_bounds[1:-1]
        return np.searchsorted(updates, self.queries(batch), side="right")

    def estimates(self, batch: Batch) -> tuple[Floats, Floats]:
        """The true means of the current stage."""
        stages = self.stages(batch)
        return self.world.mean_score[stages], self.world.mean_cost[stages]


class StageOracle(TrueMeans):
    """The stage oracle: DeployOPT and RouteOPT on the true means, ``b`` USD a query each stage."""


class HorizonOracle(TrueMeans):
    """The horizon oracle: the true means and arrivals, one budget for the whole horizon."""

    def plan(self, batch: Batch) -> NDArray[np.bool_]:
        """The models that the horizon plan gives a share in this stage."""
        chosen = np.asarray(oracles_of(self.world).horizon.weights[self.stages(batch)] > 0)
        # A stage that the plan leaves unserved still has to deploy something.
        empty = np.asarray(~chosen.any(axis=1))
        chosen[empty] = super().plan(rows_of(batch, empty))
        return chosen

    def shares(self, batch: Batch) -> Floats:
        """The shares of the horizon plan in this stage."""
        return oracles_of(self.world).horizon.weights[self.stages(batch)] * batch["deployed"]


class BestFixedSet(StageOracle):
    """The best set of the first stage, chosen with the true means and never changed.

    Routes by RouteOPT on the true means over that set, so what it lacks against the stage oracle is
    what maintenance windows are worth.
    """

    def __init__(self, env: Any, *, seed: int = 0) -> None:
        super().__init__(env, seed=seed)
        first = self.world.schedule.available[:1].astype(np.float64)
        start = {
            "phase": np.zeros((1, 1)),
            "progress": np.zeros((1, 2)),
            "available": first,
            "pulls": np.zeros(first.shape),
        }
        self._set = super().plan(start)[0]

    def plan(self, batch: Batch) -> NDArray[np.bool_]:
        """The set of the first stage, as far as it is still on offer."""
        return self._set & (batch["available"] > 0)
