"""PacedRoute with nothing to learn: what learning costs is what it loses against this."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from stageroute_agents.arrays import Batch, State
from stageroute_agents.base import Kind
from stageroute_agents.paced.paced_route import PacedRoute
from stageroute_gym.context import AgentContext
from stageroute_gym.simulator.world import World, weighted_means


class PacedOracle(PacedRoute):
    """PacedRoute that is told the true means of the stage, by task where queries tell theirs.

    It knows nothing of later stages: of arrivals, withdrawals, changes. So it is no bound, but what
    a learner would do that needs no outcomes; the rest up to the horizon oracle is foresight.

    Args:
        context: what any agent may know.
        world: the world that the agent acts in, with its true means.
        seed: seed of the agent's own random numbers.
    """

    kind: ClassVar[Kind] = "reference"

    def __init__(self, context: AgentContext, *, world: World, seed: int = 0) -> None:
        super().__init__(context, seed=seed, forget=False)
        table, schedule = world.table, world.schedule
        features = table.features[:, : self.num_tasks]
        task = features.argmax(axis=1) if self.num_tasks > 1 else np.zeros(len(table.task))
        shape = (len(schedule.mixes), self.num_tasks, self.num_models)
        score, cost = np.zeros((2, *shape))
        for g in range(self.num_tasks):
            weight = schedule.mixes * (task == g)
            # A task without queries has no means; zeros then.
            weight /= np.maximum(weight.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
            score[:, g] = weighted_means(weight, table.score)
            cost[:, g] = weighted_means(weight, table.cost)
        self.true_score = score[schedule.stage_mix]
        self.true_cost = cost[schedule.stage_mix] * schedule.cost_multiplier[:, None, :]

    def estimate(self, batch: Batch, state: State) -> None:
        """The true means of the stage, without deviation."""
        stage = self.stages(state["queries"])
        state["score"][:], state["cost"][:] = self.true_score[stage], self.true_cost[stage]
