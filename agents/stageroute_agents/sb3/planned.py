"""The relative observation beside a plan: what RouteOPT would do if the estimates were the truth.

Without it a network has to learn linear programmes, which depend on ratios of scores and costs over
many decades; with it, only where to depart from a plan. Scores count in terms of the best mean
score so far, so that nothing has a scale of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from stageroute_gym.array_types import Flags, Floats, Singles
from stageroute_gym.optimize.route import route_rows
from stageroute_gym.wrappers import RelativeFeatures
from stageroute_gym.wrappers.relative import CONTEXT_FEATURES, MODEL_FEATURES
from stageroute_gym.wrappers.shares import logit_space, softmax_weights

# A row starts with one block of N entries for each of these.
PLANNED_MODEL_FEATURES = (
    *MODEL_FEATURES,
    "relative_score",
    "relative_error",
    "log_score",
    "alone",
    "plan_share",
    "plan_worth",
    "hopeful_share",
    "hopeful_worth",
)
# Then come these.
PLANNED_CONTEXT_FEATURES = (*CONTEXT_FEATURES, "score_scale", "plan_served", "hopeful_served")
_COST = MODEL_FEATURES.index("cost_estimate")
_THROUGHPUT = MODEL_FEATURES.index("throughput")
_DEPLOYED, _AVAILABLE = MODEL_FEATURES.index("deployed"), MODEL_FEATURES.index("available")
_PRIOR_PULLS = 2.0
_LOG_SCALE = 8.0
# A share below this part of the largest is none, so that queries can be declined: what the models
# that are wanted cannot take goes to no other.
LEAST_WEIGHT = np.float32(2e-3)


@dataclass(frozen=True)
class PlannedFeatures(RelativeFeatures):
    """As `RelativeFeatures`, with further entries in [-1, 1].

    * ``relative_score``, ``relative_error`` and ``log_score``: a score with two pseudo-observations
      of 1/2, its standard error and its logarithm, all in terms of the best mean score so far,
      whose logarithm is ``score_scale``.
    * ``alone``: what a query earns if no other model serves any, within throughput and pace.
    * ``plan_share`` and ``plan_worth``: share of the model, and score less cost at the budget's
      price, where the estimates are taken for the truth and queries may be declined;
      ``plan_served`` is what is not. ``hopeful_...``: the same with scores a standard error higher.
      In a deploy phase as if there were slots for all.
    """

    @property
    def space(self) -> spaces.Box:
        """The space of rows, shape (D,), float32."""
        return planned_space(self.num_models)

    def __call__(self, observation: Mapping[str, NDArray[Any]]) -> Singles:
        """Rows, shape (..., D), float32, of an observation or a batch of them."""
        plain = super().__call__(observation)
        leading, n = plain.shape[:-1], self.num_models
        blocks = plain[..., : len(MODEL_FEATURES) * n].reshape(-1, len(MODEL_FEATURES), n)
        context = plain[..., len(MODEL_FEATURES) * n :].reshape(len(blocks), -1)
        pulls = observation["pulls"].reshape(-1, n).astype(np.float64)
        mean = observation["mean_score"].reshape(-1, n).astype(np.float64)
        best = np.where(pulls > 0, mean, 0.0).max(axis=1, keepdims=True)
        scale = np.where(best > 0.0, best, 1.0)
        score = (pulls * (mean / scale) + 0.5 * _PRIOR_PULLS) / (pulls + _PRIOR_PULLS)
        error = np.sqrt(np.maximum(score * (1.0 - score), 0.0) / (pulls + _PRIOR_PULLS))
        routing = context[:, :1] > 0
        candidates = np.where(routing, blocks[:, _DEPLOYED], blocks[:, _AVAILABLE]) > 0
        # In terms of the pace.
        cost = np.exp(_LOG_SCALE * blocks[:, _COST].astype(np.float64))
        caps = candidates * (0.5 + 0.5 * blocks[:, _THROUGHPUT].astype(np.float64))
        share, worth = _planned(score, cost, caps)
        hopeful_share, hopeful_worth = _planned(score + error, cost, caps)
        extra = np.stack(
            [
                2.0 * score - 1.0,
                error,
                np.log(np.maximum(score, 1e-4)) / _LOG_SCALE,
                score * np.minimum(caps, 1.0 / cost),
                share,
                worth,
                hopeful_share,
                hopeful_worth,
            ],
            axis=1,
        )
        served = [2.0 * part.sum(axis=1, keepdims=True) - 1.0 for part in (share, hopeful_share)]
        parts = [
            plain.reshape(len(blocks), -1)[:, : len(MODEL_FEATURES) * n],
            extra.reshape(len(blocks), -1),
            context,
            np.log(scale) / _LOG_SCALE,
            *served,
        ]
        row = np.concatenate(parts, axis=1, dtype=np.float32, casting="unsafe")
        return np.clip(row, -1.0, 1.0, out=row).reshape(*leading, -1)


class VectorPlanned(VectorWrapper):
    """A vector environment in planned rows and, with continuous actions, logits of the shares.

    Args:
        env: a vector environment with the `Dict` observation.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any]) -> None:
        super().__init__(env)
        self.normalization = PlannedFeatures.of(env)
        self._continuous = isinstance(env.single_action_space, spaces.Box)
        self._routing: Flags = np.zeros(env.num_envs, np.bool_)
        self.single_observation_space = self.normalization.space
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        if self._continuous:
            self.single_action_space = logit_space(self.normalization.num_models)
            self.action_space = batch_space(self.single_action_space, self.num_envs)

    def reset(self, *, seed: Any = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        """Start new episodes."""
        observation, info = self.env.reset(seed=seed, options=options)
        return self._rows(observation), info

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Play logits, shape (E, N), by `planned_weights`, or discrete actions as they are."""
        played = planned_weights(actions, self._routing) if self._continuous else actions
        observation, rewards, terminated, truncated, info = self.env.step(played)
        return self._rows(observation), rewards, terminated, truncated, info

    def _rows(self, observation: Any) -> Singles:
        self._routing = observation["phase"][:, 0] > 0
        return self.normalization(observation)


def planned_space(num_models: int) -> spaces.Box:
    """The space of planned rows for ``N`` models, shape (D,), float32."""
    size = len(PLANNED_MODEL_FEATURES) * num_models + len(PLANNED_CONTEXT_FEATURES)
    return spaces.Box(-1.0, 1.0, (size,), np.float32)


def planned_weights(logits: NDArray[Any], routing: Flags) -> Singles:
    """Weights in proportion to the softmax; in the route phase without very small ones.

    Args:
        logits: shape (R, N), float.
        routing: which are of the route phase, shape (R,), bool.
    """
    weights = softmax_weights(logits)
    weights[(weights < LEAST_WEIGHT) & routing[:, None]] = 0.0
    return weights


def declining_shares(
    score: Floats, cost: Floats, budget: Floats, caps: Floats
) -> tuple[Floats, Floats]:
    """RouteOPT where queries may be declined, which scores and costs nothing.

    Args:
        score: shape (R, N), float64.
        cost: in any unit, shape (R, N), float64.
        budget: in that unit, shape (R,), float64.
        caps: throughput, 0 for models that cannot be used, shape (R, N), float64.

    Returns:
        Shares, shape (R, N), and price of the budget in score per unit, shape (R,), float64.
    """
    nothing = np.zeros((len(score), 1))
    shares, _, price, _ = route_rows(
        np.concatenate([score, nothing], axis=1),
        np.concatenate([cost, nothing], axis=1),
        budget,
        np.concatenate([caps, nothing + 1.0], axis=1),
    )
    return shares[:, :-1], price


def _planned(score: Floats, cost: Floats, caps: Floats) -> tuple[Floats, Floats]:
    share, price = declining_shares(score, cost, np.ones(len(score)), caps)
    return share, score - price[:, None] * cost
