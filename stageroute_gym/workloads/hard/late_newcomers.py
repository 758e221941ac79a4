"""Better models that arrive just after an update point: the lower bound's waiting half.

A model that arrives one query after an update point waits for the next one, almost ``T / K``
queries, whatever the agent. The stage oracle, which regret is measured by, waits with it:
``V_k`` is about the models that are there at ``tau_k``. An oracle that may deploy at the moment of
arrival does not, and is ahead of the stage oracle by `LateNewcomers.waiting_cost`; regret against
it is the stage oracle's plus this sum. With a fixed number of newcomers and ``K = T^(1/3)`` it
grows as ``T^(2/3)``, with ``K`` fixed as ``T``, with ``K = T^(2/3)`` as ``T^(1/3)``.

Once on offer, a newcomer has to be told from the best one before it. Its advantage is fixed, so
that this costs the order of ``log T``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from stageroute_gym import checks
from stageroute_gym.array_types import Flags, Integers
from stageroute_gym.errors import FieldError
from stageroute_gym.optimize import stage_oracle
from stageroute_gym.problem import Problem
from stageroute_gym.workloads.hard.equal_costs import equal_costs_table
from stageroute_gym.workloads.schedule import Schedule
from stageroute_gym.workloads.table import OutcomeTable

COST = 1e-3  # USD a query


@dataclass(frozen=True, kw_only=True)
class LateNewcomers:
    """Models that look alike from the start, and newcomers, each better than all before it.

    Newcomers come after update points that are spread evenly over all but the last one, the first
    one after the first of them.

    Args:
        initial_models: models there at the start.
        newcomers: how many come later.
        score: mean score of those at the start, in [0, 1).
        step: by how much each newcomer's mean score is above the one before, above 0.
        lateness: queries between an update point and the newcomer, at least 1.

    Raises:
        FieldError: if a value is not allowed; by ``build``, if a newcomer is on offer in no stage.
    """

    initial_models: int = 6
    newcomers: int = 2
    score: float = 0.1
    step: float = 0.4
    lateness: int = 1

    def __post_init__(self) -> None:
        checks.count("initial_models", self.initial_models, 1, 10_000)
        checks.count("newcomers", self.newcomers, 1, 10_000)
        checks.number("score", self.score, 0, 1, below=True)
        checks.number("step", self.step, 0, above=True)
        if self.score + self.newcomers * self.step > 1 + 1e-12:
            allowed = f"at most (1 - score) / newcomers = {(1 - self.score) / self.newcomers:g}"
            raise FieldError("step", self.step, allowed)
        checks.count("lateness", self.lateness, 1)

    def build(self, problem: Problem) -> tuple[OutcomeTable, Schedule]:
        """The table, and newcomers on offer from the first update point at or after arrival."""
        rank = np.maximum(np.arange(self._models) - self.initial_models + 1, 0)
        mean = np.minimum(self.score + self.step * rank, 1.0)
        names = [f"initial-{place}" for place in range(self.initial_models)]
        names += [f"newcomer-{place}" for place in range(1, self.newcomers + 1)]
        table = equal_costs_table(names, mean, COST)
        available = self._arrived_at(problem.stage_bounds[:-1], problem)
        if not available[-1].all():
            allowed = (
                f"an update point after the last newcomer, at query {self.arrivals(problem)[-1]:,}"
            )
            raise FieldError("num_stages", len(problem.stage_lengths), allowed)
        return table, Schedule.stationary(table, available)

    def arrivals(self, problem: Problem) -> Integers:
        """The query with which each model is there, shape (N,), int64."""
        points = problem.stage_bounds[:-1]
        after = np.arange(self.newcomers) * (len(points) - 1) // self.newcomers
        start = np.zeros(self.initial_models, np.int64)
        return np.concatenate([start, points[after] + self.lateness])

    def waiting_cost(self, problem: Problem) -> float:
        """What an oracle that may deploy on arrival expects above the stage oracle, in score."""
        table, _ = self.build(problem)
        arrivals = self.arrivals(problem)
        points = problem.stage_bounds[:-1]
        moments = np.unique(np.concatenate([points, arrivals]))
        lengths = np.diff([*moments, problem.horizon])
        stage = np.searchsorted(points, moments, side="right") - 1
        values = [
            stage_oracle(
                np.broadcast_to(table.mean_score(), available.shape),
                np.broadcast_to(table.mean_cost(), available.shape),
                available,
                problem.budget,
                problem.throughput_per_model(table.num_models),
                problem.max_deployed,
            ).values
            for available in (
                self._arrived_at(moments, problem),
                self._arrived_at(points[stage], problem),
            )
        ]
        return math.fsum((lengths * (values[0] - values[1])).tolist())

    @property
    def _models(self) -> int:
        return self.initial_models + self.newcomers

    def _arrived_at(self, moments: Integers, problem: Problem) -> Flags:
        """Whether each model is there at each moment, shape (moments, N), bool."""
        arrived: Flags = moments[:, None] >= self.arrivals(problem)
        return arrived
