"""PORT: online routing by the nearest neighbours in a history, under a budget a model."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from scipy.optimize import minimize

from stageroute_agents.allocation import best_set, capped_shares, filled_shares
from stageroute_agents.arrays import Batch, Flags, Floats, Integers, State
from stageroute_agents.contextual.history import HistoryAgent, Past
from stageroute_agents.memory import Outcomes
from stageroute_gym.checks import count, number
from stageroute_gym.compiling import njit
from stageroute_gym.context import AgentContext
from stageroute_gym.tuning.space import Real, SearchSpace

_LEAST_COST = 1e-6  # of the largest that a query can have, since it is divided by


class Port(HistoryAgent):
    """PORT (Wu & Silwal 2025, "Efficient training-free online routing", arXiv 2509.02718).

    Score ``d_i`` and cost ``g_i`` of each model on a query are the means over its ``k`` nearest
    neighbours in the history. The budget is split: ``B_i = b T w_i``. The first ``n_0 = ceil(eps
    T)`` queries are routed uniformly over the models and declining, and no outcome is used. Then,
    once, ``gamma = argmin over [0, 1]^N of eps sum gamma_i B_i + sum over j <= n_0 of max_i (alpha
    d_ij - gamma_i g_ij)``, by L-BFGS-B from ``1 / N``, and from there each query goes to the
    largest ``alpha d_i - gamma_i g_i``. It is lost where that model's budget is used up.

    Adapted: the weights are ``w_i`` in proportion to mean score over mean cost in the history.
    Costs are known late, so a model is used until its spend reaches ``B_i``. What its throughput
    leaves of a query goes to the next best model. Sets are those that won most of the first
    queries, at first those of the largest mean worth in the history. Neighbours are exact.

    Args:
        context: what it may know of the world it is for.
        seed: seed of the agent's own random numbers.
        history: as for `stageroute_agents.contextual.history.HistoryAgent`, like the next.
        gather: see there.
        alpha: worth of a score in USD, above 0.
        eps: share of the queries that prices are set by, in (0, 1).
        k: number of neighbours, at least 1.

    Raises:
        FieldError: if a parameter is out of range, or the file has a fault.
    """

    search_space: ClassVar[SearchSpace] = {
        "gather": Real(0.01, 0.5, "log"),
        "alpha": Real(1e-6, 1e-2, "log"),
    }

    def __init__(
        self,
        context: AgentContext,
        *,
        seed: int = 0,
        history: str | None = None,
        gather: float = 0.05,
        alpha: float = 1e-4,
        eps: float = 0.025,
        k: int = 5,
    ) -> None:
        super().__init__(context, seed=seed, history=history, gather=gather)
        self.alpha = number("alpha", alpha, 0, above=True)
        self.eps = number("eps", eps, 0, 1, above=True, below=True)
        self.k = count("k", k, 1)
        self.first = math.ceil(self.eps * self.problem.horizon)

    def initial_state(self, rows: int) -> State:
        """With the estimates of the first queries, ``gamma``, the budgets and the spend."""
        n = self.num_models
        return {
            **super().initial_state(rows),
            "estimates": np.zeros((rows, self.first, n, 2)),
            "estimated": np.zeros(rows, np.int64),
            "priced": np.zeros(rows, np.bool_),
            "gamma": np.full((rows, n), 1.0 / n),
            "budgets": np.zeros((rows, n)),
            "spent": np.zeros((rows, n)),
            "means": np.zeros((rows, n, 2)),
            "now": np.zeros((rows, n, 2)),
        }

    def fit(self, state: State, row: int, past: Past) -> None:
        """Split the budget by what the models score for their cost."""
        for model in range(self.num_models):
            _, score, cost = past.of_model(model)
            # A model that the history lacks gets no budget.
            state["means"][row, model] = (score.mean(), cost.mean()) if len(score) else (0.0, 0.0)
        score, cost = state["means"][row, :, 0], state["means"][row, :, 1]
        ratio = score / np.maximum(cost, _LEAST_COST * self.cost_bounds[1])
        total = ratio.sum()
        weight = ratio / total if total > 0 else np.full(self.num_models, 1.0 / self.num_models)
        state["budgets"][row] = self.problem.total_budget * weight

    def learn(self, batch: Batch, state: State, outcomes: Outcomes) -> None:
        """Book the spend, estimate the query at hand, and set the prices once."""
        served = np.flatnonzero(outcomes.model >= 0)
        state["spent"][served, outcomes.model[served]] += outcomes.cost[served]
        super().learn(batch, state, outcomes)
        for row in np.flatnonzero((batch["phase"][:, 0] > 0) & state["fitted"]):
            self._estimate(state, int(row), batch["query"][row].astype(np.float64))

    def _estimate(self, state: State, row: int, query: Floats) -> None:
        if self.past is None:
            number = int(state["past_number"][row])
            past = Past(
                state["past_query"][row, :number],
                state["past_model"][row, :number],
                state["past_score"][row, :number, None],
                state["past_cost"][row, :number, None],
            )
        else:
            past = self.past
        now = state["now"][row]
        neighbour_means(query, *past, self.k, now)
        place = int(state["estimated"][row])
        if place < self.first:
            state["estimates"][row, place] = now
            state["estimated"][row] += 1
        elif not state["priced"][row]:
            state["gamma"][row] = self.prices(state["estimates"][row], state["budgets"][row])
            state["priced"][row] = True

    def prices(self, estimates: Floats, budgets: Floats) -> Floats:
        """``gamma``, shape (N,), float64.

        Args:
            estimates: scores and costs of the first queries, shape (n_0, N, 2), float64.
            budgets: ``B``, USD, shape (N,), float64.
        """
        score, cost = self.alpha * estimates[:, :, 0], estimates[:, :, 1]

        def dual(gamma: Floats) -> float:
            return self.eps * gamma @ budgets + (score - gamma * cost).max(axis=1).sum()

        start = np.full(self.num_models, 1.0 / self.num_models)
        found = minimize(dual, start, method="L-BFGS-B", bounds=[(0.0, 1.0)] * self.num_models)
        return found.x

    def plan_fitted(self, batch: Batch, state: State, rows: Integers) -> Flags:
        """The models that won most of the first queries."""
        caps = self.throughput * batch["available"]
        gamma, means = state["gamma"][rows], state["means"][rows]
        index = self.alpha * means[:, :, 0] - gamma * means[:, :, 1]
        for i, row in enumerate(rows):
            told = state["estimates"][row, : state["estimated"][row]]
            if len(told):
                worth = self.alpha * told[:, :, 0] - gamma[i] * told[:, :, 1]
                worth = np.where(caps[i] > 0, worth, -np.inf)
                # A mean worth, in USD, is far below one query won.
                index[i] += np.bincount(worth.argmax(axis=1), minlength=self.num_models)
        return best_set(index, caps, batch["pulls"], self.problem.max_deployed)

    def shares_fitted(self, batch: Batch, state: State, rows: Integers) -> Floats:
        """Uniform over the models and declining at first, then the best worth at the prices."""
        deployed = batch["deployed"]
        number = deployed.sum(axis=1, keepdims=True)
        uniform = capped_shares(np.ones(deployed.shape), deployed, self.throughput)
        uniform *= number / (number + 1.0)
        now = state["now"][rows]
        worth = self.alpha * now[:, :, 0] - state["gamma"][rows] * now[:, :, 1]
        caps = self.throughput * deployed
        best = filled_shares(worth, caps, batch["pulls"])
        best = np.where(state["spent"][rows] < state["budgets"][rows], best, 0.0)
        return np.where(state["priced"][rows, None], best, uniform)


@njit(cache=True)
def neighbour_means(
    query: Floats,
    past_query: Floats,
    past_model: Integers,
    past_score: Floats,
    past_cost: Floats,
    k: int,
    means: Floats,
) -> None:
    """Mean score and cost of each model over the nearest queries of which they are known.

    Args:
        query: shape (F,), float64.
        past_query: as in `stageroute_agents.contextual.history.Past`, like what follows.
        past_model: see there.
        past_score: see there.
        past_cost: see there.
        k: number of neighbours; all there are, where these are fewer.
        means: written, shape (N, 2), float64; a model without any keeps 0.
    """
    n, size = len(means), len(query)
    nearest = np.full((n, k), np.inf)
    places = np.full((n, k), -1)
    for h in range(len(past_query)):
        distance = 0.0
        for f in range(size):
            distance += (query[f] - past_query[h, f]) ** 2
        # Where all models' outcomes are known, they share the neighbours.
        m = max(past_model[h], 0)
        if distance < nearest[m, k - 1]:
            place = k - 1
            while place > 0 and nearest[m, place - 1] > distance:
                nearest[m, place] = nearest[m, place - 1]
                places[m, place] = places[m, place - 1]
                place -= 1
            nearest[m, place], places[m, place] = distance, h
    for m in range(n):
        score = cost = 0.0
        found = 0
        everyone = len(past_model) > 0 and past_model[0] < 0
        for h in places[0 if everyone else m]:
            if h >= 0:
                score += past_score[h, m if everyone else 0]
                cost += past_cost[h, m if everyone else 0]
                found += 1
        means[m, 0] = score / max(found, 1)
        means[m, 1] = cost / max(found, 1)
