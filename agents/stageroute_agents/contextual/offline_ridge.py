"""A router fitted offline: ridge regressions of scores and costs on the query's features."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from stageroute_agents.arrays import Batch, Flags, Floats, Integers, State
from stageroute_agents.contextual.history import HistoryAgent, Past
from stageroute_agents.contextual.prices import route_at_prices, solve
from stageroute_agents.contextual.sets import best_members
from stageroute_gym.checks import number
from stageroute_gym.context import AgentContext
from stageroute_gym.tuning.space import Real, SearchSpace

_SAMPLE = 512
_LEAST_DEVIATION = 1e-9


class OfflineRidge(HistoryAgent):
    """Predict-then-optimise, as most routers in use do it; no paper's in particular.

    For each model ridge regressions of score and cost on the features ``x``: ``min sum (y - a -
    w'z)^2 + ridge |w|^2``, with ``z`` standardised over the history. A query goes to the largest
    predicted ``score - lambda cost``. The price ``lambda`` is the one at which the routed history
    costs the budget ``b`` a query, and the set the one worth most to it; both are solved on
    predictions for up to 512 of its queries. Nothing is learned after that, and the budget is not
    paced.

    Args:
        context: what it may know of the world it is for.
        seed: seed of the agent's own random numbers.
        history: as for `stageroute_agents.contextual.history.HistoryAgent`, like the next.
        gather: see there.
        ridge: weight of the penalty, above 0.

    Raises:
        FieldError: if a parameter is out of range, or the file has a fault.
    """

    search_space: ClassVar[SearchSpace] = {
        "gather": Real(0.01, 0.5, "log"),
        "ridge": Real(1.0, 1000.0, "log"),
    }

    def __init__(
        self,
        context: AgentContext,
        *,
        seed: int = 0,
        history: str | None = None,
        gather: float = 0.05,
        ridge: float = 100.0,
    ) -> None:
        super().__init__(context, seed=seed, history=history, gather=gather)
        self.ridge = number("ridge", ridge, 0, above=True)
        self.shared = not self.continuous
        self.query_caps = np.ones(self.num_models) if self.shared else self.throughput
        self.known = None if self.past is None else self.coefficients(self.past)

    def initial_state(self, rows: int) -> State:
        """With the coefficients, the queries to plan by, and the prices."""
        return {
            **super().initial_state(rows),
            "coefficients": np.zeros((rows, self.num_models, 2, self.size + 1)),
            "reference": np.zeros((rows, _SAMPLE, self.size)),
            "prices": np.zeros((rows, 3)),
            "rents": np.zeros((rows, self.num_models)),
        }

    def coefficients(self, past: Past) -> Floats:
        """Of score and cost, for features as they come and a constant, (N, 2, F + 1), float64.

        A model without outcomes is taken for an average one.
        """
        found = np.full((self.num_models, 2, self.size + 1), np.nan)
        for model in range(self.num_models):
            query, score, cost = past.of_model(model)
            if len(query):
                found[model] = ridge_regression(query, np.stack([score, cost]), self.ridge)
        known = ~np.isnan(found[:, 0, 0])
        average = found[known].mean(axis=0) if known.any() else np.zeros(found.shape[1:])
        found[~known] = average
        return found

    def fit(self, state: State, row: int, past: Past) -> None:
        """Write the coefficients and the queries to plan by."""
        state["coefficients"][row] = self.coefficients(past) if self.known is None else self.known
        # Spread over the history; of one that is short, some queries count more often.
        places = np.arange(_SAMPLE) * max(len(past.query), 1) // _SAMPLE
        if len(past.query):
            state["reference"][row] = past.query[places]

    def plan_fitted(self, batch: Batch, state: State, rows: Integers) -> Flags:
        """The set worth most to the history, at prices that are kept for the stage."""
        chosen = np.zeros((len(rows), self.num_models), np.bool_)
        budget, slots = self.problem.budget, self.problem.max_deployed
        offered = batch["available"] > 0
        for i, row in enumerate(rows):
            query, told = state["reference"][row], state["coefficients"][row]
            score, cost = self.predicted(query, np.broadcast_to(told, (len(query), *told.shape)))
            members = best_members(
                score, cost, budget, offered[i], self.throughput, slots, self.shared
            )
            low, high, part, _ = solve(
                score,
                cost,
                budget,
                members,
                self.throughput,
                self.shared,
                0.0,
                state["rents"][row],
            )
            state["prices"][row] = low, high, part
            chosen[i, members] = True
        return chosen

    def shares_fitted(self, batch: Batch, state: State, rows: Integers) -> Floats:
        """The best models for the query at those prices."""
        query = batch["query"].astype(np.float64)
        score, cost = self.predicted(query, state["coefficients"][rows])
        usable = batch["action_mask"][:, :-1] if self.shared else batch["deployed"]
        return route_at_prices(
            score, cost, state["prices"][rows], state["rents"][rows], usable > 0, self.query_caps
        )

    def predicted(self, query: Floats, coefficients: Floats) -> tuple[Floats, Floats]:
        """Scores and costs in USD, shapes (R, N), float64.

        Args:
            query: shape (R, F), float64.
            coefficients: shape (R, N, 2, F + 1), float64.
        """
        told = np.einsum("rnkf,rf->rnk", coefficients[..., :-1], query) + coefficients[..., -1]
        score, cost = np.clip(told[..., 0], 0.0, 1.0), np.clip(told[..., 1], *self.cost_bounds)
        return np.ascontiguousarray(score), np.ascontiguousarray(cost)


def ridge_regression(query: Floats, outcomes: Floats, ridge: float) -> Floats:
    """Coefficients of ridge regressions with a free constant, shape (K, F + 1), float64.

    Args:
        query: shape (H, F), float64.
        outcomes: shape (K, H), float64.
        ridge: weight of the penalty on the coefficients of standardised features.
    """
    mean, deviation = query.mean(axis=0), query.std(axis=0)
    # What never varies tells nothing.
    scale = np.where(deviation > _LEAST_DEVIATION, 1.0 / np.maximum(deviation, 1e-300), 0.0)
    z = (query - mean) * scale
    level = outcomes.mean(axis=1)
    along = z.T @ (outcomes - level[:, None]).T
    slope = np.linalg.solve(z.T @ z + ridge * np.eye(z.shape[1]), along).T * scale
    return np.concatenate([slope, (level - slope @ mean)[:, None]], axis=1)
