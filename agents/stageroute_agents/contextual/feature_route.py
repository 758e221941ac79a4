"""FeatureRoute: PacedRoute that routes by the features of a query, once they have proved to pay."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

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
from stageroute_agents.contextual.sample import (
    Believed,
    Sample,
    Terms,
    choose_rows,
    note_rows,
    price_rows,
    refresh_rows,
    route_rows,
)
from stageroute_agents.memory import Outcomes
from stageroute_agents.paced.paced_route import PacedRoute
from stageroute_agents.views import rows_of
from stageroute_gym.checks import number
from stageroute_gym.context import AgentContext
from stageroute_gym.tuning.space import SearchSpace

# Queries kept to set prices by, those that sets are chosen by, and queries between two prices.
_SAMPLE = 256
_CHOSEN_BY = 128
_PRICED_EVERY = 32
# The regressions are fitted anew after so many outcomes more, or such a part.
_FIT_AFTER, _FIT_GROWTH = 20.0, 1.05
# Width of the score bound for what is unsure about a model's mean, in deviations.
_MEAN_WIDTH = 1.5
_LEAST_COST = 1e-6  # of the largest that a query can have, since logarithms are taken
_LEAST_BUDGET = 1e-6  # of a query's, since prices are for one above 0


class FeatureRoute(PacedRoute):
    """PacedRoute on estimates of each query, where its features are known to tell of them.

    To PacedRoute's estimate of each model regressions add what a query's features tell
    (`stageroute_agents.contextual.regression`), in the weight that their predictions have earned
    so far. As long as these are no better than none, by ``evidence`` standard errors, every
    decision is PacedRoute's. Once they are, a query goes to the models of the largest upper bound
    less price times expected cost, at prices set by a sample of the last queries
    (`stageroute_agents.contextual.prices`), and sets are chosen by what that sample would gain
    (`stageroute_agents.contextual.sets`). Outcomes reach PacedRoute's estimates less what the
    features explain, so that a model is not judged by the queries that were chosen for it.

    The features that name the task, one-hot (`AgentContext.num_tasks`), are left to PacedRoute.

    Args:
        context: what it may know of the world it is for.
        seed: seed of the agent's own random numbers.
        evidence: standard errors above 0 at which features are used, above 0.
        feature_width: width of the score bound for what is unsure about the features' effects, in
            deviations, at least 0.
        set_width: width of the score bound that sets are chosen by where features are used, in
            deviations, at least 0; `PacedRoute` takes less, and tries the rest in spare slots.

    Raises:
        FieldError: if a parameter is out of range.
    """

    # What it adds to PacedRoute matters where queries have features; worlds to tune on have none.
    search_space: ClassVar[SearchSpace] = {}

    def __init__(
        self,
        context: AgentContext,
        *,
        seed: int = 0,
        evidence: float = 2.5,
        feature_width: float = 2.0,
        set_width: float = 1.0,
    ) -> None:
        super().__init__(context, seed=seed)
        self.evidence = number("evidence", evidence, 0, above=True)
        self.feature_width = number("feature_width", feature_width, 0)
        self.set_width = number("set_width", set_width, 0)
        self.first = context.num_tasks
        self.size = context.num_features - self.first
        self.shared = not self.continuous
        self.query_caps = np.ones(self.num_models) if self.shared else self.throughput

    def initial_state(self, rows: int) -> State:
        """With the regressions, how they have fared, and a sample of the last queries."""
        state = super().initial_state(rows)
        n, size = self.num_models, self.size
        if size == 0:
            return state
        return state | {
            "contexts": self.diary.blank(rows, size),
            "products": np.zeros((rows, n, size + 1, size + 1)),
            "sums": np.zeros((rows, n, 2, size + 1)),
            "trials": np.zeros((rows, 2, NUM_TRIED)),
            "spread": np.full((rows, 2, 2), FIRST_RATIO / size),
            "common": np.zeros((rows, 2, size)),
            "own": np.zeros((rows, 2, n, size)),
            "centre": np.zeros((rows, size)),
            "unsure": np.zeros((rows, n)),
            "normal": np.ones((rows, n)),
            "fit_next": np.full(rows, _FIT_AFTER),
            "sample": np.zeros((rows, _SAMPLE, size)),
            "sample_task": np.zeros((rows, _SAMPLE), np.int64),
            "effects": np.zeros((rows, _SAMPLE, n, 2)),
            "met": np.zeros((rows, 2 * size + 1)),
            "prices": np.zeros((rows, 3)),
            "price_next": np.zeros(rows, np.int64),
            "rents": np.zeros((rows, n)),
        }

    def learn(self, batch: Batch, state: State, outcomes: Outcomes) -> None:
        """Try and update the regressions, pass on what they leave, and note the next query."""
        if self.size == 0:
            super().learn(batch, state, outcomes)
            return
        super().learn(batch, state, self._less_features(state, outcomes))
        believed, sample = self._believed(state), _sample(state)
        due = np.flatnonzero(state["trials"][:, SCORE, NUMBER] >= state["fit_next"])
        if due.size:
            self._fit(state, due)
            refresh_rows(due, sample, believed)
        routed = np.flatnonzero(batch["phase"][:, 0] > 0)
        query = batch["query"]
        self.diary.note(state["contexts"], state["queries"], routed, query[routed, self.first :])
        note_rows(routed, query, self.first, state["task"], sample, believed)

    def plan(self, batch: Batch, state: State, rows: Integers) -> Flags:
        """PacedRoute's set, or the one that would have served the last queries best."""
        if self.size == 0:
            return super().plan(batch, state, rows)
        state["price_next"][rows] = 0
        pays = pays_rows(state["trials"][rows])
        chosen = np.zeros((len(rows), self.num_models), np.bool_)
        blind = np.flatnonzero(~pays)
        if blind.size:
            chosen[blind] = super().plan(rows_of(batch, blind), state, rows[blind])
        told = np.flatnonzero(pays)
        if told.size:
            offers = rows_of(batch, told)
            state["budget_kept"][rows[told]] = np.nan
            _, budget = self._budget(offers, state, rows[told])
            chosen[told] = choose_rows(
                rows[told],
                _sample(state),
                self._believed(state),
                self._terms(self.set_width, self.throughput),
                np.maximum(budget, _LEAST_BUDGET * self.problem.budget),
                offers["available"],
                self.problem.max_deployed,
                _CHOSEN_BY,
            )
        return chosen

    def route(self, batch: Batch, state: State, rows: Integers) -> Floats:
        """PacedRoute's shares, or those that the query's features call for."""
        if self.size == 0:
            return super().route(batch, state, rows)
        pays = pays_rows(state["trials"][rows])
        shares = np.empty((len(rows), self.num_models))
        blind = np.flatnonzero(~pays)
        if blind.size:
            shares[blind] = super().route(rows_of(batch, blind), state, rows[blind])
        told = np.flatnonzero(pays)
        if told.size:
            shares[told] = self._route_by_features(rows_of(batch, told), state, rows[told])
        return shares

    def _route_by_features(self, batch: Batch, state: State, rows: Integers) -> Floats:
        sample, believed = _sample(state), self._believed(state)
        due = np.flatnonzero(state["queries"][rows] >= state["price_next"][rows])
        if due.size:
            budget = self._budget(rows_of(batch, due), state, rows[due])[1]
            price_rows(
                rows[due],
                sample,
                believed,
                self._terms(_MEAN_WIDTH, self.throughput),
                np.maximum(budget, _LEAST_BUDGET * self.problem.budget),
                batch["deployed"][due],
                state["prices"],
                state["rents"],
            )
            state["price_next"][rows[due]] = state["queries"][rows[due]] + _PRICED_EVERY
        usable = batch["action_mask"][:, :-1] if self.shared else batch["deployed"]
        return route_rows(
            rows,
            sample,
            believed,
            self._terms(_MEAN_WIDTH, self.query_caps),
            usable > 0,
            state["prices"],
            state["rents"],
        )

    def _terms(self, mean_width: float, throughput: Floats) -> Terms:
        """What queries are judged by."""
        widths = (mean_width, self.feature_width)
        return Terms(widths, self.cost_bounds[0], throughput, self.shared)

    def _less_features(self, state: State, outcomes: Outcomes) -> Outcomes:
        """Try the regressions on outcomes and book these; the outcomes less what features tell."""
        rows, models = outcomes.served
        if not rows.size:
            return outcomes
        query = self.diary.recall(state["contexts"], outcomes.query, rows)
        tasks = np.zeros(len(rows), np.int64)
        if self.num_tasks > 1:
            noted = self.diary.recall(state["tasks"], outcomes.query, rows)
            tasks = noted[:, 0].astype(np.int64)
        cost = np.maximum(outcomes.cost[rows], _LEAST_COST * self.cost_bounds[1])
        expected = np.maximum(state["cost"][rows, tasks, models], _LEAST_COST * self.cost_bounds[1])
        residual = np.stack(
            [
                outcomes.score[rows] - state["score"][rows, tasks, models],
                np.log(cost / expected),
            ],
            axis=1,
        )
        learn_rows(
            rows,
            models,
            query,
            residual,
            state["products"],
            state["sums"],
            state["common"],
            state["own"],
            state["trials"],
            self.evidence,
        )
        offset = query - state["centre"][rows]
        weight = weights_rows(state["trials"][rows])
        told = state["common"][rows] + state["own"][rows, :, models]
        effect = weight * np.einsum("rkf,rf->rk", told, offset)
        score, spent = outcomes.score.copy(), outcomes.cost.copy()
        score[rows] -= effect[:, SCORE]
        spent[rows] *= state["normal"][rows, models] * np.exp(-effect[:, LOG_COST])
        return outcomes._replace(score=score, cost=spent)

    def _fit(self, state: State, rows: Integers) -> None:
        fit_rows(
            rows,
            state["products"],
            state["sums"],
            state["met"],
            state["trials"],
            state["spread"],
            state["common"],
            state["own"],
            state["centre"],
            state["unsure"],
        )
        number = state["trials"][rows, SCORE, NUMBER]
        state["fit_next"][rows] = np.maximum(number + _FIT_AFTER, number * _FIT_GROWTH)

    def _believed(self, state: State) -> Believed:
        return Believed(*(state[name] for name in Believed._fields))


def _sample(state: State) -> Sample:
    return Sample(state["sample"], state["sample_task"], state["effects"], state["met"])
