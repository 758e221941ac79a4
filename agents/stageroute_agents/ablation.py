"""StageRoute with one part switched off each (Li & Li 2026, arXiv 2506.17254)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stageroute_agents.arrays import Batch, Floats, Integers, State
from stageroute_agents.stageroute import StageRoute
from stageroute_agents.views import rows_of
from stageroute_gym.context import AgentContext


class Ablation(StageRoute):
    """StageRoute without one of its parts.

    Args:
        context: what it may know of the world it is for.
        seed: seed of the agent's own random numbers.
        gamma: confidence scale of the bounds, at least 0.
        cost_scale: as for `StageRoute`.

    Raises:
        FieldError: if a parameter is out of range.
    """

    def __init__(
        self,
        context: AgentContext,
        *,
        seed: int = 0,
        gamma: float = 0.1,
        cost_scale: str | float = "list_price",
    ) -> None:
        super().__init__(context, seed=seed, gamma=gamma, cost_scale=cost_scale)


class MeanDeployment(Ablation):
    """StageRoute without optimism in deployment: DeployOPT on the empirical means.

    A model never tried counts as an average of those tried, so that only a slot left over, or bad
    luck of the others, gets it deployed. Routing stays optimistic.
    """

    def deployment_estimates(
        self, batch: Batch, state: State, rows: Integers
    ) -> tuple[Floats, Floats]:
        """Mean scores and costs."""
        tried = batch["pulls"] > 0
        number = np.maximum(tried.sum(axis=1, keepdims=True), 1)

        def means(observed: NDArray[np.float32]) -> Floats:
            average = observed.sum(axis=1, keepdims=True, dtype=np.float64) / number
            return np.where(tried, observed.astype(np.float64), average)

        return means(batch["mean_score"]), means(batch["mean_cost"])


class FixedRouting(Ablation):
    """StageRoute without re-solving: RouteOPT once a stage, with the bounds at its start."""

    def initial_state(self, rows: int) -> State:
        """With the shares of the stage, shape (rows, N)."""
        return {**super().initial_state(rows), "routing": np.zeros((rows, self.num_models))}

    def shares(self, batch: Batch, state: State, rows: Integers) -> Floats:
        """The shares of the stage, by RouteOPT at its first query."""
        first = np.flatnonzero(batch["progress"][:, 1] == 0)
        if first.size:
            opened = rows[first]
            state["routing"][opened] = super().shares(rows_of(batch, first), state, opened)
        return state["routing"][rows]
