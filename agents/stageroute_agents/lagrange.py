"""LagrangeBwK: a bandit plays against a price-setter (Immorlica et al. 2019)."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from stageroute_agents.allocation import best_set, capped_shares
from stageroute_agents.arrays import Batch, Flags, Floats, Integers, State
from stageroute_agents.base import Kind
from stageroute_agents.memory import Learner, Outcomes
from stageroute_gym.context import AgentContext


class LagrangeBwk(Learner):
    """LagrangeBwK (Immorlica, Sankararaman, Schapire & Slivkins 2019, arXiv 1811.11881).

    A repeated zero-sum game with the Lagrangian ``L(m, i) = r_m + 1 - (T / B) c_{m,i}`` of the
    budgeted linear programme as payoff. The primal player picks the model by EXP3.P (Auer,
    Cesa-Bianchi, Freund & Schapire 2002), with ``p = (1 - g) w / sum w + g / K`` and
    ``w_m <- w_m exp(g / (3 K) (x_m + a / (p_m sqrt(K T))))``, where ``x_m`` is the payoff, scaled
    to [0, 1] by its known range, over ``p_m`` for the model served and 0 for the others;
    ``g = min(3/5, 2 sqrt(3/5 K ln K / T))``, ``a = 2 sqrt(ln(K T^2))``. The dual player sets the
    weights of the resources money and time, for which the payoffs are ``r + 1 - c / b`` and ``r``,
    by Hedge with the rate ``sqrt(8 ln 2 / T)`` over the payoff's range; its mixture is used, where
    the paper draws one resource.

    Adapted: the paper has one arm more, the null arm that serves nothing and costs nothing; it is
    left out, and adding it changes nothing in the scenarios. ``K`` is the number of deployed
    models, the throughput caps ``p``, and weights are kept relative to the mean of the deployed
    models, which changes no share but lets a model that was never deployed rank as an average one.
    The set with the largest weights is deployed.

    Args:
        context: what it may know of the world it is for.
        seed: seed of the agent's own random numbers.
    """

    kind: ClassVar[Kind] = "baseline"

    def __init__(self, context: AgentContext, *, seed: int = 0) -> None:
        super().__init__(context, seed=seed)
        problem = self.problem
        self.lowest = min(0.0, 1.0 - self.cost_bounds[1] / problem.budget)
        self.range = 2.0 - self.lowest
        self.dual_rate = math.sqrt(8.0 * math.log(2.0) / problem.horizon) / self.range

    def initial_state(self, rows: int) -> State:
        """With log weights of models (rows, N) and of money (rows,), and the shares played."""
        return {
            **super().initial_state(rows),
            "log_weights": np.zeros((rows, self.num_models)),
            "log_price": np.zeros(rows),
            "played": self.diary.blank(rows, self.num_models),
        }

    def learn(self, batch: Batch, state: State, outcomes: Outcomes) -> None:
        """Update both players with the payoffs, then mix the shares for the next query."""
        rows, models = outcomes.served
        played = self.diary.recall(state["played"], outcomes.query, rows)
        relative = outcomes.cost / self.problem.budget - 1.0
        money = 0.5 * (1.0 + np.tanh(0.5 * state["log_price"][rows]))
        payoff = outcomes.score[rows] - money * relative[rows]
        state["log_weights"][rows] += self._gains(
            played, models, (payoff - self.lowest) / self.range
        )
        state["log_price"] += np.where(outcomes.due, self.dual_rate * relative, 0.0)
        routed = np.flatnonzero(batch["phase"][:, 0] > 0)
        shares = self._mixture(state["log_weights"][routed], batch["deployed"][routed])
        self.diary.note(state["played"], state["queries"], routed, shares)

    def plan(self, batch: Batch, state: State, rows: Integers) -> Flags:
        """The models on offer with the largest weights."""
        caps = self.throughput * batch["available"]
        return best_set(state["log_weights"][rows], caps, batch["pulls"], self.problem.max_deployed)

    def shares(self, batch: Batch, state: State, rows: Integers) -> Floats:
        """The primal player's mixture, within the throughput."""
        return self.diary.recall(state["played"], state["queries"], rows)

    def _exploration(self, size: Integers) -> Floats:
        """``g`` of EXP3.P for ``size`` models."""
        log_size = np.log(np.maximum(size, 1))
        return np.minimum(0.6, 2.0 * np.sqrt(0.6 * size * log_size / self.problem.horizon))

    def _gains(self, played: Floats, models: Integers, payoff: Floats) -> Floats:
        present = played > 0
        size = np.maximum(present.sum(axis=1), 1)
        horizon = self.problem.horizon
        bonus = 2.0 * np.sqrt(np.log(size * float(horizon) ** 2) / (size * horizon))
        row = np.arange(len(models))
        gains = np.broadcast_to(bonus[:, None], played.shape).copy()
        gains[row, models] += payoff
        rate = self._exploration(size) / (3.0 * size)
        gains *= rate[:, None] / np.where(present, played, 1.0)
        mean = np.where(present, gains, 0.0).sum(axis=1) / size
        return np.where(present, gains - mean[:, None], 0.0)

    def _mixture(self, log_weights: Floats, deployed: NDArray[np.float32]) -> Floats:
        present = deployed > 0
        size = np.maximum(present.sum(axis=1), 1)
        top = np.where(present, log_weights, -np.inf).max(axis=1, keepdims=True)
        weights = np.where(present, np.exp(np.where(present, log_weights - top, 0.0)), 0.0)
        explore = self._exploration(size)[:, None]
        total = np.maximum(weights.sum(axis=1, keepdims=True), 1.0)
        mixed = (1.0 - explore) * weights / total + explore / size[:, None] * present
        return capped_shares(mixed, deployed, self.throughput)
