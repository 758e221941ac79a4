"""Epsilon-greedy with a paced price of the budget."""

from __future__ import annotations

from typing import ClassVar

from stageroute_agents.allocation import capped_shares
from stageroute_agents.arrays import Batch, Floats, Integers, State
from stageroute_agents.index import GreedyPrice
from stageroute_gym.checks import number
from stageroute_gym.context import AgentContext
from stageroute_gym.tuning.space import Real, SearchSpace


class EpsilonGreedy(GreedyPrice):
    """Epsilon-greedy (Sutton & Barto, section 2.2) on ``mean score - lambda mean cost``.

    The price ``lambda`` is that of DeployOPT at an update point and of RouteOPT at a query, both
    with what is left of the budget over the queries left. A share ``epsilon`` of the queries goes
    to all deployed models alike. A model never tried counts as score 1 at the least cost ``c1``,
    which is how it gets deployed; other libraries (MABWiser) take score 0.

    Args:
        context: what it may know of the world it is for.
        seed: seed of the agent's own random numbers.
        epsilon: share of the queries that explore, in [0, 1).

    Raises:
        FieldError: if ``epsilon`` is out of range.
    """

    search_space: ClassVar[SearchSpace] = {"epsilon": Real(1e-3, 0.5, "log")}

    def __init__(self, context: AgentContext, *, seed: int = 0, epsilon: float = 0.05) -> None:
        # Without a confidence radius the bounds are the means.
        super().__init__(context, seed=seed, gamma=0.0)
        self.epsilon = number("epsilon", epsilon, 0, 1, below=True)

    def budgets(self, batch: Batch) -> Floats:
        """What is left of the budget over the queries left, USD a query, shape (E,)."""
        return self.paced_budgets(batch)

    def shares(self, batch: Batch, state: State, rows: Integers) -> Floats:
        """The best models up to their throughput, and all alike for a share ``epsilon``."""
        greedy = super().shares(batch, state, rows)
        deployed = batch["deployed"]
        alike = capped_shares(deployed, deployed, self.throughput)
        return (1.0 - self.epsilon) * greedy + self.epsilon * alike
