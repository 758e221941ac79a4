"""What every model would score and cost on every query: the table all workloads come down to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.checks import array, listed
from stageroute_gym.errors import FieldError

TASK = "task:"  # what the names of one-hot features begin with


def task_features(tasks: Iterable[str]) -> tuple[str, ...]:
    """Names of the one-hot features of some tasks."""
    return tuple(f"{TASK}{task}" for task in tasks)


_DIMENSIONS = {"score": 2, "cost": 2, "features": 2, "weight": 1, "list_price": 1}


@dataclass(frozen=True, eq=False)
class OutcomeTable:
    """Scores and costs of ``N`` models on ``Q`` queries.

    Args:
        models: the ``N`` distinct model names.
        score: scores in [0, 1], shape (Q, N), float64.
        cost: costs in USD per query, not negative, shape (Q, N), float64.
        task: index into ``task_names`` of each query, shape (Q,), int64.
        task_names: names of the tasks.
        features: what an agent sees of a query before routing it, shape (Q, F), float64 or
            float32, as which the simulator keeps them, F >= 1; a single column of zeros
            where nothing is known.
        weight: relative frequency of each query, positive, shape (Q,), float64; all 1 by default.
        list_price: USD of a typical query of each model as its provider announces it in advance,
            shape (N,), float64; 0 where unknown, which is the default.
        feature_names: ``F`` distinct names of the features, by which a history of other queries is
            read; ``feature:0`` and so on by default, and none where nothing is known.

    Raises:
        FieldError: if a shape or a value is not allowed.
    """

    models: tuple[str, ...]
    score: NDArray[np.float64]
    cost: NDArray[np.float64]
    task: NDArray[np.int64]
    task_names: tuple[str, ...]
    features: NDArray[np.floating[Any]] = field(default_factory=lambda: np.empty((0, 0)))
    weight: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    list_price: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    feature_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, dimensions in _DIMENSIONS.items():
            array(name, getattr(self, name), dimensions)
        array("task", self.task, 1, "iu")
        object.__setattr__(self, "models", listed("models", self.models))
        queries, models = self.score.shape
        if self.features.size == 0:
            object.__setattr__(self, "features", np.zeros((queries, 1)))
        elif not self.feature_names and self.features.any():
            unnamed = tuple(f"feature:{place}" for place in range(self.features.shape[1]))
            object.__setattr__(self, "feature_names", unnamed)
        if self.weight.size == 0:
            object.__setattr__(self, "weight", np.ones(queries))
        if self.list_price.size == 0:
            object.__setattr__(self, "list_price", np.zeros(models))
        self._check()
        for name in ("score", "cost", "task", "features", "weight", "list_price"):
            values = np.ascontiguousarray(getattr(self, name))
            values.setflags(write=False)
            object.__setattr__(self, name, values)

    def _check(self) -> None:
        queries, models = self.score.shape
        if queries == 0 or models == 0:
            raise FieldError("score", self.score.shape, "at least one query and one model")
        if len(self.models) != models or len(set(self.models)) != models:
            raise FieldError("models", self.models, f"{models} distinct names, one a column")
        shapes = {
            "cost": (self.cost.shape, (queries, models)),
            "task": (self.task.shape, (queries,)),
            "features": (self.features.shape[:1], (queries,)),
            "weight": (self.weight.shape, (queries,)),
            "list_price": (self.list_price.shape, (models,)),
        }
        for name, (actual, expected) in shapes.items():
            if actual != expected:
                raise FieldError(f"shape of {name}", actual, str(expected))
        names = self.feature_names
        if names and len(set(names)) != self.features.shape[1]:
            allowed = f"{self.features.shape[1]} distinct names, one a column"
            raise FieldError("feature_names", names, allowed)
        within = (self.score >= 0) & (self.score <= 1)
        self._first_offence("score", self.score, within, "a number in [0, 1]")
        priced = (self.cost >= 0) & np.isfinite(self.cost)
        self._first_offence("cost", self.cost, priced, "a finite number of USD, >= 0")
        if not (np.isfinite(self.weight) & (self.weight > 0)).all():
            raise FieldError("weight", float(self.weight.min()), "positive finite numbers")
        if not (np.isfinite(self.list_price) & (self.list_price >= 0)).all():
            raise FieldError("list_price", self.list_price.tolist(), "finite USD amounts, >= 0")
        if not np.isfinite(self.features).all():
            raise FieldError("features", "a value that is not finite", "finite numbers")
        if self.task.min() < 0 or self.task.max() >= len(self.task_names):
            raise FieldError("task", int(self.task.max()), "an index into task_names")

    def _first_offence(
        self, name: str, values: NDArray[np.float64], fine: NDArray[np.bool_], allowed: str
    ) -> None:
        if fine.all():
            return
        row, column = np.argwhere(~fine)[0]
        where = f"{name}:{self.models[column]} in row {row}"
        raise FieldError(where, float(values[row, column]), allowed)

    @property
    def num_queries(self) -> int:
        """Number of rows ``Q``."""
        return self.score.shape[0]

    @property
    def num_models(self) -> int:
        """Number of models ``N``."""
        return self.score.shape[1]

    @property
    def num_tasks(self) -> int:
        """How many of the features, the first ones, name the query's task, one-hot; 0: none does.

        One of them is 1 in each row and the others 0. A single column names nothing.
        """
        for size in range(self.features.shape[1] + 1):
            if size == self.features.shape[1] or not np.isin(self.features[:, size], (0, 1)).all():
                break
        named = size > 1 and bool((self.features[:, :size].sum(axis=1) == 1).all())
        return size if named else 0

    def mean_score(self) -> NDArray[np.float64]:
        """Weighted mean score of each model, shape (N,), float64."""
        return np.average(self.score, axis=0, weights=self.weight)

    def mean_cost(self) -> NDArray[np.float64]:
        """Weighted mean cost of each model in USD per query, shape (N,), float64."""
        return np.average(self.cost, axis=0, weights=self.weight)
