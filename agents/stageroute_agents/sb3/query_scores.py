"""What each model is predicted to score and cost on the query at hand, in place of its means.

The regressions, and when they count, are those of `stageroute_agents.contextual.regression`: as
long as their predictions are no better than the means, the means stay as they are, to the bit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stageroute_agents.arrays import Batch, Flags, Floats, Integers, State
from stageroute_agents.contextual.regression import (
    FIRST_RATIO,
    LOG_COST,
    NUM_TRIED,
    NUMBER,
    SCORE,
    fit_rows,
    learn_rows,
    pays_rows,
    weights_rows,
)
from stageroute_agents.memory import Diary, Outcomes
from stageroute_agents.views import View
from stageroute_gym.context import AgentContext

# Standard errors above 0 at which predictions count.
_EVIDENCE = 2.5
# The regressions are fitted anew after so many outcomes more, or such a part.
_FIT_AFTER, _FIT_GROWTH = 20.0, 1.05
_LEAST_COST = 1e-6  # of the largest that a query can have, since logarithms are taken
# No prediction moves a cost by more than this factor's logarithm.
_LARGEST_MOVE = 3.0


class QueryScores:
    """Regressions of scores and costs on the features of queries, in the state of an agent.

    Args:
        context: what the agent may know of the world it is for.
        diary: room for notes on each query until its outcome is known.
    """

    def __init__(self, context: AgentContext, diary: Diary) -> None:
        self.size = context.num_features
        self._num_models, self._diary = context.num_models, diary
        self._least_cost = max(_LEAST_COST * context.cost_bounds[1], np.finfo(np.float64).tiny)

    def blank(self, rows: int) -> State:
        """The part of the state, for ``rows`` episodes at their start."""
        n, size = self._num_models, self.size
        return {
            "told": np.zeros(rows, np.bool_),
            "contexts": self._diary.blank(rows, size),
            "products": np.zeros((rows, n, size + 1, size + 1)),
            "sums": np.zeros((rows, n, 2, size + 1)),
            "trials": np.zeros((rows, 2, NUM_TRIED)),
            "spread": np.full((rows, 2, 2), FIRST_RATIO / max(size, 1)),
            "common": np.zeros((rows, 2, size)),
            "own": np.zeros((rows, 2, n, size)),
            "centre": np.zeros((rows, size)),
            "unsure": np.zeros((rows, n)),
            "fit_next": np.full(rows, _FIT_AFTER),
            "met": np.zeros((rows, 2 * size + 1)),
        }

    def learn(self, batch: Batch, state: State, outcomes: Outcomes) -> None:
        """Book outcomes, fit anew where it is time, and note the next query."""
        # A scenario without features shows zeros.
        state["told"] |= batch["query"].any(axis=1)
        if not state["told"].any():
            return
        rows, models = outcomes.served
        if rows.size:
            cost = np.maximum(outcomes.cost[rows], self._least_cost)
            # Regressions are about the models' own means, so no other expectation is needed.
            residual = np.stack([outcomes.score[rows], np.log(cost / self._least_cost)], axis=1)
            query = self._diary.recall(state["contexts"], outcomes.query, rows)
            booked = (state[name] for name in ("products", "sums", "common", "own", "trials"))
            learn_rows(rows, models, query, residual, *booked, _EVIDENCE)
        number = state["trials"][:, SCORE, NUMBER]
        due = np.flatnonzero(number >= state["fit_next"])
        if due.size:
            kept = ("products", "sums", "met", "trials", "spread", "common", "own", "centre")
            fit_rows(due, *(state[name] for name in kept), state["unsure"])
            state["fit_next"][due] = np.maximum(number[due] + _FIT_AFTER, number[due] * _FIT_GROWTH)
        routed = np.flatnonzero(batch["phase"][:, 0] > 0)
        query = batch["query"][routed].astype(np.float64)
        self._diary.note(state["contexts"], state["queries"], routed, query)
        state["met"][routed] += np.concatenate([np.ones((len(routed), 1)), query, query**2], axis=1)

    def pays(self, state: State, rows: Integers) -> Flags:
        """Where predictions are better than the means by now, shape (R,), bool."""
        return pays_rows(state["trials"][rows])

    def seen(self, batch: Batch, state: State, rows: Integers) -> Batch:
        """Observations with predicted scores and costs in place of the means of tried models.

        In the deploy phase they are those of the mean query: a model's own mean is that of the
        queries that were chosen for it.

        Args:
            batch: observations of ``R`` episodes.
            state: what is remembered of all episodes.
            rows: where the ``R`` episodes stand in it, shape (R,), int64.
        """
        if not self.pays(state, rows).any():
            return batch
        weight = weights_rows(state["trials"][rows])
        products, centre = state["products"][rows], state["centre"][rows]
        number = products[:, :, -1, -1:]
        mean = np.where(
            number > 0, products[:, :, -1, :-1] / np.maximum(number, 1), centre[:, None]
        )
        query = np.where(batch["phase"] > 0, batch["query"], centre)
        told = state["common"][rows][:, :, None] + state["own"][rows]
        effect = np.einsum("rk,rkmf,rmf->rkm", weight, told, query[:, None] - mean)
        return _Predicted(batch, effect)


class _Predicted(View):
    """Observations with means moved by effects on score and log cost, shape (R, 2, N)."""

    def __init__(self, fields: Batch, effect: Floats) -> None:
        super().__init__(fields)
        self._effect = effect

    def __getitem__(self, key: str) -> NDArray[np.float64]:
        values = self._fields[key]
        if key == "mean_score":
            return np.clip(values + self._effect[:, SCORE], 0.0, 1.0)
        if key == "mean_cost":
            move = np.clip(self._effect[:, LOG_COST], -_LARGEST_MOVE, _LARGEST_MOVE)
            return np.asarray(values * np.exp(move))
        return values
