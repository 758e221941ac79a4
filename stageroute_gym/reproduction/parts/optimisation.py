"""What the two programmes cost: time by solver and size, how often they run, and memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stageroute_gym import checks, scenarios
from stageroute_gym.benchmark.probe import probe
from stageroute_gym.benchmark.programmes import (
    CASES,
    GUROBI,
    HIGHS,
    OURS,
    SCIPY,
    deploy_task,
    random_programmes,
    route_task,
    solver_task,
)
from stageroute_gym.benchmark.quiet import nothing_printed
from stageroute_gym.benchmark.solvers import (
    Programme,
    Solve,
    installed,
    scipy_deploy,
    scipy_route,
    warm_gurobi,
    warm_highs_deploy,
    warm_highs_route,
)
from stageroute_gym.benchmark.timing import Task, time_tasks
from stageroute_gym.benchmark.worlds import Size
from stageroute_gym.errors import FieldError
from stageroute_gym.optimize import deploy_mip, route_lp
from stageroute_gym.reproduction.part import Measured

if TYPE_CHECKING:
    from stageroute_gym.evaluation.trials import LeaderboardSettings
    from stageroute_gym.report.results import Results

ROUTE, DEPLOY, SCARCE = "RouteOPT", "DeployOPT", "DeployOPT, scarce slots"
_LEAST_SLOTS = 3  # of throughput 0.4 each, as in `random_programmes`, that serve every query
_LEAST_SCARCE_SLOTS = 5  # with fewer, some programmes with small caps have no solution
_STEPS_FOR_MEMORY = 200


@dataclass(frozen=True)
class Settings:
    """Settings of the part.

    Attributes:
        models: values of N, of which random programmes are known; the first is where M_max varies.
        slots: values of M_max, at least 3; the first, at least 5, is where N varies.
        rounds: rounds of each measurement.
        round_seconds: about how long a round takes.
        scenarios: scenarios of whose episodes the programmes are counted.
        memory_models: values of N at which memory is measured.
    """

    models: tuple[int, ...]
    slots: tuple[int, ...]
    rounds: int
    round_seconds: float
    scenarios: tuple[str, ...]
    memory_models: tuple[int, ...]

    def __post_init__(self) -> None:
        for size in self.models:
            if size not in CASES:
                raise FieldError("models", size, f"one of {sorted(CASES)}")
        for place, slots in enumerate(self.slots):
            least = _LEAST_SLOTS if place else _LEAST_SCARCE_SLOTS
            checks.count("slots", slots, least, self.models[0])
        for size in self.memory_models:
            checks.count("memory_models", size, 5, 10_000)
        checks.count("rounds", self.rounds, 1)
        checks.number("round_seconds", self.round_seconds, 0, above=True)
        for name in self.scenarios:
            scenarios.get(name)


def boards(settings: Settings) -> dict[str, LeaderboardSettings]:
    """None."""
    return {}


def measure(
    settings: Settings, boards: Mapping[str, Results], tell: Callable[[str], None]
) -> Measured:
    """Sizes, counts and agreement as results; times and memory as timings."""
    rows, agreement = [], []
    for size, slots in _places(settings):
        tell(f"  {size} models, {slots} slots")
        # RouteOPT runs over what is deployed, whatever the pool.
        first = slots == settings.slots[0]
        programmes: dict[str, list[Programme] | None] = {
            ROUTE: random_programmes(size, slots=size)
            if first and size <= max(settings.slots)
            else None,
            DEPLOY: random_programmes(size, slots=slots),
            # Where the relaxation is not the solution, and sets have to be searched.
            SCARCE: random_programmes(size, scarce=True, slots=slots)
            if first and slots < size
            else None,
        }
        for kind, cases in programmes.items():
            if cases is None:
                continue
            with nothing_printed():
                agreement.append(_agreement(kind, size, slots, cases))
                times = time_tasks(
                    _tasks(kind, size, cases),
                    rounds=settings.rounds,
                    round_seconds=settings.round_seconds,
                )
            rows += [
                {"programme": kind, "models": size, "slots": slots, "solver": solver}
                | {"microseconds": timing.microseconds}
                for solver, timing in times.items()
            ]
    memory = []
    for size in settings.memory_models:
        tell(f"  memory with {size} models")
        memory.append({"models": size, "mebibytes": _memory(size, settings.slots[0])})
    summary = {
        "agreement": agreement,
        "episodes": [_counts(name) for name in settings.scenarios],
        "base": {"models": settings.models[0], "slots": settings.slots[0]},
        "missing": [name for name in ("highspy", "gurobipy") if not installed(name)],
    }
    return Measured(summary, timings={"times": rows, "memory": memory})


def _places(settings: Settings) -> list[tuple[int, int]]:
    by_models = [(size, settings.slots[0]) for size in sorted(settings.models)]
    by_slots = [(settings.models[0], slots) for slots in sorted(settings.slots)]
    return list(dict.fromkeys(by_models + by_slots))


def _general(kind: str, size: int) -> dict[str, Solve]:
    """General solvers that are installed, by name."""
    deploy = kind != ROUTE
    found: dict[str, Solve] = {SCIPY: scipy_deploy if deploy else scipy_route}
    if installed("highspy"):
        found[HIGHS] = warm_highs_deploy(size) if deploy else warm_highs_route(size)
    if installed("gurobipy"):
        found[GUROBI] = warm_gurobi(size, deploy=deploy)
    return found


def _tasks(kind: str, size: int, cases: list[Programme]) -> dict[str, Task]:
    ours = route_task(cases) if kind == ROUTE else deploy_task(cases)
    general = {name: solver_task(solve, cases) for name, solve in _general(kind, size).items()}
    return {OURS: ours, **general}


def _agreement(kind: str, size: int, slots: int, cases: list[Programme]) -> dict[str, Any]:
    """By which power of ten the values of ours and of each solver differ at most."""
    differences = {}
    for name, solve in _general(kind, size).items():
        largest = max(abs(solve(case) / _value(kind, case) - 1) for case in cases)
        differences[name] = None if largest < 1e-12 else math.ceil(math.log10(largest))
    return {
        "programme": kind,
        "models": size,
        "slots": slots,
        "cases": len(cases),
        "differences": differences,
    }


def _value(kind: str, case: Programme) -> float:
    if kind == ROUTE:
        return float(route_lp(case.score, case.cost, 1.0, case.throughput).value)
    return deploy_mip(case.score, case.cost, 1.0, case.throughput, case.slots).value


def _counts(name: str) -> dict[str, Any]:
    """How often StageRoute solves each programme in an episode that serves all queries."""
    scenario = scenarios.get(name)
    return {
        "scenario": name,
        "models": scenario.world().num_models,
        "slots": scenario.problem.max_deployed,
        ROUTE: scenario.problem.horizon,
        DEPLOY: len(scenario.problem.stage_lengths),
    }


def _memory(models: int, slots: int) -> float | None:
    """MiB that one episode takes beyond imports and compiled code, at most."""
    run = probe(1, Size(models, slots, 10_000), _STEPS_FOR_MEMORY)
    return None if run["memory"] is None else run["memory"] - run["memory_at_start"]
