"""ParetoBandit: LinUCB with geometric forgetting and a paced dual (arXiv 2604.00136)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from stageroute_agents.arrays import Batch, Floats, Integers, State
from stageroute_agents.linear import LinearAgent
from stageroute_agents.memory import Outcomes
from stageroute_gym.checks import choice, number
from stageroute_gym.context import AgentContext
from stageroute_gym.tuning.space import OneOf, Real, SearchSpace

# Queries beyond which statistics age no further, and the part of lambda_0 below which the
# regularisation is topped up: both are from the authors' public code, not from the paper.
_OLDEST = 1000
_LEAST_REGULARISATION = 0.1


class ParetoBandit(LinearAgent):
    """ParetoBandit (Taberner-Miller 2026, arXiv 2604.00136, Algorithm 1), without offline priors.

    Routes to the largest ``theta_m' x + alpha sqrt(v_m) - (lambda_c + lambda_t) c~_m`` among the
    models whose unit cost is at most that of the dearest over ``1 + lambda_t`` (no ceiling while
    ``lambda_t = 0``). ``v_m = x' A_m^-1 x / max(gamma^dt, 1 / V_max)`` with ``dt`` outcomes since
    the model's last one. On an outcome ``A_m`` and ``b_m`` are first multiplied by ``gamma^dt``.
    Pacer: ``c- <- (1 - alpha_ema) c- + alpha_ema c_t``, from ``c- = b``;
    ``lambda_{t+1} = clip(lambda_t + eta (c- / b - 1), 0, lambda_max)``.

    The authors' code (`BanditRouter` with `BudgetPacer`) differs from their Algorithm 1 in two
    ways, which ``rules="code"`` takes over; with them this agent takes the same choices as theirs.
    It caps ``dt`` at 1000 in the inflation of the variance as well, which is then at most
    ``gamma^-1000``, about 20, and explores less. And it tracks the regularisation ``lambda_0
    gamma^dt`` that is left to each model, and adds what is missing once that is below a tenth of
    ``lambda_0``; under ``rules="paper"``, which says nothing of it, nine tenths of ``lambda_0`` are
    added once the inverse of ``A_m`` shows that some direction has faded so far. The authors' own
    settings are ``paretobandit(alpha=0.05, lambda_c=0, rules="code")``.

    Adapted: ``c~_m`` is the logarithm of the list price (where unknown, of the mean cost), scaled
    to [0, 1] over the range of costs, where the paper takes fixed market bounds. A model above the
    ceiling still serves what the others' throughput leaves, cheapest first. Age is counted in
    outcomes, so that a model whose feedback is late is not taken for a neglected one.

    Args:
        context: what it may know of the world it is for.
        seed: seed of the agent's own random numbers.
        alpha: scale of the exploration, at least 0. The authors' router takes 0.01 by default,
            tuned with offline priors, and 0.05 for a start without priors.
        gamma: forgetting factor, above 0, up to 1.
        lambda_0: regularisation, above 0.
        lambda_c: static weight of the cost, at least 0; 0 in the authors' experiments on pacing.
        eta: step of the dual, at least 0.
        alpha_ema: smoothing of the cost, above 0, up to 1.
        lambda_max: largest dual, above 0.
        V_max: largest inflation of the variance, above 0.
        rules: ``"paper"`` or ``"code"``, see above.
        features: as for `LinearAgent`.

    Raises:
        FieldError: if a parameter is out of range.
    """

    search_space: ClassVar[SearchSpace] = {
        "alpha": Real(1e-3, 1.0, "log"),
        "gamma": Real(0.97, 0.99999, "log_to_one"),
        "lambda_0": Real(0.1, 10.0, "log"),
        "lambda_c": Real(0.0, 0.6),
        "eta": Real(5e-3, 0.5, "log"),
        "alpha_ema": Real(5e-3, 0.5, "log"),
        "rules": OneOf(("paper", "code")),
    }

    def __init__(
        self,
        context: AgentContext,
        *,
        seed: int = 0,
        alpha: float = 0.1,
        gamma: float = 0.997,
        lambda_0: float = 1.0,
        lambda_c: float = 0.3,
        eta: float = 0.05,
        alpha_ema: float = 0.05,
        lambda_max: float = 5.0,
        V_max: float = 200.0,  # noqa: N803
        rules: str = "paper",
        features: bool = True,
    ) -> None:
        super().__init__(context, seed=seed, lambda_0=lambda_0, features=features)
        self.alpha = number("alpha", alpha, 0)
        self.gamma = number("gamma", gamma, 0, 1, above=True)
        self.lambda_c = number("lambda_c", lambda_c, 0)
        self.eta = number("eta", eta, 0)
        self.alpha_ema = number("alpha_ema", alpha_ema, 0, 1, above=True)
        self.lambda_max = number("lambda_max", lambda_max, 0, above=True)
        self.V_max = number("V_max", V_max, 0, above=True)
        self.as_coded = choice("rules", rules, ("paper", "code")) == "code"
        # Costs of 0 have no logarithm.
        low, high = np.log(np.maximum(self.cost_bounds, 1e-6 * self.cost_bounds[1]))
        self.log_cost_bounds = float(low), float(max(high, low + 1e-6))

    def initial_state(self, rows: int) -> State:
        """With smoothed cost in USD and dual, shapes (rows,), and each model's age (rows, N).

        And the regularisation left to each model, and ``A``, shape (rows, N, D, D): it is kept and
        inverted anew, as forgetting would amplify the rounding errors of updates of the inverse
        without bound.
        """
        shape = (rows, self.num_models, self.size, self.size)
        return {
            **super().initial_state(rows),
            "precision": np.broadcast_to(self.lambda_0 * np.eye(self.size), shape).copy(),
            "smooth_cost": np.full(rows, self.problem.budget),
            "dual": np.zeros(rows),
            "age": np.zeros((rows, self.num_models)),
            "regularisation": np.full((rows, self.num_models), self.lambda_0),
        }

    def learn(self, batch: Batch, state: State, outcomes: Outcomes) -> None:
        """Forget, update the regression, and pace."""
        state["age"][outcomes.due] += 1.0
        rows, models = outcomes.served
        decay = self.gamma ** np.minimum(state["age"][rows, models], _OLDEST)
        state["precision"][rows, models] *= decay[:, None, None]
        state["score_sum"][rows, models] *= decay[:, None]
        state["regularisation"][rows, models] *= decay
        state["age"][rows, models] = 0.0
        self._top_up(state, rows, models)
        super().learn(batch, state, outcomes)
        smooth = state["smooth_cost"]
        smooth += np.where(outcomes.due, self.alpha_ema * (outcomes.cost - smooth), 0.0)
        step = np.where(outcomes.due, self.eta * (smooth / self.problem.budget - 1.0), 0.0)
        state["dual"][:] = np.clip(state["dual"] + step, 0.0, self.lambda_max)

    def index(self, batch: Batch, state: State, rows: Integers, caps: Floats) -> Floats:
        """Optimistic score less the cost penalty; models above the ceiling come last."""
        score, variance = self.predictions(state, rows)
        age = state["age"][rows]
        if self.as_coded:
            age = np.minimum(age, _OLDEST)
        inflation = np.maximum(self.gamma**age, 1.0 / self.V_max)
        price = np.where(batch["list_price"] > 0, batch["list_price"], batch["mean_cost"])
        low, high = self.log_cost_bounds
        log_price = np.clip(np.log(np.maximum(price, np.exp(low))), low, high)
        unit_cost = (log_price - low) / (high - low)
        dual = state["dual"][rows, None]
        value = score + self.alpha * np.sqrt(variance / inflation)
        value -= (self.lambda_c + dual) * unit_cost
        dearest = np.where(caps > 0, price, 0.0).max(axis=1, keepdims=True)
        above = (dual > 0) & (price > dearest / (1.0 + dual))
        return np.where(above, -1e9 - unit_cost, value)

    def add(self, state: State, rows: Integers, models: Integers, x: Floats) -> None:
        """Add ``x x'`` to ``A`` of the models that served, and invert it.

        Args:
            state: what is remembered of all episodes.
            rows: the episodes, shape (R,), int64.
            models: which model served in each, shape (R,), int64.
            x: the queries' features, shape (R, d), float64.
        """
        state["precision"][rows, models] += x[:, :, None] * x[:, None, :]
        state["inverse"][rows, models] = np.linalg.inv(state["precision"][rows, models])

    def _top_up(self, state: State, rows: Integers, models: Integers) -> None:
        """Restore the regularisation of models in which it, or some direction, has faded."""
        left = state["regularisation"][rows, models]
        floor = _LEAST_REGULARISATION * self.lambda_0
        if self.as_coded:
            faded = left < floor
            missing = self.lambda_0 - left[faded]
        else:
            inverse = np.linalg.inv(state["precision"][rows, models])
            largest = np.diagonal(inverse, axis1=1, axis2=2).max(axis=1, initial=0.0)
            faded = largest > 1.0 / floor
            missing = np.full(faded.sum(), (1.0 - _LEAST_REGULARISATION) * self.lambda_0)
        eye = np.eye(self.size)
        state["precision"][rows[faded], models[faded]] += missing[:, None, None] * eye
        state["regularisation"][rows[faded], models[faded]] += missing
