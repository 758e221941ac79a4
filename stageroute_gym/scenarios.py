"""The named, versioned scenarios, and the suites that leaderboards run over."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

from stageroute_gym.errors import FieldError, closest
from stageroute_gym.problem import Problem
from stageroute_gym.workloads import Workload
from stageroute_gym.workloads.figures import Figures
from stageroute_gym.workloads.recorded import Recorded
from stageroute_gym.world import World


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

        Raises:
            FieldError: if a name is neither, or a value is not allowed.
        """
        of_problem = Problem.field_names()
        of_workload = tuple(field.name for field in dataclasses.fields(self.workload))
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
            workload=dataclasses.replace(self.workload, **workload) if workload else self.workload,
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
    values = (getattr(workload, field.name) for field in dataclasses.fields(workload))
    paths = (value for value in values if isinstance(value, str) and os.path.isfile(value))
    return tuple(os.stat(path).st_mtime_ns for path in paths)


@lru_cache(maxsize=32)
def _build(problem: Problem, workload: Workload, modified: tuple[int, ...]) -> World:
    table = workload.table()
    problem.throughput_per_model(table.num_models)  # raises before anything is computed
    return World(problem, table, workload.schedule(table, problem))


_ROUTERBENCH = Problem(
    horizon=10_000, num_stages=22, max_deployed=5, throughput=0.4, budget=5e-4, budget_rule="hard"
)
_PAPER = _ROUTERBENCH.replace(horizon=36_497, num_stages=33)
# Under 1e-4 USD no mixture of the first six models is affordable, of the first seven one is.
_BY_RELEASE = Figures(arrival_order="release", initial_models=7)
_BY_STRENGTH = Figures(arrival_order="score", initial_models=5, arrival_interval=4_000)

_SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            "routerbench",
            1,
            _ROUTERBENCH,
            _BY_RELEASE,
            "RouterBench's 11 models, 7 at first and the others in order of release",
        ),
        Scenario(
            "routerbench-tight",
            1,
            _ROUTERBENCH.replace(budget=1e-4),
            _BY_RELEASE,
            "the same with a fifth of the budget: only the cheapest models fit",
        ),
        Scenario(
            "routerbench-loose",
            1,
            _ROUTERBENCH.replace(budget=2e-3),
            _BY_RELEASE,
            "the same with four times the budget: the best model can be used to its throughput",
        ),
        Scenario(
            "paper",
            1,
            _PAPER,
            _BY_STRENGTH,
            "the size of the paper's experiment: the 5 weakest models, one more each 4,000 queries",
        ),
        Scenario(
            "recorded",
            1,
            _PAPER,
            Recorded(data="", arrival_order="score", initial_models=5, arrival_interval=4_000),
            "outcomes from a file: data=PATH",
        ),
        Scenario(
            "swebench",
            1,
            Problem(
                horizon=10_000,
                num_stages=22,
                max_deployed=5,
                throughput=0.4,
                budget=0.3,
                budget_rule="hard",
            ),
            Recorded(data="", models=""),
            "outcomes from a file, models arriving by their dates: data=PATH models=PATH",
        ),
    )
}


@dataclass(frozen=True)
class Suite:
    """Scenarios and seeds that are run together.

    Args:
        name: name of the suite.
        scenarios: names of its scenarios.
        seeds: seeds of the episodes of each of them.
        description: what it is for, in a line.
    """

    name: str
    scenarios: tuple[str, ...]
    seeds: tuple[int, ...]
    description: str


_SUITES = {
    suite.name: suite
    for suite in (
        Suite(
            "quick",
            ("routerbench", "routerbench-tight", "routerbench-loose"),
            tuple(range(10)),
            "the three budgets, 10 seeds; under a minute",
        ),
        Suite(
            "full",
            ("routerbench", "routerbench-tight", "routerbench-loose", "paper"),
            tuple(range(20)),
            "everything that needs no file, 20 seeds",
        ),
    )
}


def names() -> list[str]:
    """Names of all scenarios."""
    return list(_SCENARIOS)


def get(name: str, **overrides: Any) -> Scenario:
    """The scenario of that name.

    Args:
        name: one of `names()`.
        overrides: fields of `stageroute_gym.problem.Problem`, and options of the workload.

    Raises:
        FieldError: if there is no such scenario or argument, or a value is not allowed.
    """
    if not isinstance(name, str) or name not in _SCENARIOS:
        raise FieldError("scenario", name, closest(str(name), _SCENARIOS))
    return _SCENARIOS[name].override(**overrides)


def suite_names() -> list[str]:
    """Names of all suites."""
    return list(_SUITES)


def suite(name: str) -> Suite:
    """The suite of that name.

    Raises:
        FieldError: if there is no such suite.
    """
    if not isinstance(name, str) or name not in _SUITES:
        raise FieldError("suite", name, closest(str(name), _SUITES))
    return _SUITES[name]
