"""The relative observation: each model beside what a query may cost from now on.

Nothing in it has a scale of its own (no USD, no number of models), so that what is learned in one
scenario means the same in another one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from stageroute_gym.array_types import Singles
from stageroute_gym.context import AgentContext
from stageroute_gym.wrappers.normalization import check_positive

# A row starts with one block of N entries for each of these.
MODEL_FEATURES = (
    "available",
    "deployed",
    "previous",
    "allowed",
    "tried",
    "listed",
    "mean_cost",
    "list_price",
    "cost_estimate",
    "score_estimate",
    "score_error",
    "uncertainty",
    "pulls",
    "pulls_share",
    "throughput",
    "tokens",
)
# Then come these.
CONTEXT_FEATURES = (
    "phase",
    "pass_allowed",
    "progress",
    "stage_progress",
    "budget_left",
    "pace",
    "queries_left",
    "stages_left",
    "slots",
    "offered_throughput",
)
# Logarithms are divided by this and clipped: ratios of up to e^8, about 3,000, either way.
_LOG_SCALE = 8.0
# Pseudo-observations of the estimates: a score of 1/2, and a cost as listed, or of the mean query.
_PRIOR_PULLS = 2.0


@dataclass(frozen=True)
class RelativeFeatures:
    """From a `Dict` observation to a row of relative features in [-1, 1]; for one, or a batch.

    * The *pace* is what is left of the budget over the queries left. Costs are logarithms of the
      cost over the pace, 0 where unknown (``tried`` and ``listed`` tell); so is the pace itself,
      over ``b``.
    * ``cost_estimate`` and ``score_estimate`` are means with two pseudo-observations: the list
      price, or the mean cost of all queries so far; a score of 1/2. ``score_error`` is the largest
      standard error of such a score, ``uncertainty`` is ``1 / sqrt(pulls + 1)``.
    * ``pulls``, ``queries_left`` and ``stages_left`` are logarithms of the counts.
    * ``slots`` is ``M_max`` over the models on offer, ``offered_throughput`` the share of the
      queries that the candidates (on offer, or deployed in the route phase) can take, at most 2.

    Args:
        num_models: number of models ``N``.
        horizon: queries ``T`` in an episode.
        num_stages: stages ``K``.
        max_deployed: slots ``M_max``.
        budget: USD a query, ``b``.
        burst: tokens that a bucket holds.

    Raises:
        FieldError: if a number is not positive.
    """

    num_models: int
    horizon: int
    num_stages: int
    max_deployed: int
    budget: float
    burst: float

    def __post_init__(self) -> None:
        check_positive(self, *(field.name for field in dataclasses.fields(self)))

    @classmethod
    def of(cls, env: Any) -> Self:
        """The transformation for an environment or a context; see `AgentContext.of`."""
        context = AgentContext.of(env)
        problem = context.problem
        return cls(
            num_models=context.num_models,
            horizon=problem.horizon,
            num_stages=len(problem.stage_lengths),
            max_deployed=problem.max_deployed,
            budget=problem.budget,
            burst=problem.burst,
        )

    @property
    def space(self) -> spaces.Box:
        """The space of rows, shape (D,), float32."""
        return row_space(self.num_models)

    def __call__(self, observation: Mapping[str, NDArray[Any]]) -> Singles:
        """Rows, shape (..., D), float32, of an observation or a batch of them."""
        mask, phase = observation["action_mask"], observation["phase"]
        pulls = observation["pulls"].astype(np.float64)
        progress = observation["progress"].astype(np.float64)
        over = np.rint(progress[..., :1] * self.horizon)
        # At the very end nothing is left to be paced; one query avoids 0 / 0.
        left = np.maximum(self.horizon - over, 1.0)
        budget_left = observation["budget_left"].astype(np.float64)
        pace = np.maximum(budget_left, 1e-6) * self.horizon / left
        scale = pace * self.budget

        tried, price = pulls > 0, observation["list_price"].astype(np.float64)
        listed = price > 0
        spent = pulls * observation["mean_cost"]
        total = np.maximum(pulls.sum(axis=-1, keepdims=True), 1.0)
        # Before the first query of all, an unlisted model is taken to cost the pace.
        of_all = np.where(tried.any(axis=-1, keepdims=True), spent.sum(-1, keepdims=True), scale)
        guess = np.where(listed, price, of_all / total)
        cost = (spent + _PRIOR_PULLS * guess) / (pulls + _PRIOR_PULLS)
        score = (pulls * observation["mean_score"] + 0.5 * _PRIOR_PULLS) / (pulls + _PRIOR_PULLS)

        throughput = observation["throughput"]
        available = observation["available"]
        candidates = np.where(phase > 0, observation["deployed"], available)
        offered = np.maximum(available.sum(axis=-1, keepdims=True), 1.0)
        stages_left = np.maximum(self.num_stages * (1.0 - progress[..., :1]), 0.0)
        row = np.concatenate(
            [
                available,
                observation["deployed"],
                observation["previous"],
                mask[..., :-1],
                tried,
                listed,
                np.where(tried, _log_ratio(observation["mean_cost"], scale), 0.0),
                np.where(listed, _log_ratio(price, scale), 0.0),
                _log_ratio(cost, scale),
                2.0 * score - 1.0,
                np.sqrt(score * (1.0 - score) / (pulls + _PRIOR_PULLS)),
                1.0 / np.sqrt(pulls + 1.0),
                np.log1p(pulls) / _LOG_SCALE - 1.0,
                pulls / total,
                2.0 * throughput - 1.0,
                2.0 * observation["tokens"] / self.burst - 1.0,
                2.0 * phase - 1.0,
                mask[..., -1:],
                2.0 * progress - 1.0,
                budget_left,
                np.log(pace) / _LOG_SCALE,
                np.log(left) / _LOG_SCALE - 1.0,
                np.log1p(stages_left) / _LOG_SCALE,
                np.minimum(self.max_deployed / offered, 1.0),
                np.minimum((throughput * candidates).sum(-1, keepdims=True), 2.0) - 1.0,
            ],
            axis=-1,
            dtype=np.float32,
            casting="unsafe",
        )
        return np.clip(row, -1.0, 1.0, out=row)

    def pulls(self, rows: Singles) -> NDArray[np.float64]:
        """Pulls of each model that rows tell of, shape (..., N); exact up to e^16."""
        start = MODEL_FEATURES.index("pulls") * self.num_models
        logs = rows[..., start : start + self.num_models].astype(np.float64)
        return np.rint(np.expm1((logs + 1.0) * _LOG_SCALE))


def row_space(num_models: int) -> spaces.Box:
    """The space of rows for ``N`` models, shape (D,), float32."""
    size = len(MODEL_FEATURES) * num_models + len(CONTEXT_FEATURES)
    return spaces.Box(-1.0, 1.0, (size,), np.float32)


def _log_ratio(cost: NDArray[Any], scale: NDArray[np.float64]) -> NDArray[np.float64]:
    # A model for nothing is as cheap as the scale can tell.
    return np.log(np.maximum(cost, np.finfo(np.float32).tiny) / scale) / _LOG_SCALE
