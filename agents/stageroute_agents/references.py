"""Agents that know the true means: what others are measured against."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from stageroute_agents.arrays import Batch, Flags, Floats, Integers, State
from stageroute_agents.base import Kind
from stageroute_agents.linear_program import LinearProgramAgent
from stageroute_agents.views import rows_of
from stageroute_gym.context import AgentContext
from stageroute_gym.oracles import oracles_of
from stageroute_gym.simulator.world import World


class TrueMeans(LinearProgramAgent):
    """What the oracles share: the true means of the stage that an observation belongs to.

    Args:
        context: what any agent may know.
        world: the world that the agent acts in, with its true means.
        seed: seed of the agent's own random numbers.
        fill_slots: as for `LinearProgramAgent`.
    """

    kind: ClassVar[Kind] = "reference"

    def __init__(
        self, context: AgentContext, *, world: World, seed: int = 0, fill_slots: bool = True
    ) -> None:
        super().__init__(context, seed=seed, fill_slots=fill_slots)
        self.world = world

    def stages(self, batch: Batch) -> Integers:
        """Number of the stage of each observation, shape (R,)."""
        # The observation that ends an episode counts as its last stage's.
        updates = self.problem.stage_bounds[1:-1]
        return np.searchsorted(updates, self.queries(batch), side="right")

    def estimates(self, batch: Batch, state: State, rows: Integers) -> tuple[Floats, Floats]:
        """The true means of the current stage."""
        stages = self.stages(batch)
        return self.world.mean_score[stages], self.world.mean_cost[stages]


class StageOracle(TrueMeans):
    """The stage oracle: DeployOPT and RouteOPT on the true means, ``b`` USD a query each stage."""


class HorizonOracle(TrueMeans):
    """The horizon oracle: the true means and arrivals, one budget for the whole horizon."""

    def __init__(self, context: AgentContext, *, world: World, seed: int = 0) -> None:
        super().__init__(context, world=world, seed=seed)
        self.weights: Floats = oracles_of(world).horizon.weights

    def plan(self, batch: Batch, state: State, rows: Integers) -> Flags:
        """The models that the horizon plan gives a share in this stage."""
        chosen = self.weights[self.stages(batch)] > 0
        # A stage that the plan leaves unserved still has to deploy something.
        empty = np.flatnonzero(~chosen.any(axis=1))
        chosen[empty] = super().plan(rows_of(batch, empty), state, rows[empty])
        return chosen

    def shares(self, batch: Batch, state: State, rows: Integers) -> Floats:
        """The shares of the horizon plan in this stage."""
        return self.weights[self.stages(batch)] * batch["deployed"]


class BestFixedSet(StageOracle):
    """The best set of the first stage, chosen with the true means and never changed.

    Routes by RouteOPT on the true means over that set, so what it lacks against the stage oracle is
    what maintenance windows are worth.
    """

    def __init__(self, context: AgentContext, *, world: World, seed: int = 0) -> None:
        super().__init__(context, world=world, seed=seed)
        first = world.schedule.available[:1].astype(np.float64)
        start: dict[str, Any] = {
            "phase": np.zeros((1, 1)),
            "progress": np.zeros((1, 2)),
            "available": first,
            "pulls": np.zeros(first.shape),
        }
        row = np.zeros(1, np.int64)
        self._set = super().plan(start, self.initial_state(1), row)[0]

    def plan(self, batch: Batch, state: State, rows: Integers) -> Flags:
        """The set of the first stage, as far as it is still on offer."""
        return self._set & (batch["available"] > 0)
