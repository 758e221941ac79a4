"""PacedRoute: this project's own agent, StageRoute with each of its weak points mended."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from stageroute_agents.base import Batch, State
from stageroute_agents.linear_program import value_at_price
from stageroute_agents.memory import Diary, Learner, Outcomes
from stageroute_agents.paced.estimates import estimate_rows
from stageroute_agents.paced.evidence import NUM_SUMS, NUM_WATCHED, learn_rows
from stageroute_agents.paced.sets import best_mixtures, shared_mixtures
from stageroute_agents.paced.task_route import route_tasks_rows
from stageroute_agents.paced.worth import improve_sets
from stageroute_agents.parameters import fraction, not_negative, positive
from stageroute_agents.ranking import ranking
from stageroute_gym.errors import FieldError
from stageroute_gym.optimize.slots import fill_slots_rows

Floats = NDArray[np.float64]

_SAMPLES = 32
# Queries with more features than this are not told apart by task.
_MOST_TASKS = 64
_TASK_MEMORY = 2_000.0
# The last outcomes, and the evidence in nats that they differ from all of a model's.
_LATE_OUTCOMES = 30.0
_EVIDENCE = 8.0


class PacedRoute(Learner):
    """DeployOPT and RouteOPT on estimates that fit the data, with the budget paced.

    Seven things differ from StageRoute. Each mends a loss that was measured and has a switch, and
    ``examples/ablation.py`` prints what each is worth:

    * ``pace``: a query may cost what is left of the budget over the queries left, instead of ``b``.
      Costs are estimated, not bounded from below: optimism about them overspends a tight budget.
    * ``use_prices``: list prices are the prior of the costs, and a regression on them the prior of
      the scores. Scores get upper bounds ``m + width s`` with the deviation ``s`` of a posterior
      mean; StageRoute's radius shrinks with the mean, so that it drops a model after a bad start.
    * ``foresee``: sets are exchanged for those that are worth most once their models are known
      (`stageroute_agents.paced.worth`), instead of those with the best bounds.
    * ``share_stages``: dear and cheap stages in turn (`stageroute_agents.paced.sets`).
    * ``forget``: what is known of a model that changes shrinks to its last outcomes
      (`stageroute_agents.paced.evidence`).
    * ``count_pending``: queries whose outcome is late count as spent and as tried.
    * ``per_task``: where a query has several features the largest names its task; tasks have
      estimates of their own (`stageroute_agents.paced.estimates`) and share one budget in one
      linear programme (`stageroute_agents.paced.task_route`).

    Args:
        env: the environment it is for.
        seed: seed of the agent's own random numbers.
        width: width of the score bound that RouteOPT and spare slots go by, in deviations.
        deploy_width: the same for DeployOPT.
        dispersion: spread of the samples of ``foresee``, in deviations.
        score_prior: weight of the prior on a model's score, in observations, above 0.
        prior_mean: prior mean of a score, in (0, 1).
        price_slope: prior of the rise in score for a list price ``e`` times as high.
        slope_prior: weight of that prior, in squared logarithms of a price, above 0.
        cost_prior: weight of the prior on a model's cost, in observations, above 0.
        cell_prior: weight of model and task against their combination, in observations, above 0.
        pace, use_prices, foresee, share_stages, forget, count_pending, per_task: see above.

    Raises:
        FieldError: if a parameter is out of range.
    """

    def __init__(
        self,
        env: Any,
        *,
        seed: int = 0,
        width: float = 1.5,
        deploy_width: float = 0.25,
        dispersion: float = 1.5,
        score_prior: float = 5.0,
        prior_mean: float = 0.65,
        price_slope: float = 0.1,
        slope_prior: float = 8.0,
        cost_prior: float = 3.0,
        cell_prior: float = 20.0,
        pace: bool = True,
        use_prices: bool = True,
        foresee: bool = True,
        share_stages: bool = True,
        forget: bool = True,
        count_pending: bool = True,
        per_task: bool = True,
    ) -> None:
        super().__init__(env, seed=seed)
        self.width = not_negative("width", width)
        self.deploy_width = not_negative("deploy_width", deploy_width)
        self.dispersion = not_negative("dispersion", dispersion)
        if fraction("prior_mean", prior_mean) == 0.0:
            raise FieldError("prior_mean", prior_mean, "a number above 0 and below 1")
        self.prior = (
            positive("score_prior", score_prior),
            float(prior_mean),
            not_negative("price_slope", price_slope),
            positive("slope_prior", slope_prior),
            positive("cost_prior", cost_prior),
            positive("cell_prior", cell_prior),
        )
        self.pace = pace
        self.use_prices = use_prices
        self.foresee = foresee
        # Stages can only share what is paced.
        self.share_stages = share_stages and pace
        self.count_pending = count_pending and self.problem.feedback_delay > 0
        self.threshold = _EVIDENCE if forget else math.inf
        features = self.world.table.features.shape[1]
        self.num_tasks = features if per_task and 1 < features <= _MOST_TASKS else 1
        self.stage_ends: NDArray[np.int64] = self.problem.stage_bounds[1:]
        self.diary = Diary(self.problem.feedback_delay)
        # Latin hypercube: each model has the same quantiles, in an order of its own.
        levels = np.tile((np.arange(_SAMPLES) + 0.5) / _SAMPLES, (self.num_models, 1))
        self.samples: Floats = ndtri(self.rng.permuted(levels, axis=1)).T.copy()

    def initial_state(self, rows: int) -> State:
        """With the evidence, what follows from it, and the decisions that stand.

        ``budget_kept`` is what the stage leaves for those after it, in USD; NaN where each query
        left may spend the same.
        """
        tasks, models = self.num_tasks, self.num_models
        state = {
            **super().initial_state(rows),
            "cells": np.zeros((rows, tasks, models, NUM_SUMS)),
            "watches": np.zeros((rows, models, 2, NUM_WATCHED)),
            "task": np.zeros(rows, np.int64),
            "task_counts": np.full((rows, tasks), 1e-9),
            "score": np.zeros((rows, tasks, models)),
            "deviation": np.zeros((rows, tasks, models)),
            "cost": np.zeros((rows, tasks, models)),
            "pending": np.zeros((rows, models)),
            "set": np.zeros((rows, models), np.bool_),
            "budget_kept": np.full(rows, np.nan),
            "routing": np.zeros((rows, models)),
        }
        if tasks > 1:
            state["tasks"] = self.diary.blank(rows, 1)
        if self.count_pending:
            state["routed"] = self.diary.blank(rows, models)
        return state

    def learn(self, batch: Batch, state: State, outcomes: Outcomes) -> None:
        """Book the outcomes, estimate anew, and decide what is to be decided."""
        routing = batch["phase"][:, 0] > 0
        routed = np.flatnonzero(routing)
        self._book(state, outcomes)
        if self.num_tasks > 1:
            self._note_tasks(batch, state, routed)
        self.estimate(batch, state)
        opening = np.flatnonzero(~routing & ~batch["deployed"].any(axis=1))
        if opening.size:
            self._deploy(batch, state, opening)
        if routed.size:
            self._route(batch, state, routed)

    def estimate(self, batch: Batch, state: State) -> None:
        """Write what each model is taken to score and cost on each task, with the deviation.

        Args:
            batch: observations of ``E`` episodes.
            state: what is remembered of them; ``score``, ``deviation`` and ``cost`` are written,
                shapes (E, G, N), float64.
        """
        prices = batch["list_price"].astype(np.float64)
        estimate_rows(
            state["cells"],
            _shares_of_tasks(state["task_counts"]),
            state["pending"],
            prices if self.use_prices else np.zeros_like(prices),
            self.prior,
            self.cost_bounds[0],
            state["score"],
            state["deviation"],
            state["cost"],
        )

    def stages(self, queries: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number of the stage that the next query belongs to; the last one's after the end."""
        stage = np.searchsorted(self.stage_ends, queries, side="right")
        return np.minimum(stage, len(self.stage_ends) - 1)

    def plan(self, batch: Batch) -> NDArray[np.bool_]:
        """The set chosen as the stage opened."""
        return batch["set"]

    def shares(self, batch: Batch) -> Floats:
        """The shares for the query at hand."""
        return batch["routing"]

    def _book(self, state: State, outcomes: Outcomes) -> None:
        rows, models = outcomes.served
        tasks = np.zeros(len(rows), np.int64)
        if self.num_tasks > 1:
            noted = self.diary.recall(state["tasks"], state["queries"], rows)
            tasks = noted[:, 0].astype(np.int64)
        learn_rows(
            state["cells"],
            state["watches"],
            rows,
            tasks,
            models,
            outcomes.score[rows],
            outcomes.cost[rows],
            state["score"][rows, tasks, models],
            state["cost"][rows, tasks, models],
            _LATE_OUTCOMES,
            self.threshold,
        )
        if self.count_pending:
            due = np.flatnonzero(outcomes.due)
            known = self.diary.recall(state["routed"], state["queries"], due)
            state["pending"][due] = np.maximum(state["pending"][due] - known, 0.0)

    def _note_tasks(self, batch: Batch, state: State, routed: NDArray[np.int64]) -> None:
        task = batch["query"][routed].argmax(axis=1)
        state["task"][routed] = task
        self.diary.note(state["tasks"], state["queries"], routed, task[:, None].astype(np.float64))
        # Shares of the tasks drift; a fixed window would need all of it remembered.
        state["task_counts"][routed] *= 1.0 - 1.0 / _TASK_MEMORY
        state["task_counts"][routed, task] += 1.0

    def _deploy(self, batch: Batch, state: State, rows: NDArray[np.int64]) -> None:
        score, deviation, cost = (
            self._over_tasks(state, name, rows) for name in ("score", "deviation", "cost")
        )
        caps = self.throughput * (batch["available"][rows] > 0)
        slots = self.problem.max_deployed
        left, budget = self._budget(batch, state, rows)
        bound = np.minimum(score + self.deploy_width * deviation, 1.0)
        if self.share_stages:
            stage = self.stages(state["queries"][rows])
            stages_left = len(self.stage_ends) - stage
            mixtures, uneven = shared_mixtures(bound, cost, budget, caps, slots, stages_left)
            length = self.stage_ends[stage] - state["queries"][rows]
            kept = np.maximum(left - mixtures.cost * length, 0.0)
            state["budget_kept"][rows] = np.where(uneven, kept, np.nan)
            budget = np.where(uneven, mixtures.cost, budget)
        else:
            mixtures = best_mixtures(bound, cost, budget, caps, slots)
        chosen = mixtures.weights > 0
        bound = np.minimum(score + self.width * deviation, 1.0)
        pulls = batch["pulls"][rows]
        fill_slots_rows(
            bound, cost, caps > 0, pulls.astype(np.int64), mixtures.price, slots, chosen
        )
        if self.foresee:
            order = ranking(value_at_price(bound, cost, mixtures.price), caps, pulls)
            improve_sets(
                state["score"][rows],
                self.dispersion * state["deviation"][rows],
                state["cost"][rows],
                _shares_of_tasks(state["task_counts"][rows]),
                budget,
                caps,
                self.samples,
                order,
                chosen,
            )
        state["set"][rows] = chosen

    def _route(self, batch: Batch, state: State, rows: NDArray[np.int64]) -> None:
        _, budget = self._budget(batch, state, rows)
        bound = np.minimum(state["score"][rows] + self.width * state["deviation"][rows], 1.0)
        shares = np.empty((len(rows), self.num_models))
        route_tasks_rows(
            bound,
            state["cost"][rows],
            _shares_of_tasks(state["task_counts"][rows]),
            budget,
            self.throughput * (batch["deployed"][rows] > 0),
            state["task"][rows],
            shares,
        )
        state["routing"][rows] = shares
        if self.count_pending:
            self.diary.note(state["routed"], state["queries"], rows, shares)
            state["pending"][rows] += shares

    def _budget(self, batch: Batch, state: State, rows: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """What is left of the budget, USD, and what a query may cost from now on, USD a query."""
        problem, queries = self.problem, state["queries"][rows]
        left = problem.total_budget * batch["budget_left"][rows, 0].astype(np.float64)
        if self.count_pending:
            left -= (state["pending"][rows] * self._over_tasks(state, "cost", rows)).sum(axis=1)
        left = np.maximum(left, 0.0)
        if not self.pace:
            return left, np.full(len(rows), problem.budget)
        paced = left / np.maximum(problem.horizon - queries, 1)
        # On a deploy step the stage before is over, and what it kept is free.
        kept = np.where(batch["phase"][rows, 0] > 0, state["budget_kept"][rows], np.nan)
        end = self.stage_ends[self.stages(queries)]
        of_stage = np.maximum(left - kept, 0.0) / np.maximum(end - queries, 1)
        return left, np.where(np.isnan(kept), paced, of_stage)

    def _over_tasks(self, state: State, name: str, rows: NDArray[np.int64]) -> Floats:
        """The mean over the tasks as they come, shape (R, N), float64."""
        if self.num_tasks == 1:
            return state[name][rows, 0]
        weight = _shares_of_tasks(state["task_counts"][rows])
        return np.einsum("eg,egn->en", weight, state[name][rows])


def _shares_of_tasks(counts: Floats) -> Floats:
    """Share of each task in the queries, shape (E, G), float64, from discounted counts."""
    return counts / counts.sum(axis=1, keepdims=True)
