"""What is known of the models: mean scores and costs by group of queries, and how sure they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.advice.shrinkage import shrunk
from stageroute_gym.array_types import Floats
from stageroute_gym.errors import FieldError
from stageroute_gym.workloads import OutcomeTable, Recorded

FOLDS = 10
# A task with fewer queries tells little of its own, and the programme grows with their number.
FEWEST_QUERIES = 10
MOST_GROUPS = 100
OTHERS = "(other tasks)"
ALL = "(all queries)"


class Cells(NamedTuple):
    """Means of each model in each group of queries.

    Attributes:
        weight: share of all queries that are of each group, ``(G,)``; 0 where there is none.
        score: mean scores, ``(G, N)``; not a number where not known.
        cost: mean costs, USD a query, ``(G, N)``; not a number where not known.
        known: whether both are known, bool ``(G, N)``.
    """

    weight: Floats
    score: Floats
    cost: Floats
    known: NDArray[np.bool_]

    def merged(self) -> Cells:
        """One group of all, each model's mean by the groups' weights over those where it is known.

        So that a model that a log sent to easy tasks only is compared on the mix of all tasks.
        """
        weight = np.where(self.known, self.weight[:, None], 0.0)
        total = weight.sum(axis=0)
        known = total > 0.0
        divisor = np.where(known, total, np.nan)
        score, cost = (
            (np.where(self.known, values, 0.0) * weight).sum(axis=0) / divisor
            for values in (self.score, self.cost)
        )
        return Cells(self.weight.sum(keepdims=True), score[None], cost[None], known[None])


class Sums(NamedTuple):
    """Weighted sums over the queries of each group and fold.

    Attributes:
        mass: weight of the queries, ``(G, K)``.
        scored: weight of the scores of each model, ``(G, K, N)``.
        score: weighted sum of its scores, ``(G, K, N)``.
        score_square: weighted sum of their squares, ``(G, K, N)``.
        costed: weight of its costs, ``(G, K, N)``.
        cost: weighted sum of its costs, ``(G, K, N)``.
        cost_square: weighted sum of their squares, ``(G, K, N)``.
    """

    mass: Floats
    scored: Floats
    score: Floats
    score_square: Floats
    costed: Floats
    cost: Floats
    cost_square: Floats

    def means(self, folds: Sequence[int] | None = None) -> Cells:
        """The means over some folds, or over all."""
        parts = self._over(folds)
        return Cells(
            weight=parts.mass / self.mass.sum(),
            score=_mean(parts.score, parts.scored),
            cost=_mean(parts.cost, parts.costed),
            known=(parts.scored > 0.0) & (parts.costed > 0.0),
        )

    def estimates(self, folds: Sequence[int] | None = None) -> Cells:
        """The means drawn together by `stageroute_gym.advice.shrinkage`.

        Costs are so as multiples of each model's mean cost: those of different models on one query
        are nearly proportional.
        """
        cells, parts = self.means(folds), self._over(folds)
        score = shrunk(
            cells.score, parts.scored, _variance(parts.scored, parts.score, parts.score_square)
        )
        usual = cells.merged().cost[0]
        usual = np.where(usual > 0.0, usual, 1.0)
        spread = _variance(parts.costed, parts.cost, parts.cost_square) / usual**2
        cost = np.maximum(shrunk(cells.cost / usual, parts.costed, spread), 0.0) * usual
        return cells._replace(score=score, cost=cost)

    def _over(self, folds: Sequence[int] | None) -> Sums:
        chosen = slice(None) if folds is None else list(folds)
        return Sums(*(part[:, chosen].sum(axis=1) for part in self))


def _variance(weight: Floats, total: Floats, square: Floats) -> Floats:
    """Variance of a single value within a group, pooled over the groups, ``(N,)``."""
    mean = np.nan_to_num(_mean(total, weight))
    within = (square - mean * total).sum(axis=0)
    freedom = np.maximum(weight.sum(axis=0) - (weight > 0.0).sum(axis=0), 1.0)
    return np.maximum(within, 0.0) / freedom


def _mean(total: Floats, weight: Floats) -> Floats:
    return total / np.where(weight > 0.0, weight, np.nan)


class Evidence(Protocol):
    """Outcomes that advice rests on: a table with every model's, or a log with one a request."""

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the ``N`` models."""

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the ``G`` groups of queries."""

    @property
    def num_queries(self) -> int:
        """Number of queries."""

    def sums(self, generator: np.random.Generator | None = None) -> Sums:
        """Sums over the queries; with a generator, over a resample of them with replacement."""


class GroupSums:
    """Sums by group and fold of what stands in rows.

    Folds are drawn within each group, so that each holds the same mix of groups.

    Args:
        group: group of each row, int64 ``(Q,)``.
        num_groups: number of groups ``G``.
        seed: of the draw of the folds.
    """

    def __init__(self, group: NDArray[np.int64], num_groups: int, seed: int) -> None:
        from scipy.sparse import csr_array

        generator = np.random.default_rng(seed)
        order = generator.permutation(len(group))
        order = order[np.argsort(group[order], kind="stable")]
        fold = np.empty(len(group), dtype=np.int64)
        # Round robin over the groups in turn, so that small groups do not all fill the first folds.
        fold[order] = np.arange(len(group)) % FOLDS
        self.cell = group * FOLDS + fold
        self._shape = (num_groups, FOLDS)
        rows = np.arange(len(group))
        self._sum = csr_array(
            (np.ones(len(group)), (self.cell, rows)), shape=(num_groups * FOLDS, len(group))
        )

    def __call__(self, values: Floats) -> Floats:
        """Sum rows: ``(Q,)`` to ``(G, K)``, ``(Q, N)`` to ``(G, K, N)``."""
        return (self._sum @ values).reshape(*self._shape, *values.shape[1:])


@dataclass(frozen=True, eq=False)
class TableEvidence:
    """Every model's outcome on every query.

    Args:
        table: the outcomes; its weights count, its task names are the groups' names.
        seed: of the draw of the folds.
    """

    table: OutcomeTable
    seed: int = 0
    _total: GroupSums = field(init=False, repr=False)

    def __post_init__(self) -> None:
        sums = GroupSums(self.table.task, len(self.table.task_names), self.seed)
        object.__setattr__(self, "_total", sums)

    @classmethod
    def read(cls, workload: Recorded, by: str = "task", seed: int = 0) -> Self:
        """The outcomes of a file.

        Args:
            workload: the file.
            by: the column that tells a query's group before it is routed, or ``"none"``. Groups
                with fewer than 10 queries, and those beyond the 100 largest, are planned as one.
            seed: of the draw of the folds.

        Raises:
            FieldError: for the first fault of the file, or an unknown column.
        """
        table = workload.outcomes()
        if by == "none":
            names: tuple[str, ...] = (ALL,)
            group = np.zeros(table.num_queries, dtype=np.int64)
        else:
            frame = workload.frame()
            labels = [name for name in frame.columns if ":" not in name and name != "query_id"]
            if by not in labels:
                raise FieldError("by", by, f"none, or one of the columns {', '.join(labels)}")
            names, group = grouped([str(value) for value in frame[by].to_list()])
        return cls(
            OutcomeTable(
                models=table.models,
                score=table.score,
                cost=table.cost,
                task=group,
                task_names=names,
                weight=table.weight,
            ),
            seed,
        )

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the models."""
        return self.table.models

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups of queries."""
        return self.table.task_names

    @property
    def num_queries(self) -> int:
        """Number of queries."""
        return self.table.num_queries

    def sums(self, generator: np.random.Generator | None = None) -> Sums:
        """Sums over the queries, or over a resample; see `Evidence`."""
        weight = self.table.weight
        if generator is not None:
            size = self.num_queries
            weight = weight * np.bincount(generator.integers(size, size=size), minlength=size)
        total = self._total
        mass = total(weight)
        per_model = np.repeat(mass[:, :, None], self.table.num_models, axis=2)
        score = total(weight[:, None] * self.table.score)
        square = total(weight[:, None] * self.table.score**2)
        cost = total(weight[:, None] * self.table.cost)
        cost_square = total(weight[:, None] * self.table.cost**2)
        return Sums(mass, per_model, score, square, per_model, cost, cost_square)


def grouped(labels: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Names of the groups, by size, and the group of each row; the small ones are one group."""
    names, index, counts = np.unique(np.array(labels), return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    kept = [i for i in order[:MOST_GROUPS].tolist() if counts[i] >= FEWEST_QUERIES]
    # A single group left over is no smaller for another name.
    if len(kept) >= len(names) - 1:
        kept = order.tolist()
    place = np.full(len(names), len(kept), dtype=np.int64)
    place[kept] = np.arange(len(kept))
    rest = (OTHERS,) if len(kept) < len(names) else ()
    return tuple(str(names[i]) for i in kept) + rest, place[index]
