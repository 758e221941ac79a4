"""A workload that changes over time: another one with changes laid over table and schedule."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeVar

from stageroute_gym.errors import FieldError
from stageroute_gym.problem import Problem
from stageroute_gym.workloads.schedule import Schedule
from stageroute_gym.workloads.table import OutcomeTable

Part = TypeVar("Part", bound="Workload | Change")


class Workload(Protocol):
    """What a scenario needs to know of the world: a frozen dataclass with JSON-native fields."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def __hash__(self) -> int:
        """Equal workloads have equal hashes, so that a world is built once."""

    def table(self) -> OutcomeTable:
        """Outcomes of every model on every query; the same at each call."""

    def schedule(self, table: OutcomeTable, problem: Problem) -> Schedule:
        """What holds in each stage of ``problem``.

        Raises:
            FieldError: if the workload cannot be laid out over the problem's stages.
        """


class Change(Protocol):
    """One change of a workload over time: a frozen dataclass with JSON-native fields.

    It may add rows or models to the table, behind those that are there, and rewrites the schedule
    to match.
    """

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def table(self, table: OutcomeTable) -> OutcomeTable:
        """The outcomes with the change, from those without it.

        Raises:
            FieldError: if the table lacks what the change is about.
        """

    def schedule(self, schedule: Schedule, table: OutcomeTable, problem: Problem) -> Schedule:
        """The schedule with the change.

        Args:
            schedule: the schedule without it.
            table: the outcomes without it.
            problem: the problem, whose update points are the moments at which things change.

        Raises:
            FieldError: if the table lacks what the change is about.
        """


@dataclass(frozen=True, kw_only=True)
class Changing:
    """A workload with changes; each is applied to the outcome of those before it.

    Args:
        base: the workload that they change.
        changes: the changes, in the order in which they are applied.
    """

    base: Workload
    changes: tuple[Change, ...]

    def table(self) -> OutcomeTable:
        """The outcomes of ``base`` with all changes."""
        return self._tables()[-1]

    def schedule(self, table: OutcomeTable, problem: Problem) -> Schedule:
        """The schedule of ``base`` with all changes.

        Raises:
            FieldError: if a change does not fit the table, or the base not the problem.
        """
        problem.throughput_per_model(table.num_models)
        first, *others = self._tables()
        shares = problem.throughput
        # One share for each model of the last table; the base knows only those of the first.
        known = shares[: first.num_models] if isinstance(shares, tuple) else shares
        schedule = self.base.schedule(first, problem.replace(throughput=known))
        for change, before in zip(self.changes, [first, *others], strict=False):
            schedule = change.schedule(schedule, before, problem)
        return schedule

    def _tables(self) -> list[OutcomeTable]:
        """The outcomes without a change, with the first one, and so on to all of them."""
        tables = [self.base.table()]
        for change in self.changes:
            tables.append(change.table(tables[-1]))
        return tables


def parts(workload: Workload) -> tuple[Workload | Change, ...]:
    """The dataclasses that hold a workload's options: itself, or its base's parts and changes."""
    if isinstance(workload, Changing):
        return (*parts(workload.base), *workload.changes)
    return (workload,)


def option_names(workload: Workload) -> tuple[str, ...]:
    """Names of all options of a workload, each once."""
    fields = (field.name for part in parts(workload) for field in dataclasses.fields(part))
    return tuple(dict.fromkeys(fields))


def replace_options(workload: Workload, **options: Any) -> Workload:
    """The workload with some options changed; an option goes to every part that has it.

    Raises:
        FieldError: if no part has an option of that name, or a value is not allowed.
    """
    names = option_names(workload)
    for name in options:
        if name not in names:
            raise FieldError("option of the workload", name, f"one of {', '.join(names)}")
    if not isinstance(workload, Changing):
        return _replace(workload, options)
    in_base = option_names(workload.base)
    base_options = {name: value for name, value in options.items() if name in in_base}
    return Changing(
        base=replace_options(workload.base, **base_options),
        changes=tuple(_replace(change, options) for change in workload.changes),
    )


def _replace(part: Part, options: dict[str, Any]) -> Part:
    names = {field.name for field in dataclasses.fields(part)}
    own = {name: value for name, value in options.items() if name in names}
    return dataclasses.replace(part, **own) if own else part
