"""Linear models of score and cost given the query: LinUCB with a price on cost."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from stageroute_agents.arrays import Batch, Floats, Integers, State
from stageroute_agents.index import IndexAgent
from stageroute_agents.memory import Learner, Outcomes
from stageroute_gym.checks import number, switch
from stageroute_gym.context import AgentContext
from stageroute_gym.tuning.space import Real, SearchSpace


class LinearAgent(Learner, IndexAgent):
    """One ridge regression a model, disjoint, on the query's features and a constant.

    ``A_m = lambda_0 I + sum x x'``, ``b_m = sum r x``, ``theta_m = A_m^-1 b_m``; the inverse is
    kept and updated by Sherman & Morrison. On a deploy step, where no query is known, the mean of
    the queries so far stands for it. Deploys the set that its own index ranks best.

    Args:
        context: what it may know of the world it is for.
        seed: seed of the agent's own random numbers.
        lambda_0: regularisation, above 0.
        features: whether it reads the query's features; otherwise the constant is all it knows.

    Raises:
        FieldError: if a parameter is out of range.
    """

    def __init__(
        self, context: AgentContext, *, seed: int, lambda_0: float, features: bool
    ) -> None:
        super().__init__(context, seed=seed)
        self.lambda_0 = number("lambda_0", lambda_0, 0, above=True)
        self.read = context.num_features if switch("features", features) else 0
        self.size = self.read + 1

    def initial_state(self, rows: int) -> State:
        """With ``A^-1`` (rows, N, D, D), ``b`` (rows, N, D) and the queries, for D features."""
        vectors = (rows, self.num_models, self.size)
        inverse = np.zeros((*vectors, self.size))
        inverse[...] = np.eye(self.size) / self.lambda_0
        return {
            **super().initial_state(rows),
            "inverse": inverse,
            "score_sum": np.zeros(vectors),
            "context": np.zeros((rows, self.size)),
            "context_sum": np.zeros((rows, self.size)),
            "contexts": self.diary.blank(rows, self.size),
        }

    def learn(self, batch: Batch, state: State, outcomes: Outcomes) -> None:
        """Add the outcome to the regression of the model that served, then note the next query."""
        rows, models = outcomes.served
        x = self.diary.recall(state["contexts"], outcomes.query, rows)
        self.add(state, rows, models, x)
        state["score_sum"][rows, models] += outcomes.score[rows, None] * x
        routed = np.flatnonzero(batch["phase"][:, 0] > 0)
        query = np.ones((len(routed), self.size))
        query[:, :-1] = batch["query"][routed, : self.read]
        self.diary.note(state["contexts"], state["queries"], routed, query)
        state["context_sum"][routed] += query
        sums = state["context_sum"]
        state["context"][:] = sums / np.maximum(sums[:, -1:], 1.0)
        state["context"][:, -1] = 1.0
        state["context"][routed] = query

    def add(self, state: State, rows: Integers, models: Integers, x: Floats) -> None:
        """Add ``x x'`` to ``A`` of the models that served.

        Args:
            state: what is remembered of the episodes.
            rows: the episodes, shape (R,), int64.
            models: model that served in each of them, shape (R,), int64.
            x: features and constant of the query served, shape (R, D), float64.
        """
        inverse = state["inverse"][rows, models]
        product = np.einsum("rij,rj->ri", inverse, x)
        scale = 1.0 + np.einsum("ri,ri->r", x, product)
        inverse -= product[:, :, None] * (product / scale[:, None])[:, None, :]
        state["inverse"][rows, models] = inverse

    def predictions(self, state: State, rows: Integers) -> tuple[Floats, Floats]:
        """Expected score ``theta' x`` and its variance ``x' A^-1 x``, shapes (R, N), float64."""
        x = state["context"][rows]
        product = np.matmul(state["inverse"][rows], x[:, None, :, None])[..., 0]
        score = np.einsum("end,end->en", product, state["score_sum"][rows])
        return score, np.maximum(np.einsum("end,ed->en", product, x), 0.0)


class LinUcb(LinearAgent):
    """LinUCB (Li, Chu, Langford & Schapire 2010, Algorithm 1, disjoint) with a cost dual.

    Routes to the largest ``theta_m' x + alpha sqrt(x' A_m^-1 x) - lambda c_m(x) / b``, with the
    cost ``c_m(x)`` from a regression like that of the score. The dual, as in primal-dual knapsack
    bandits (Agrawal & Devanur 2016), follows the projected subgradient of the budget at the rate of
    online gradient descent: ``lambda <- max(0, lambda + eta b / (c2 sqrt(T)) (c_t / b - 1))``.

    Args:
        context: what it may know of the world it is for.
        seed: seed of the agent's own random numbers.
        alpha: scale of the exploration, at least 0.
        lambda_0: regularisation, above 0; 1 in the paper.
        eta: step of the dual, at least 0, in units of ``b / (c2 sqrt(T))``.
        features: as for `LinearAgent`.

    Raises:
        FieldError: if a parameter is out of range.
    """

    search_space: ClassVar[SearchSpace] = {
        "alpha": Real(1e-3, 2.0, "log"),
        "lambda_0": Real(0.1, 10.0, "log"),
        "eta": Real(0.1, 100.0, "log"),
    }

    def __init__(
        self,
        context: AgentContext,
        *,
        seed: int = 0,
        alpha: float = 0.5,
        lambda_0: float = 1.0,
        eta: float = 10.0,
        features: bool = True,
    ) -> None:
        super().__init__(context, seed=seed, lambda_0=lambda_0, features=features)
        self.alpha = number("alpha", alpha, 0)
        self.eta = number("eta", eta, 0)
        problem = self.problem
        self.step = self.eta * problem.budget / (self.cost_bounds[1] * math.sqrt(problem.horizon))

    def initial_state(self, rows: int) -> State:
        """With ``b`` of the costs (rows, N, D), and the dual ``lambda`` (rows,)."""
        return {
            **super().initial_state(rows),
            "cost_sum": np.zeros((rows, self.num_models, self.size)),
            "dual": np.zeros(rows),
        }

    def learn(self, batch: Batch, state: State, outcomes: Outcomes) -> None:
        """Update the regressions and the dual."""
        rows, models = outcomes.served
        x = self.diary.recall(state["contexts"], outcomes.query, rows)
        state["cost_sum"][rows, models] += outcomes.cost[rows, None] * x
        excess = np.where(outcomes.due, outcomes.cost / self.problem.budget - 1.0, 0.0)
        state["dual"][:] = np.maximum(state["dual"] + self.step * excess, 0.0)
        super().learn(batch, state, outcomes)

    def index(self, batch: Batch, state: State, rows: Integers, caps: Floats) -> Floats:
        """Optimistic score less the price of the expected cost."""
        score, variance = self.predictions(state, rows)
        x = state["context"][rows]
        product = np.matmul(state["inverse"][rows], x[:, None, :, None])[..., 0]
        cost = np.einsum("end,end->en", product, state["cost_sum"][rows])
        price = state["dual"][rows, None] / self.problem.budget
        return score + self.alpha * np.sqrt(variance) - price * np.clip(cost, *self.cost_bounds)
