"""A synthetic workload whose queries have features of known worth.

A query is one of 64 kinds, each a point in the space of features. A model's chance to answer right
is linear in the features, and what a query costs grows with the first of them. Within a kind
nothing more can be known in advance, so that the best policy that reads the features is the
per-task oracle (`stageroute_gym.oracles.Oracles.task`), whose tasks are the kinds: exactly, where
all models have a slot. Where the features are to be worth nothing, the table holds each query once
with each of 32 kinds' features, so that no policy gains by them, not even in this very table.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stageroute_gym import checks
from stageroute_gym.problem import Problem
from stageroute_gym.workloads.schedule import Schedule
from stageroute_gym.workloads.table import OutcomeTable

KINDS = 64
ROWS_A_KIND = 32
_SHOWN = 32  # kinds whose features each query shows in turn where they are noise
# Mean cost in USD and mean score of each model: the dearer the better on average.
_MEAN_COST = np.array([1e-4, 2e-4, 4e-4, 8e-4, 1.6e-3, 3.2e-3])
_MEAN_SCORE = np.array([0.45, 0.5, 0.55, 0.6, 0.65, 0.7])
# Standard deviation over the kinds of a model's chance, and of a query's log cost.
_SCORE_SPREAD, _COST_SPREAD = 0.2, 0.3


@dataclass(frozen=True, kw_only=True)
class Featured:
    """Six models, and queries whose features tell which of them will answer right.

    Args:
        informative: whether the features are those of the query; otherwise they are noise.
        num_features: number of features ``F``, 1 to 512.
        table_seed: seed of the table.

    Raises:
        FieldError: if a value is out of range.
    """

    informative: bool = True
    num_features: int = 8
    table_seed: int = 0

    def __post_init__(self) -> None:
        checks.switch("informative", self.informative)
        checks.count("num_features", self.num_features, 1, 512)
        checks.count("table_seed", self.table_seed, 0)

    def build(self, problem: Problem) -> tuple[OutcomeTable, Schedule]:
        """The table that ``table_seed`` draws; all models from the start, nothing changes."""
        rng = np.random.default_rng(self.table_seed)
        models, rows = len(_MEAN_COST), KINDS * ROWS_A_KIND
        points = rng.standard_normal((KINDS, self.num_features))
        points = (points - points.mean(axis=0)) / points.std(axis=0)
        directions = rng.standard_normal((self.num_features, models))
        along = points @ directions
        chance = np.clip(_MEAN_SCORE + _SCORE_SPREAD * along / along.std(axis=0), 0.02, 0.98)
        kind = np.repeat(np.arange(KINDS), ROWS_A_KIND)
        # Ranks, not draws, give each kind its exact share of right answers.
        draws = rng.random((KINDS, ROWS_A_KIND, models)).argsort(axis=1).argsort(axis=1)
        right = (draws + 0.5) / ROWS_A_KIND < chance[:, None]
        length = np.exp(_COST_SPREAD * points[kind, :1] + 0.3 * rng.standard_normal((rows, 1)))
        row, shown = np.arange(rows), kind
        if not self.informative:
            row, shown = np.repeat(row, _SHOWN), np.tile(np.arange(_SHOWN), rows)
        table = OutcomeTable(
            models=tuple(f"model-{number}" for number in range(models)),
            score=right.reshape(rows, models).astype(np.float64)[row],
            cost=(length / length.mean() * _MEAN_COST)[row],
            task=kind[row],
            task_names=tuple(f"kind-{number}" for number in range(KINDS)),
            features=points[shown].astype(np.float32),
            list_price=_MEAN_COST,
        )
        available = np.ones((len(problem.stage_lengths), models), np.bool_)
        return table, Schedule.stationary(table, available)
