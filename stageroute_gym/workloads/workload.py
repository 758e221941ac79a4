"""What a scenario needs of the world: workloads, and changes that are laid over them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, cast

from stageroute_gym.errors import FieldError
from stageroute_gym.problem import Problem
from stageroute_gym.workloads.schedule import Schedule
from stageroute_gym.workloads.table import OutcomeTable


class Workload(Protocol):
    """Where outcomes, arrivals and prices come from: a frozen dataclass with JSON-native fields."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def __hash__(self) -> int:
        """Equal workloads have equal hashes, so that a world is built once."""

    def build(self, problem: Problem) -> tuple[OutcomeTable, Schedule]:
        """Outcomes of every model on every query, and what holds in each stage of ``problem``.

        The same at each call.

        Raises:
            FieldError: if the workload cannot be laid out over the problem's stages.
        """


class PerSeedWorkload(Protocol):
    """A distribution over worlds: a workload that draws another one for each seed.

    All its worlds have the same models and the same number of features, which lie in [-1, 1].

    Attributes:
        per_seed: True, which is how one knows it.
    """

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]
    per_seed: ClassVar[bool]

    @property
    def cost_bounds(self) -> tuple[float, float]:
        """USD between which the costs and list prices of all its worlds lie.

        It says how far observations reach, so that all worlds share an observation space.
        """

    def __hash__(self) -> int:
        """Equal workloads have equal hashes."""

    def build(self, problem: Problem, seed: int) -> tuple[OutcomeTable, Schedule]:
        """As `Workload.build`, for a seed, an integer of at least 0."""


AnyWorkload = Workload | PerSeedWorkload


class Change(Protocol):
    """One change of a workload over time: a frozen dataclass with JSON-native fields.

    It may add rows or models to the table, behind those that are there, and rewrites the schedule
    to match.
    """

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def apply(
        self, table: OutcomeTable, schedule: Schedule, problem: Problem
    ) -> tuple[OutcomeTable, Schedule]:
        """Table and schedule with the change, from those without it.

        Args:
            table: the outcomes without it.
            schedule: the schedule without it.
            problem: the problem, whose update points are the moments at which things change.

        Raises:
            FieldError: if the table lacks what the change is about.
        """


@dataclass(frozen=True, kw_only=True)
class OfSeed:
    """One world of a distribution: a workload that is no longer drawn anew.

    Args:
        base: the workload that draws a world for each seed.
        seed: the seed of this one.
    """

    base: AnyWorkload
    seed: int

    @property
    def cost_bounds(self) -> tuple[float, float] | None:
        """Those of all worlds of the distribution."""
        return cost_bounds(self.base)

    def build(self, problem: Problem) -> tuple[OutcomeTable, Schedule]:
        """The world of the seed."""
        return build(self.base, problem, self.seed)


def draws_per_seed(workload: AnyWorkload) -> bool:
    """Whether the workload draws another world for each seed."""
    return bool(getattr(workload, "per_seed", False))


def cost_bounds(workload: AnyWorkload) -> tuple[float, float] | None:
    """What a workload says of the costs of all its worlds; None if there is only one world."""
    return getattr(workload, "cost_bounds", None)


def build(workload: AnyWorkload, problem: Problem, seed: int = 0) -> tuple[OutcomeTable, Schedule]:
    """Table and schedule of a workload; ``seed`` counts only if it draws a world for each.

    Raises:
        FieldError: as by `Workload.build`, or if that returns anything else.
    """
    built: Any
    if draws_per_seed(workload):
        built = cast("PerSeedWorkload", workload).build(problem, seed)
    else:
        built = cast("Workload", workload).build(problem)
    # Others' workloads too are built here.
    table, schedule = built if isinstance(built, tuple) and len(built) == 2 else (built, None)
    if isinstance(table, OutcomeTable) and isinstance(schedule, Schedule):
        return table, schedule
    returned = f"what build of {type(workload).__name__} returns"
    kinds = (type(table).__name__, type(schedule).__name__)
    raise FieldError(returned, kinds, "an OutcomeTable and a Schedule")
