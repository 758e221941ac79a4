"""A scenario of one's own: a distribution over worlds, drawn anew for each seed; no file.

python examples/own_scenario.py [--horizon 2000]
stageroute run stageroute --scenario examples.own_scenario:SCENARIO --seeds 5
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from stageroute_gym.evaluation import evaluate
from stageroute_gym.problem import Problem
from stageroute_gym.scenarios import Scenario
from stageroute_gym.testing import check_scenario
from stageroute_gym.workloads import OutcomeTable, Schedule


@dataclass(frozen=True, kw_only=True)
class Market:
    """Beta scores, log-normal costs, and models that arrive as a Poisson process."""

    num_models: int = 8
    arrivals: float = 6.0  # expected number over the horizon
    per_seed: ClassVar[bool] = True
    cost_bounds: ClassVar[tuple[float, float]] = (0.0, 0.1)  # USD, in every world

    def build(self, problem: Problem, seed: int) -> tuple[OutcomeTable, Schedule]:
        """The world of a seed."""
        rng, shape = np.random.default_rng(seed), (1_000, self.num_models)
        ability = rng.uniform(0.2, 0.9, self.num_models)
        price = 1e-4 * np.exp(3 * ability + rng.normal(0, 0.5, self.num_models))
        table = OutcomeTable(
            models=tuple(f"model-{number}" for number in range(self.num_models)),
            score=rng.beta(4 * ability, 4 * (1 - ability), shape),
            cost=np.minimum(price * rng.lognormal(0, 0.7, shape), 0.1),
            task=np.zeros(shape[0], np.int64),
            task_names=("all",),
        )
        gaps = rng.exponential(problem.horizon / self.arrivals, self.num_models - 2)
        arrival = np.append([0, 0], np.cumsum(gaps))  # two are there from the start
        return table, Schedule.stationary(table, problem.stage_bounds[:-1, None] >= arrival)


PROBLEM = Problem(horizon=2_000, num_stages=20, max_deployed=3, budget=1e-3, throughput=0.6)
SCENARIO = Scenario("market", 1, PROBLEM, Market(), "a market of models, another for each seed")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--horizon", type=int, default=2_000, help="queries in an episode")
    horizon = parser.parse_args().horizon
    check_scenario(SCENARIO)
    for agent in ("stageroute", "uniform"):
        rows = evaluate(agent, SCENARIO, range(5), horizon=horizon)
        print(agent, rows.select("seed", "score", "horizon_oracle", "score_over_horizon_oracle"))
