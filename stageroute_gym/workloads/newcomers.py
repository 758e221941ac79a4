"""Newcomers: models drawn around those of a table, which arrive during the horizon."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from stageroute_gym import checks
from stageroute_gym.errors import FieldError
from stageroute_gym.problem import Problem
from stageroute_gym.workloads.changes import column
from stageroute_gym.workloads.schedule import Schedule
from stageroute_gym.workloads.table import OutcomeTable


@dataclass(frozen=True, kw_only=True)
class Newcomers:
    """Further models, each a variant of one that is there.

    A newcomer answers as its parent does, except on a share ``|q|`` of the queries, drawn for it
    alone: there it scores the best (``q > 0``) or the worst (``q < 0``) that any model of the table
    scores on that query. So its mean score is ``(1 - |q|)`` times the parent's plus ``|q|`` times
    the mean of that best or worst, up to the draw. Its costs and its list price are the parent's
    times a factor.

    Args:
        number: how many of them.
        start: moment of the first arrival, a share of the horizon in [0, 1].
        duration: for how long they arrive, evenly spaced, a share of the horizon in [0, 1]; 0 for
            all at once.
        quality: smallest and largest ``q``, in [-1, 1]; drawn uniformly.
        price: smallest and largest factor of the costs, above 0; drawn log-uniformly.
        parents: the models to draw parents from; None for all models of the table.
        prefix: what their names begin with; a number follows. It also enters the draws, so that two
            groups differ.
        table_seed: seed of the draws.

    Raises:
        FieldError: if a value is not allowed; by ``apply``, if it lacks a parent or has a model of
            such a name.
    """

    number: int
    start: float = 0.0
    duration: float = 0.0
    quality: tuple[float, float] = (-0.5, 0.5)
    price: tuple[float, float] = (0.5, 2.0)
    parents: tuple[str, ...] | None = None
    prefix: str = "newcomer"
    table_seed: int = 0

    def __post_init__(self) -> None:
        checks.count("number", self.number, 1, 10_000)
        checks.number("start", self.start, 0, 1)
        checks.number("duration", self.duration, 0, 1)
        checks.interval("quality", self.quality, -1, 1)
        checks.interval("price", self.price, 0)
        if self.price[0] == 0:
            raise FieldError("price", self.price, "factors above 0")
        if self.parents is not None and not (isinstance(self.parents, tuple) and self.parents):
            raise FieldError("parents", self.parents, "None, or names of models")
        if not isinstance(self.prefix, str) or not self.prefix:
            raise FieldError("prefix", self.prefix, "text")
        checks.count("table_seed", self.table_seed, 0)

    def apply(
        self, table: OutcomeTable, schedule: Schedule, problem: Problem
    ) -> tuple[OutcomeTable, Schedule]:
        """The newcomers behind the table's own models, on offer from their arrivals on."""
        rng = np.random.default_rng([self.table_seed, *self.prefix.encode()])
        names = self.parents if self.parents is not None else table.models
        parents = np.array([column("parents", name, table) for name in names])
        parent = parents[rng.integers(len(parents), size=self.number)]
        quality = rng.uniform(*self.quality, size=self.number)
        low, high = self.price
        factor = np.exp(rng.uniform(math.log(low), math.log(high), size=self.number))
        differs = rng.random((table.num_queries, self.number)) < np.abs(quality)
        extreme = np.where(
            quality > 0, table.score.max(axis=1)[:, None], table.score.min(axis=1)[:, None]
        )
        score = np.where(differs, extreme, table.score[:, parent])
        joined = dataclasses.replace(
            table,
            models=(*table.models, *self.names()),
            score=np.hstack([table.score, score]),
            cost=np.hstack([table.cost, table.cost[:, parent] * factor]),
            list_price=np.concatenate([table.list_price, table.list_price[parent] * factor]),
        )
        moments = np.linspace(self.start, self.start + self.duration, self.number)
        arrivals = np.rint(moments * problem.horizon).astype(np.int64)
        available = problem.stage_bounds[:-1, None] >= arrivals
        return joined, dataclasses.replace(
            schedule,
            cost_multiplier=np.hstack([schedule.cost_multiplier, np.ones(available.shape)]),
            available=np.hstack([schedule.available, available]),
        )

    def names(self) -> tuple[str, ...]:
        """Names of the newcomers, in the order of their arrival."""
        width = math.ceil(math.log10(self.number + 1))
        return tuple(f"{self.prefix}-{place:0{width}d}" for place in range(1, self.number + 1))
