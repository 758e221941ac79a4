"""A random world as a workload, and the problem that is played in it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from stageroute_gym import checks
from stageroute_gym.problem import Problem
from stageroute_gym.workloads.schedule import Schedule
from stageroute_gym.workloads.table import OutcomeTable
from stageroute_gym.workloads.worlds.course import draw_schedule
from stageroute_gym.workloads.worlds.outcomes import draw_table
from stageroute_gym.workloads.worlds.traits import (
    HALVES,
    MOST_STAGES,
    Traits,
    count_between,
    draw_traits,
)

LARGEST_NUMBER = 10**9
_USES = ("models", "table", "problem", "schedule")


@dataclass(frozen=True, kw_only=True)
class RandomWorld:
    """One world of a family that is drawn by number: models, outcomes, prices, changes, problem.

    Number of models, horizon and stages differ between the worlds, so that each has spaces of its
    own. Table and problem depend on half and number alone; the schedule is laid over the stages of
    the problem that is played.

    Args:
        half: ``tune``, to choose agents and parameters by, or ``test``, to report on.
        world: number of the world, 0 to 1e9.

    Raises:
        FieldError: if a value is out of range.
    """

    half: str
    world: int = 0

    def __post_init__(self) -> None:
        checks.choice("half", self.half, HALVES)
        object.__setattr__(self, "world", checks.count("world", self.world, 0, LARGEST_NUMBER))

    @property
    def traits(self) -> Traits:
        """What kind of world it is."""
        return draw_traits(self.half, self.world)

    @property
    def table(self) -> OutcomeTable:
        """Its outcomes."""
        return _table(self)

    def problem(self) -> Problem:
        """The problem that is drawn with the world."""
        rng, traits, models = self.rng("problem"), self.traits, self.table.num_models
        horizon = count_between(traits.horizon, rng)
        slots = {"one": 1, "some": max(1, round(models ** rng.uniform(0.3, 0.9))), "all": models}
        throughput = _throughput(traits.alphas, slots[traits.slots], models, rng)
        delay = int(rng.uniform(0.005, 0.1) * horizon) if traits.delay == "delayed" else 0
        budget = _budget(traits.budget, self.table, throughput, slots[traits.slots], rng)
        return Problem(
            horizon=horizon,
            num_stages=_stages(traits.stages, horizon, rng),
            max_deployed=slots[traits.slots],
            throughput=tuple(_rounded(share) for share in throughput.tolist()),
            budget=_rounded(budget),
            feedback_delay=delay,
        )

    def build(self, problem: Problem) -> tuple[OutcomeTable, Schedule]:
        """The world's table, and its schedule over the stages of ``problem``."""
        starts = problem.stage_bounds[:-1] / problem.horizon
        return self.table, draw_schedule(self.traits, self.table, starts, self.rng("schedule"))

    def rng(self, use: str) -> np.random.Generator:
        """Random numbers for one of `_USES`, which no other use shifts."""
        # From 1, since seeds are filled up with zeros: these are not the streams of the traits.
        number = 1 + _USES.index(use)
        return np.random.default_rng([HALVES.index(self.half), self.world, 0, number])


# Not kept in the workload itself, which travels to other processes.
@lru_cache(maxsize=32)
def _table(world: RandomWorld) -> OutcomeTable:
    models = count_between(world.traits.models, world.rng("models"))
    return draw_table(world.traits, models, world.rng("table"))


def _rounded(value: float) -> float:
    """Six digits: the problem is then the same whatever the last bits of a libm's exponentials."""
    return float(f"{value:.6g}")


def _stages(kind: str, horizon: int, rng: np.random.Generator) -> int:
    low, high = {"one": (1, 1), "few": (2, 30), "many": (30, min(horizon, MOST_STAGES))}[kind]
    return min(round(math.exp(rng.uniform(math.log(low), math.log(high)))), horizon)


def _throughput(
    kind: str, slots: int, models: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Shares of the models, shape (N,), float64.

    Equal and mixed ones let the slots serve all queries on average; below one, no set can.
    """
    if kind == "mixed":
        shares = rng.uniform(0.3, 3.0, models) * rng.uniform(1.0, 2.0) / slots
    elif kind == "equal":
        shares = np.full(models, rng.uniform(1.0, 2.5) / slots)
    else:
        shares = np.full(models, rng.uniform(0.5, 0.95) / slots)
    clipped: NDArray[np.float64] = np.minimum(shares, 1.0)
    return clipped


def _budget(
    kind: str,
    table: OutcomeTable,
    throughput: NDArray[np.float64],
    slots: int,
    rng: np.random.Generator,
) -> float:
    """USD a query, between a tenth of the cheapest service and ten times the dearest model."""
    cost = table.mean_cost()
    cheapest = np.argsort(cost)[:slots]
    room = np.diff(np.minimum(throughput[cheapest].cumsum(), 1.0), prepend=0.0)
    low, high = float(cost[cheapest] @ room / room.sum()), float(cost.max())
    ends = {"tight": (0.02, 0.35), "middle": (0.35, 0.9)}
    if kind == "scarce":
        return low * 10 ** rng.uniform(-1.0, -0.1)
    if kind == "loose":
        return high * 10 ** rng.uniform(0.0, 1.0)
    return low * (high / low) ** rng.uniform(*ends[kind])
