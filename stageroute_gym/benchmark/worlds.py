"""Worlds of any size, and legal actions prepared in advance to step environments with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.problem import Problem
from stageroute_gym.scenarios import Scenario
from stageroute_gym.simulator.world import World
from stageroute_gym.workloads import OutcomeTable, Schedule

NUM_QUERIES = 256
NUM_STAGES = 20
MEAN_COST = 5e-4  # USD


class Size(NamedTuple):
    """How large a world is.

    Attributes:
        models: ``N``.
        slots: ``M_max``.
        horizon: ``T``.
    """

    models: int
    slots: int
    horizon: int


@dataclass(frozen=True)
class RandomOutcomes:
    """A workload of random outcomes, with all models there from the start.

    Args:
        num_models: ``N``.
    """

    num_models: int

    def build(self, problem: Problem) -> tuple[OutcomeTable, Schedule]:
        """One query mix, constant prices, and every model in every stage."""
        table = self._table()
        everything = np.ones((len(problem.stage_lengths), table.num_models), np.bool_)
        return table, Schedule.stationary(table, everything)

    def _table(self) -> OutcomeTable:
        """Scores of 0 or 1, and costs that rise with a model's strength."""
        rng = np.random.default_rng(self.num_models)
        strength = rng.permutation(np.linspace(0.2, 0.9, self.num_models))
        price = np.exp(3.0 * (strength - 0.55) + 0.5 * rng.standard_normal(self.num_models))
        shape = (NUM_QUERIES, self.num_models)
        return OutcomeTable(
            models=tuple(f"m{number}" for number in range(self.num_models)),
            score=(rng.random(shape) < strength).astype(np.float64),
            cost=MEAN_COST * price * rng.gamma(2.0, 0.5, (NUM_QUERIES, 1)),
            task=np.zeros(NUM_QUERIES, np.int64),
            task_names=("all",),
        )


def random_scenario(size: Size) -> Scenario:
    """A scenario of that size; the throughput lets each deployed model take twice its share."""
    problem = Problem(
        horizon=size.horizon,
        num_stages=NUM_STAGES,
        max_deployed=size.slots,
        budget=MEAN_COST,
        budget_rule="soft",
        throughput=min(1.0, 2.0 / size.slots),
    )
    return Scenario("random", 1, problem, RandomOutcomes(size.models), "random outcomes")


def legal_actions(world: World, num_envs: int, *, continuous: bool) -> list[NDArray[Any]]:
    """Actions that are legal in every state, to be used in turns, each for ``num_envs``.

    Discrete: ``M_max`` models that are on offer in all stages, one after the other. In a deploy
    phase these are distinct models and fill the slots; in a route phase each has its equal share,
    which the throughput allows. Neighbouring environments are one model apart. Continuous: equal
    positive weights for these models.
    """
    always = np.flatnonzero(world.schedule.available.all(axis=0))
    size = min(world.problem.max_deployed, len(always))
    models = always[:size]
    if continuous:
        weights = np.full((num_envs, world.num_models), -1.0, np.float32)
        weights[:, models] = 1.0
        return [weights]
    places = np.arange(num_envs)
    return [models[(places + turn) % size] for turn in range(size)]
