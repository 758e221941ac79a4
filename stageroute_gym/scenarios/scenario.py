"""A scenario: a problem and a workload under a name, and the world that they make."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

from stageroute_gym.errors import FieldError, closest
from stageroute_gym.problem import Problem
from stageroute_gym.simulator.world import World
from stageroute_gym.workloads import Workload
from stageroute_gym.workloads.changing import option_names, parts, replace_options


@dataclass(frozen=True)
class Scenario:
    """A problem and the workload it is played on, under a name.

    Args:
        name: name of the scenario.
        version: raised whenever the scenario's trajectories change.
        problem: the problem.
        workload: where outcomes, arrivals and prices come from; None for a scenario that needs
            an argument of the user's first, such as ``data``.
        description: what it is for, in a line.
    """

    name: str
    version: int
    problem: Problem
    workload: Workload
    description: str

    def override(self, **overrides: Any) -> Self:
        """The scenario with some fields of its problem or options of its workload changed.

        An option that several changes of the workload have goes to all of them.

        Raises:
            FieldError: if a name is neither, or a value is not allowed.
        """
        of_problem = Problem.field_names()
        of_workload = option_names(self.workload)
        for name in overrides:
            if name not in of_problem + of_workload:
                hint = closest(name, of_problem + of_workload)
                raise FieldError(f"argument of scenario {self.name}", name, hint)
        listed = {k: tuple(v) if isinstance(v, list) else v for k, v in overrides.items()}
        problem = {name: value for name, value in listed.items() if name in of_problem}
        workload = {name: value for name, value in listed.items() if name in of_workload}
        return dataclasses.replace(
            self,
            problem=self.problem.replace(**problem),
            workload=replace_options(self.workload, **workload) if workload else self.workload,
        )

    def world(self) -> World:
        """The world that the scenario is played in; built once for equal scenarios.

        Raises:
            FieldError: if the workload's files have a fault, or its models do not fit the problem.
        """
        return _build(self.problem, self.workload, _modified(self.workload))

    def to_dict(self) -> dict[str, Any]:
        """The scenario as JSON-native values."""
        return {
            "name": self.name,
            "version": self.version,
            "problem": self.problem.to_dict(),
            "workload": dataclasses.asdict(self.workload),
        }


def _modified(workload: Workload) -> tuple[int, ...]:
    """When the workload's files last changed, so that a changed file is read again."""
    values = (
        getattr(part, field.name) for part in parts(workload) for field in dataclasses.fields(part)
    )
    paths = (value for value in values if isinstance(value, str) and os.path.isfile(value))
    return tuple(os.stat(path).st_mtime_ns for path in paths)


@lru_cache(maxsize=32)
def _build(problem: Problem, workload: Workload, modified: tuple[int, ...]) -> World:
    table = workload.table()
    problem.throughput_per_model(table.num_models)  # raises before anything is computed
    return World(problem, table, workload.schedule(table, problem))
