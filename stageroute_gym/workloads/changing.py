"""A workload that changes over time: another one with changes laid over table and schedule."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, TypeVar

from stageroute_gym.errors import FieldError
from stageroute_gym.problem import Problem
from stageroute_gym.workloads.schedule import Schedule
from stageroute_gym.workloads.table import OutcomeTable
from stageroute_gym.workloads.workload import (
    AnyWorkload,
    Change,
    OfSeed,
    build,
    cost_bounds,
    draws_per_seed,
)

Part = TypeVar("Part", bound="AnyWorkload | Change")


@dataclass(frozen=True, kw_only=True)
class Changing:
    """A workload with changes; each is applied to the outcome of those before it.

    It draws a world for each seed if ``base`` does; the changes must then keep the costs within the
    base's ``cost_bounds``.

    Args:
        base: the workload that they change.
        changes: the changes, in the order in which they are applied.
    """

    base: AnyWorkload
    changes: tuple[Change, ...]

    @property
    def per_seed(self) -> bool:
        """Whether the base draws a world for each seed."""
        return draws_per_seed(self.base)

    @property
    def cost_bounds(self) -> tuple[float, float] | None:
        """Those of the base."""
        return cost_bounds(self.base)

    def build(self, problem: Problem, seed: int = 0) -> tuple[OutcomeTable, Schedule]:
        """Table and schedule of ``base`` with all changes.

        Raises:
            FieldError: if a change does not fit the table, or the base not the problem.
        """
        table, schedule = build(self.base, problem, seed)
        for change in self.changes:
            table, schedule = change.apply(table, schedule, problem)
        problem.throughput_per_model(table.num_models)
        return table, schedule


def parts(workload: AnyWorkload) -> tuple[AnyWorkload | Change, ...]:
    """The dataclasses that hold a workload's options: itself, or its base's parts and changes."""
    if isinstance(workload, Changing):
        return (*parts(workload.base), *workload.changes)
    return parts(workload.base) if isinstance(workload, OfSeed) else (workload,)


def option_names(workload: AnyWorkload) -> tuple[str, ...]:
    """Names of all options of a workload, each once."""
    fields = (field.name for part in parts(workload) for field in dataclasses.fields(part))
    return tuple(dict.fromkeys(fields))


def replace_options(workload: AnyWorkload, **options: Any) -> AnyWorkload:
    """The workload with some options changed; an option goes to every part that has it.

    Raises:
        FieldError: if no part has an option of that name, or a value is not allowed.
    """
    names = option_names(workload)
    for name in options:
        if name not in names:
            raise FieldError("option of the workload", name, f"one of {', '.join(names)}")
    if not isinstance(workload, (Changing, OfSeed)):
        return _replace(workload, options)
    in_base = option_names(workload.base)
    base_options = {name: value for name, value in options.items() if name in in_base}
    base = replace_options(workload.base, **base_options)
    if isinstance(workload, OfSeed):
        return dataclasses.replace(workload, base=base)
    return Changing(
        base=base, changes=tuple(_replace(change, options) for change in workload.changes)
    )


def _replace(part: Part, options: dict[str, Any]) -> Part:
    names = {field.name for field in dataclasses.fields(part)}
    own = {name: value for name, value in options.items() if name in names}
    return dataclasses.replace(part, **own) if own else part
