"""Pools of models that look alike, among which one is better: the lower bound's learning half.

Costs are equal, so that with a budget above them nothing but slots and noise stands between an
agent and the best model. Two difficulties can be had apart (``L = T / K`` queries a stage, ``n``
models a pool, ``M = M_max``):

**Discovery**, with a large ``gap``: a few queries tell the good model from the others, but only
``M`` models can be tried a stage. No agent has seen more than ``(j + 1) M`` of the pool by the end
of its stage ``j``, and until it has seen the good one, nothing tells where that is. So whatever it
does, the pool costs it at least ``gap L sum_j max(0, 1 - (j + 1) M / n)`` in expectation over the
place (`HiddenModel.floor`): the term ``N T / (M_max K)`` of the upper bound. With ``K = T^(1/3)``
this grows as ``T^(2/3)``, with ``K`` fixed as ``T``, with ``K = T^(2/3)`` as ``T^(1/3)``. Of all
gaps the largest is the hardest here.

**Noise**, with ``gap=None`` and a new pool each stage (``pool_stages=1``, ``pool_size`` = ``M``):
all models fit, but each has ``L / M`` queries to be told apart by, and what was learnt is gone with
the pool. The gap is ``difficulty sqrt(M / L)``: 1.5 standard errors of such a mean at the default
``score`` 0.5 and ``difficulty`` 0.75. No agent can tell them early enough: each stage costs the
order of ``sqrt(M L)``, all stages ``sqrt(M_max K T)``, the other term. With ``K = T^(1/3)`` this
again grows as ``T^(2/3)``, with ``K`` fixed as ``T^(1/2)``, with ``K = T^(2/3)`` as ``T^(5/6)``. A
gap of another order is easier: a smaller one costs less even if it is never found, a larger one is
found sooner. There are ``M_max K`` models in all, so that ``N T / (M_max K)`` says nothing there.

The larger of the two terms is least at ``K = T^(1/3)``, where both are ``T^(2/3)``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from stageroute_gym import checks
from stageroute_gym.array_types import Integers
from stageroute_gym.errors import FieldError
from stageroute_gym.problem import Problem
from stageroute_gym.workloads.hard.equal_costs import equal_costs_table
from stageroute_gym.workloads.schedule import Schedule
from stageroute_gym.workloads.table import OutcomeTable

COST = 1e-3  # USD a query
# So that the places are other numbers than those of whatever else is drawn from a small seed.
_STREAM = 0x91DD


@dataclass(frozen=True, kw_only=True)
class HiddenModel:
    """One good model in each pool of models that look alike; its place is drawn by the seed.

    A pool's models are on offer together, for ``pool_stages`` stages, and then give way to the next
    pool's. See the module's text for what makes it hard.

    Args:
        pool_size: models in a pool, ``n``, at least 2.
        pool_stages: stages that a pool is on offer for; None for all.
        score: mean score of the models that look alike, in [0, 1).
        gap: by how much the good one's mean score is larger; None for the hard one,
            ``difficulty sqrt(M_max K / T)``, but at most up to a mean score of 1.
        difficulty: factor of the hard gap, above 0.

    Raises:
        FieldError: if a value is not allowed.
    """

    per_seed: ClassVar[bool] = True
    cost_bounds: ClassVar[tuple[float, float]] = (COST, COST)

    pool_size: int = 8
    pool_stages: int | None = None
    score: float = 0.5
    gap: float | None = None
    difficulty: float = 0.75

    def __post_init__(self) -> None:
        checks.count("pool_size", self.pool_size, 2, 10_000)
        if self.pool_stages is not None:
            checks.count("pool_stages", self.pool_stages, 1)
        checks.number("score", self.score, 0, 1, below=True)
        if self.gap is not None:
            checks.number("gap", self.gap, 0, above=True)
            if self.score + self.gap > 1 + 1e-12:
                raise FieldError("gap", self.gap, f"at most 1 - score = {1 - self.score:g}")
        checks.number("difficulty", self.difficulty, 0, above=True)

    def build(self, problem: Problem, seed: int) -> tuple[OutcomeTable, Schedule]:
        """The pools one after the other, with the good models at the places of the seed."""
        stages = len(problem.stage_lengths)
        first = self._first_stages(stages)
        pools = len(first)
        place = np.random.default_rng([_STREAM, seed]).integers(self.pool_size, size=pools)
        mean = np.full((pools, self.pool_size), self.score)
        mean[np.arange(pools), place] = min(1.0, self.score + self.gap_in(problem))
        width = len(str(pools - 1))
        names = [
            f"pool-{pool:0{width}}-model-{model}"
            for pool in range(pools)
            for model in range(self.pool_size)
        ]
        pool_of_stage = np.searchsorted(first, np.arange(stages), side="right") - 1
        pool_of_model = np.repeat(np.arange(pools), self.pool_size)
        table = equal_costs_table(names, mean.ravel(), COST)
        return table, Schedule.stationary(table, pool_of_stage[:, None] == pool_of_model)

    def gap_in(self, problem: Problem) -> float:
        """By how much the good model's mean score is larger in that problem."""
        if self.gap is not None:
            return self.gap
        a_stage = problem.horizon / len(problem.stage_lengths)
        hard = self.difficulty * math.sqrt(problem.max_deployed / a_stage)
        return min(hard, 1 - self.score)

    def floor(self, problem: Problem) -> float:
        """Regret that no agent's expectation over the seeds is below, in score; see the module.

        It is of discovery alone, so 0 where a pool's models all have slots. It holds where one
        model may serve all queries and the budget is at least the cost of each.
        """
        lengths = problem.stage_lengths
        first = self._first_stages(len(lengths))
        age = np.arange(len(lengths)) - np.repeat(first, np.diff([*first, len(lengths)]))
        unseen = np.maximum(0.0, 1 - (age + 1) * problem.max_deployed / self.pool_size)
        return self.gap_in(problem) * math.fsum((lengths * unseen).tolist())

    def _first_stages(self, stages: int) -> Integers:
        """The first stage of each pool."""
        return np.arange(0, stages, self.pool_stages or stages)
