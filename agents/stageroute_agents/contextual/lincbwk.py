"""Linear contextual bandits with knapsacks."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from scipy.special import expit

from stageroute_agents.arrays import Batch, Floats, Integers, State
from stageroute_agents.linear import LinearAgent
from stageroute_agents.memory import Outcomes
from stageroute_gym.checks import number
from stageroute_gym.context import AgentContext
from stageroute_gym.tuning.space import Real, SearchSpace


class LinCbwk(LinearAgent):
    """LinCBwK (Agrawal & Devanur 2016, "Linear contextual bandits with knapsacks", 1507.06738).

    Routes to the largest ``x'mu + r |x|_{M^-1} - Z theta (x'W - r |x|_{M^-1})`` with the ridge
    estimates ``mu`` of the score and ``W`` of the cost over ``c2``, ``M = I + sum x x'``, until the
    budget ``B = b T / c2`` is used up; then it declines. The resource's weight ``theta`` follows
    multiplicative weights on the gain ``v - B / T`` against doing nothing, with ``eta = sqrt(ln(d +
    1) / T)`` and ``d = 1`` resource. In the theory ``r = sqrt(m ln((d + t m d) / delta)) +
    sqrt(m)``, for contexts of ``m`` numbers and of length 1 at most. Recalled, and not confirmed
    from a public text.

    Adapted: a model's context is its own copy of the query's features and 1, so that there is one
    regression a model and ``m = N (F + 1)``. The radius is ``width`` times the theory's, which
    exceeds any score for as long as an episode lasts. Bounds are clipped to [0, 1]. ``Z = T / B``,
    the largest that ``OPT / B`` can be, as scores are at most 1: to estimate ``OPT`` the paper
    takes ``m sqrt(T)`` rounds, more than there are.

    Args:
        context: what it may know of the world it is for.
        seed: seed of the agent's own random numbers.
        width: factor of the radius, at least 0; 1 in the theory.
        delta: probability that a bound fails, in (0, 1).
        features: as for `LinearAgent`.

    Raises:
        FieldError: if a parameter is out of range.
    """

    search_space: ClassVar[SearchSpace] = {"width": Real(1e-4, 0.1, "log")}

    def __init__(
        self,
        context: AgentContext,
        *,
        seed: int = 0,
        width: float = 3e-3,
        delta: float = 0.05,
        features: bool = True,
    ) -> None:
        super().__init__(context, seed=seed, lambda_0=1.0, features=features)
        self.width = number("width", width, 0)
        self.delta = number("delta", delta, 0, 1, above=True, below=True)
        self.dearest = self.cost_bounds[1]
        self.rate = self.problem.budget / self.dearest  # B / T
        self.growth = math.log1p(math.sqrt(math.log(2.0) / self.problem.horizon))

    def initial_state(self, rows: int) -> State:
        """With ``sum v x`` (rows, N, D), and the logarithm of the resource's weight (rows,)."""
        return {
            **super().initial_state(rows),
            "cost_sum": np.zeros((rows, self.num_models, self.size)),
            "log_weight": np.zeros(rows),
        }

    def learn(self, batch: Batch, state: State, outcomes: Outcomes) -> None:
        """Update the regressions and the weight of the resource."""
        rows, models = outcomes.served
        x = self.diary.recall(state["contexts"], outcomes.query, rows)
        share = outcomes.cost / self.dearest
        state["cost_sum"][rows, models] += share[rows, None] * x
        state["log_weight"] += np.where(outcomes.due, self.growth * (share - self.rate), 0.0)
        super().learn(batch, state, outcomes)

    def index(self, batch: Batch, state: State, rows: Integers, caps: Floats) -> Floats:
        """Optimistic score less the priced, optimistic cost."""
        score, variance = self.predictions(state, rows)
        x = state["context"][rows]
        product = np.matmul(state["inverse"][rows], x[:, None, :, None])[..., 0]
        cost = np.einsum("end,end->en", product, state["cost_sum"][rows])
        numbers = self.num_models * self.size
        tried = 1.0 + numbers * (state["queries"][rows] + 1.0)
        radius = np.sqrt(numbers * np.log(tried / self.delta)) + math.sqrt(numbers)
        bound = self.width * radius[:, None] * np.sqrt(variance)
        theta = expit(state["log_weight"][rows, None])
        best, cheapest = np.clip(score + bound, 0.0, 1.0), np.clip(cost - bound, 0.0, 1.0)
        return best - theta / self.rate * cheapest

    def shares(self, batch: Batch, state: State, rows: Integers) -> Floats:
        """The best model, while there is budget left."""
        return super().shares(batch, state, rows) * (batch["budget_left"] > 0)
