"""The flat normalised observation: the one definition that environments and agents share."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from stageroute_gym.array_types import Singles
from stageroute_gym.errors import FieldError

# A flat row starts with one block of N entries for each of these.
MODEL_FEATURES = (
    "available",
    "deployed",
    "previous",
    "allowed",
    "pulls",
    "mean_score",
    "mean_cost",
    "list_price",
    "throughput",
    "tokens",
    "served_last",
)
# Then come these, and last the features of the query.
CONTEXT_FEATURES = (
    "phase",
    "pass_allowed",
    "progress",
    "stage_progress",
    "budget_left",
    "pace",
    "last_score",
    "last_cost",
)


@dataclass(frozen=True)
class Normalization:
    """From a `Dict` observation to a flat row in [-1, 1]; for one, or a batch on leading axes.

    * Flags stay 0 and 1; scores and shares in [0, 1] become ``2 x - 1``.
    * Counts become ``2 log(1 + n) / log(1 + T) - 1``.
    * Costs are taken over the budget ``b`` a query and become ``(x - 1) / (x + 1)``: -1 for free
      or unknown, 0 at the budget, 1 for infinitely expensive.
    * ``pace`` is the budget left over the queries left, treated as a cost: above 0 there is more
      than ``b`` for each of them.
    * Query features are scaled from their bounds.

    Args:
        num_models: number of models ``N``.
        horizon: queries ``T`` in an episode.
        budget: USD a query, ``b``.
        burst: tokens that a bucket holds.
        query_low: smallest value of each query feature.
        query_high: largest value of each query feature.

    Raises:
        FieldError: if a number is not positive, or the bounds differ in length or order.
    """

    num_models: int
    horizon: int
    budget: float
    burst: float
    query_low: tuple[float, ...]
    query_high: tuple[float, ...]

    def __post_init__(self) -> None:
        check_positive(self, "num_models", "horizon", "budget", "burst")
        bounds = (tuple(self.query_low), tuple(self.query_high))
        if len(bounds[0]) != len(bounds[1]) or any(
            not low <= high for low, high in zip(*bounds, strict=False)
        ):
            raise FieldError("query_high", self.query_high, "one bound for each of query_low")
        object.__setattr__(self, "query_low", bounds[0])
        object.__setattr__(self, "query_high", bounds[1])

    @classmethod
    def of(cls, env: Any) -> Self:
        """The transformation for an environment, single or vector, wrapped or not."""
        unwrapped = env.unwrapped
        features = unwrapped.world.table.features
        return cls(
            num_models=unwrapped.world.num_models,
            horizon=unwrapped.problem.horizon,
            budget=unwrapped.problem.budget,
            burst=unwrapped.problem.burst,
            query_low=tuple(features.min(axis=0).tolist()),
            query_high=tuple(features.max(axis=0).tolist()),
        )

    @property
    def context_start(self) -> int:
        """Where the context begins in a flat row: behind the blocks of the models."""
        return len(MODEL_FEATURES) * self.num_models

    @property
    def size(self) -> int:
        """Length of a flat row."""
        return self.context_start + len(CONTEXT_FEATURES) + len(self.query_low)

    @property
    def space(self) -> spaces.Box:
        """The space of flat rows, shape (size,), float32."""
        return spaces.Box(-1.0, 1.0, (self.size,), np.float32)

    def __call__(self, observation: Mapping[str, NDArray[Any]]) -> Singles:
        """Flat rows, shape (..., size), float32, of an observation or a batch of them."""
        mask = observation["action_mask"]
        models = np.arange(self.num_models)
        left = 1.0 - observation["progress"][..., :1].astype(np.float64)
        budget_left = observation["budget_left"]
        # At the very end nothing is left to be paced; the floor of one query avoids 0 / 0.
        pace = np.maximum(budget_left, 0.0) / np.maximum(left, 1.0 / self.horizon)
        low, high = np.array(self.query_low), np.array(self.query_high)
        query = 2.0 * (observation["query"] - low) / np.where(high > low, high - low, 1.0) - 1.0
        row = np.concatenate(
            [
                observation["available"],
                observation["deployed"],
                observation["previous"],
                mask[..., :-1],
                2.0 * np.log1p(observation["pulls"]) / math.log1p(self.horizon) - 1.0,
                2.0 * observation["mean_score"] - 1.0,
                _over_one(observation["mean_cost"] / self.budget),
                _over_one(observation["list_price"] / self.budget),
                2.0 * observation["throughput"] - 1.0,
                2.0 * observation["tokens"] / self.burst - 1.0,
                observation["last_action"] == models,
                2.0 * observation["phase"] - 1.0,
                mask[..., -1:],
                2.0 * observation["progress"] - 1.0,
                budget_left,
                _over_one(pace),
                2.0 * observation["last_score"] - 1.0,  # -1 also where none came back
                _over_one(observation["last_cost"] / self.budget),
                query,
            ],
            axis=-1,
            dtype=np.float32,
            casting="unsafe",
        )
        return np.clip(row, -1.0, 1.0, out=row)

    def pulls(self, rows: Singles) -> NDArray[np.float64]:
        """Pulls of each model that flat rows tell of, shape (..., N); the inverse of their log."""
        start = MODEL_FEATURES.index("pulls") * self.num_models
        logs = rows[..., start : start + self.num_models].astype(np.float64)
        return np.rint(np.expm1((logs + 1.0) / 2.0 * math.log1p(self.horizon)))

    def to_dict(self) -> dict[str, Any]:
        """The transformation as JSON-native values."""
        values = dataclasses.asdict(self)
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The transformation that ``to_dict`` described.

        Raises:
            FieldError: if a field is missing, unknown or not allowed.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        if sorted(values) != sorted(names):
            raise FieldError("normalization", sorted(values), f"the fields {', '.join(names)}")
        return cls(**values)


def check_positive(transformation: object, *names: str) -> None:
    """Check that fields hold positive numbers.

    Raises:
        FieldError: if one does not.
    """
    for name in names:
        value = getattr(transformation, name)
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not (math.isfinite(value) and value > 0):
            raise FieldError(name, value, "a positive number")


def _over_one(ratio: NDArray[Any]) -> NDArray[Any]:
    """Map [0, infinity) to [-1, 1), with 1 at 0."""
    return (ratio - 1.0) / (ratio + 1.0)
