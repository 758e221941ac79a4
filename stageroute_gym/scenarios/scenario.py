"""A scenario: a problem and a workload under a name, and the world that they make."""

from __future__ import annotations

import dataclasses
import inspect
import json
import os
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import numpy as np

from stageroute_gym import checks
from stageroute_gym.errors import FieldError, unknown_argument
from stageroute_gym.problem import Problem
from stageroute_gym.simulator.world import World
from stageroute_gym.workloads import AnyWorkload, OfSeed
from stageroute_gym.workloads.changing import option_names, parts, replace_options
from stageroute_gym.workloads.workload import build, cost_bounds, draws_per_seed


@dataclass(frozen=True)
class Scenario:
    """A problem and the workload it is played on, under a name.

    It can be pickled, and stands wherever a scenario's name does: in ``gymnasium.make``, in
    `stageroute_gym.evaluation.evaluate`, in a leaderboard.

    Args:
        name: name of the scenario.
        version: raised whenever the scenario's trajectories change.
        problem: the problem.
        workload: where outcomes, arrivals and prices come from.
        description: what it is for, in a line.

    Raises:
        FieldError: if the name is empty, the problem is none, or the workload is not a frozen
            dataclass with JSON-native fields and a method ``build``.
    """

    name: str
    version: int
    problem: Problem
    workload: AnyWorkload
    description: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name or self.name != self.name.strip():
            raise FieldError("name", self.name, "a name, as text without blanks around it")
        checks.count("version", self.version, 0)
        if not isinstance(self.problem, Problem):
            raise FieldError("problem", self.problem, "a stageroute_gym.problem.Problem")
        _check_workload(self.workload)

    @property
    def per_seed(self) -> bool:
        """Whether each seed draws a world of its own."""
        return draws_per_seed(self.workload)

    def override(self, **overrides: Any) -> Self:
        """The scenario with some fields of its problem or options of its workload changed.

        An option that several changes of the workload have goes to all of them.

        Raises:
            UnknownArgumentError: if a name is neither.
            FieldError: if a value is not allowed.
        """
        of_problem = Problem.field_names()
        of_workload = option_names(self.workload)
        for name in overrides:
            if name not in of_problem + of_workload:
                raise unknown_argument(f"scenario {self.name}", name, of_problem + of_workload)
        listed = {k: tuple(v) if isinstance(v, list) else v for k, v in overrides.items()}
        problem = {name: value for name, value in listed.items() if name in of_problem}
        workload = {name: value for name, value in listed.items() if name in of_workload}
        return dataclasses.replace(
            self,
            problem=self.problem.replace(**problem),
            workload=replace_options(self.workload, **workload) if workload else self.workload,
        )

    def world(self, seed: int = 0) -> World:
        """The world that the scenario is played in; built once for equal scenarios.

        Args:
            seed: counts only where each seed draws a world of its own: the one in which an episode
                plays that is reset with this seed.

        Raises:
            FieldError: if the workload's files have a fault, or its models do not fit the problem.
        """
        seed = seed if self.per_seed else 0
        return _build(self.problem, self.workload, seed, _modified(self.workload))

    def of_seed(self, seed: int) -> Self:
        """The scenario that is played in the world of one seed only; itself if all share one."""
        if not self.per_seed:
            return self
        return dataclasses.replace(self, workload=OfSeed(base=self.workload, seed=seed))

    def notes(self) -> tuple[str, ...]:
        """What a user should know before running it: models that never arrive, and the like.

        Raises:
            FieldError: as `world`.
        """
        world = self.world()
        gone = np.flatnonzero(~world.schedule.available.any(axis=0)).tolist()
        names = [world.table.models[model] for model in gone]
        lines = [note for part in parts(self.workload) for note in _notes_of(part, self.problem)]
        if names:
            lines.append(
                f"never on offer in {self.problem.horizon:,} queries: {', '.join(names)}; give a "
                "longer horizon, more stages, a shorter arrival_interval or more initial_models"
            )
        return tuple(lines)

    def check_json(self) -> None:
        """See whether the scenario can be written as JSON, as results need it.

        Raises:
            FieldError: if a field of the workload is not JSON-native.
        """
        try:
            json.dumps(self.to_dict())
        except (TypeError, ValueError) as error:
            allowed = f"JSON-native fields, since results say what they are about; {error}"
            raise FieldError("workload", self.workload, allowed) from error

    def to_dict(self) -> dict[str, Any]:
        """The scenario as JSON-native values."""
        return {
            "name": self.name,
            "version": self.version,
            "problem": self.problem.to_dict(),
            "workload": dataclasses.asdict(self.workload),
        }


def _check_workload(workload: object) -> None:
    kind = type(workload).__name__
    parameters = getattr(workload, "__dataclass_params__", None)
    if isinstance(workload, type):
        allowed = f"an instance of a frozen dataclass: {workload.__name__}(), not the class itself"
        raise FieldError("workload", workload, allowed)
    if parameters is None or not parameters.frozen:
        allowed = f"an instance of a frozen dataclass: put @dataclass(frozen=True) above {kind}"
        raise FieldError("workload", workload, allowed)
    build_it = getattr(workload, "build", None)
    seeded = draws_per_seed(workload)  # type: ignore[arg-type]
    form = f"build({'problem, seed' if seeded else 'problem'}) -> (table, schedule)"
    if not callable(build_it):
        raise FieldError("workload", workload, f"a workload: {kind} needs a method {form}")
    try:
        inspect.signature(build_it).bind(*[None] * (2 if seeded else 1))
    except TypeError as error:
        raise FieldError(f"build of {kind}", workload, f"{form}; {error}") from error
    try:
        hash(workload)
    except TypeError as error:
        allowed = f"hashable fields, tuples and not lists; {error}"
        raise FieldError("workload", workload, allowed) from error
    bounds = cost_bounds(workload)  # type: ignore[arg-type]
    if bounds is not None:
        checks.interval(f"cost_bounds of {kind}", bounds, 0)
    elif seeded:
        allowed = f"cost_bounds = (lowest, highest) in {kind}, since each seed draws other costs"
        raise FieldError("workload", workload, allowed)


def _notes_of(part: object, problem: Problem) -> tuple[str, ...]:
    notes = getattr(part, "notes", None)
    return () if notes is None else tuple(notes(problem))


def _modified(workload: AnyWorkload) -> tuple[int, ...]:
    """When the workload's files last changed, so that a changed file is read again."""
    values = (
        getattr(part, field.name) for part in parts(workload) for field in dataclasses.fields(part)
    )
    paths = (value for value in values if isinstance(value, str) and os.path.isfile(value))
    return tuple(os.stat(path).st_mtime_ns for path in paths)


@lru_cache(maxsize=32)
def _build(problem: Problem, workload: AnyWorkload, seed: int, modified: tuple[int, ...]) -> World:
    table, schedule = build(workload, problem, seed)
    return World(problem, table, schedule, cost_bounds(workload))
