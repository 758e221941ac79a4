"""A distribution over worlds: means, costs and arrivals drawn anew for each seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from stageroute_gym.problem import Problem
from stageroute_gym.scenarios import Scenario
from stageroute_gym.workloads import OutcomeTable, Schedule


@dataclass(frozen=True)
class Drawn:
    """Four models with random means; the last one arrives at a random stage."""

    num_models: int = 4
    skew: float = 1.0
    per_seed: ClassVar[bool] = True
    cost_bounds: ClassVar[tuple[float, float]] = (0.0, 2.0)

    def build(self, problem: Problem, seed: int) -> tuple[OutcomeTable, Schedule]:
        rng = np.random.default_rng(seed)
        shape = (20, self.num_models)
        table = OutcomeTable(
            models=tuple(f"m{model}" for model in range(self.num_models)),
            score=(rng.random(shape) < rng.random(self.num_models) ** self.skew).astype(float),
            cost=rng.uniform(0.2, 1.0, self.num_models) * rng.random(shape),
            task=np.zeros(20, np.int64),
            task_names=("all",),
            features=rng.uniform(-1, 1, (20, 2)),
            list_price=rng.random(self.num_models),
        )
        stages = len(problem.stage_lengths)
        available = np.ones((stages, self.num_models), bool)
        available[: rng.integers(stages), -1] = False
        return table, Schedule.stationary(table, available)


PROBLEM = Problem(horizon=40, num_stages=4, max_deployed=2, budget=0.3, throughput=0.7)
SCENARIO = Scenario("drawn", 1, PROBLEM, Drawn(), "a world for each seed")
