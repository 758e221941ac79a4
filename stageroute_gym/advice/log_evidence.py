"""Advice from a log: one model's outcome a request.

What a model would have scored on requests that went to another one is taken from the requests of
the same task that it served: within a task, which model was chosen says nothing of the request.
Where the log tells its propensities that need not be assumed: requests that were unlikely to go to
their model count for more (Horvitz & Thompson 1952).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.advice.evidence import ALL, FOLDS, GroupSums, Sums, grouped
from stageroute_gym.advice.plans import Plan, Worth
from stageroute_gym.array_types import Floats
from stageroute_gym.logs.log import Log


@dataclass(frozen=True, eq=False)
class LogEvidence:
    """A log as evidence.

    Args:
        log: the log.
        by_task: whether plans go by the log's tasks; those with fewer than 10 requests, and those
            beyond the 100 most frequent, are planned as one.
        seed: of the draw of the folds.

    Attributes:
        groups: names of the groups of requests.
        group: group of each request, int64 ``(n,)``.
    """

    log: Log
    by_task: bool = True
    seed: int = 0
    groups: tuple[str, ...] = field(init=False, repr=False)
    group: NDArray[np.int64] = field(init=False, repr=False)
    _folds: GroupSums = field(init=False, repr=False)
    _likelihood: Floats = field(init=False, repr=False)
    _score: Floats = field(init=False, repr=False)
    _given: tuple[Floats, Floats] | None = field(init=False, repr=False, default=None)

    def __post_init__(self) -> None:
        log = self.log
        if self.by_task:
            names, group = grouped([log.tasks[task] for task in log.task])
        else:
            names, group = (ALL,), np.zeros(log.num_requests, dtype=np.int64)
        _set = object.__setattr__
        _set(self, "groups", names)
        _set(self, "group", group)
        _set(self, "_folds", GroupSums(group, len(names), self.seed))
        _set(self, "_score", np.nan_to_num(log.score))
        _set(self, "_likelihood", self._relative_likelihood())
        if log.cell_score is not None:
            _set(self, "_given", self._split_scores())

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the models."""
        return self.log.models

    @property
    def num_queries(self) -> int:
        """Number of requests."""
        return self.log.num_requests

    @property
    def fold(self) -> NDArray[np.int64]:
        """Fold of each request, ``(n,)``."""
        return self._folds.cell % FOLDS

    def counts(self) -> NDArray[np.int64]:
        """Requests of each group that each model served, ``(G, N)``."""
        shape = (len(self.groups), len(self.models))
        group = self.group
        place = group * shape[1] + self.log.model
        return np.bincount(place, minlength=shape[0] * shape[1]).reshape(shape).astype(np.int64)

    def sums(self, generator: np.random.Generator | None = None) -> Sums:
        """Sums over the requests, or over a resample; see `stageroute_gym.advice.Evidence`."""
        log, folds = self.log, self._folds
        weight = self._weight(generator)
        shape = (len(self.groups), FOLDS, len(self.models))
        cell = folds.cell * len(self.models) + log.model

        def total(values: Floats) -> Floats:
            summed = np.bincount(cell, values, minlength=int(np.prod(shape)))
            return summed.astype(np.float64).reshape(shape)

        mass = folds(weight)
        weight = weight * self._likelihood
        costed, cost, cost_square = (total(weight * log.cost**power) for power in range(3))
        if log.cell_score is not None:
            scored, score = self._drawn_scores(generator)
            # A score of 0 or 1 is its own square.
            return Sums(mass, scored, score, score, costed, cost, cost_square)
        weight = weight * np.isfinite(log.score)
        scored, score, square = (total(weight * self._score**power) for power in range(3))
        return Sums(mass, scored, score, square, costed, cost, cost_square)

    def today(self, generator: np.random.Generator | None = None) -> Worth:
        """What the log's own choices brought, on the requests or a resample of them."""
        log, weight = self.log, self._weight(generator)
        cost = float(weight @ log.cost / weight.sum())
        score = self._score
        known = np.isfinite(log.score)
        if log.cell_score is not None:
            mean = self.sums(generator).means().score[self.group, log.model]
            known, score = np.isfinite(mean), np.nan_to_num(mean)
        looked = weight * known
        return Worth(float(looked @ score / max(looked.sum(), 1e-300)), cost, 1.0)

    def _weight(self, generator: np.random.Generator | None) -> Floats:
        """How often each request counts: once, or as drawn with replacement."""
        size = self.log.num_requests
        if generator is None:
            return np.ones(size)
        return np.bincount(generator.integers(size, size=size), minlength=size).astype(np.float64)

    def _relative_likelihood(self) -> Floats:
        """How much likelier each request's model is in its group than it was for the request."""
        log = self.log
        if log.propensity is None:
            return np.ones(log.num_requests)
        counts = self.counts()
        chance = counts / counts.sum(axis=1, keepdims=True)
        group = self.group
        likelihood: Floats = chance[group, log.model] / log.propensity
        return likelihood

    def policy(self, plan: Plan) -> Floats:
        """Shares of a plan by group, ``(G, N)``."""
        return np.broadcast_to(plan.shares, (len(self.groups), len(self.models)))

    def _split_scores(self) -> tuple[Floats, Floats]:
        """Scores given as means, spread over the folds: counts and sums, ``(G, K, N)``.

        A mean of ``n`` scores counts as ``n`` scores of 0 and 1, since their spread is not known.
        """
        log = self.log
        assert log.cell_score is not None
        assert log.cell_count is not None
        generator = np.random.default_rng(self.seed)
        shape = (len(self.groups), FOLDS, len(self.models))
        counts, ones = np.zeros(shape), np.zeros(shape)
        group = self.group
        group_of = np.zeros(len(log.tasks), dtype=np.int64)
        group_of[log.task] = group
        for task, model in np.argwhere(log.cell_count > 0).tolist():
            number = max(1, round(log.cell_count[task, model]))
            good = min(number, round(number * log.cell_score[task, model]))
            per_fold = (np.arange(FOLDS) + generator.integers(FOLDS)) % FOLDS
            share = np.full(FOLDS, number // FOLDS) + (per_fold < number % FOLDS)
            counts[group_of[task], :, model] += share
            ones[group_of[task], :, model] += generator.multivariate_hypergeometric(share, good)
        return counts, ones

    def _drawn_scores(self, generator: np.random.Generator | None) -> tuple[Floats, Floats]:
        assert self._given is not None
        counts, ones = self._given
        if generator is None:
            return counts, ones
        total, good = counts.sum(axis=1, keepdims=True), ones.sum(axis=1, keepdims=True)
        chance = np.divide(good, total, out=np.zeros_like(good), where=total > 0.0)
        return counts, generator.binomial(counts.astype(np.int64), chance).astype(np.float64)
