"""RouteOPT and DeployOPT beside general solvers, on random programmes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stageroute_gym.benchmark.quiet import nothing_printed
from stageroute_gym.benchmark.section import Effort, Section
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

OURS, SCIPY, HIGHS, GUROBI = "stageroute-gym", "scipy", "HiGHS, warm", "Gurobi, warm"
SOLVERS = (OURS, SCIPY, HIGHS, GUROBI)
ROUTE_SIZES = (5, 11)
DEPLOY_SIZES = (11, 100, 900)  # the licence that comes with gurobipy ends at 2,000 variables
SLOTS = 5
CASES = {5: 16, 11: 16, 100: 6, 900: 2}  # programmes by the number of models


def random_programmes(size: int, *, scarce: bool = False, slots: int = SLOTS) -> list[Programme]:
    """Programmes in which costs rise with scores and the budget binds.

    Args:
        size: number of models, one of those in `CASES`.
        scarce: caps so small that slots bind, and the relaxation is not the solution; otherwise
            caps are 0.4, as in the scenarios.
        slots: how many models may be used.
    """
    rng = np.random.default_rng(size)
    drawn = []
    for _ in range(CASES[size]):
        score = rng.uniform(0.3, 0.95, size)
        cost = np.exp(4.0 * (score - 0.7) + rng.standard_normal(size))
        caps = rng.uniform(0.02, 0.35, size) if scarce else np.full(size, 0.4)
        if scarce:
            caps[rng.permutation(size)[:slots]] = 0.35  # so that the slots can serve all queries
        # The best scores alone are to cost one and a half budgets.
        shares = np.zeros(size)
        left = 1.0
        for model in np.argsort(-score)[:slots]:
            shares[model] = min(caps[model], left)
            left -= shares[model]
        drawn.append(Programme(score, 1.5 * cost / (cost @ shares), caps, slots))
    return drawn


def route_task(programmes: list[Programme]) -> Task:
    """RouteOPT by `stageroute_gym.optimize.route_lp`, on all programmes."""
    from stageroute_gym.optimize import route_lp

    return _task(lambda case: route_lp(case.score, case.cost, 1.0, case.throughput), programmes)


def deploy_task(programmes: list[Programme]) -> Task:
    """DeployOPT by `stageroute_gym.optimize.deploy_mip`, on all programmes."""
    from stageroute_gym.optimize import deploy_mip

    return _task(
        lambda case: deploy_mip(case.score, case.cost, 1.0, case.throughput, case.slots), programmes
    )


def solver_task(solve: Solve, programmes: list[Programme]) -> Task:
    """A general solver on all programmes."""
    return _task(solve, programmes)


def _task(solve: Callable[[Programme], object], programmes: list[Programme]) -> Task:
    def solve_all() -> None:
        for programme in programmes:
            solve(programme)

    return Task(solve_all, units=len(programmes))


@nothing_printed()
def measure(effort: Effort) -> Section:
    """Microseconds a programme, by each solver."""
    rows: list[tuple[str | float | None, ...]] = []
    for size in ROUTE_SIZES:
        programmes = random_programmes(size, slots=size)
        tasks = {OURS: route_task(programmes), SCIPY: solver_task(scipy_route, programmes)}
        if installed("highspy"):
            tasks[HIGHS] = solver_task(warm_highs_route(size), programmes)
        if installed("gurobipy"):
            tasks[GUROBI] = solver_task(warm_gurobi(size, deploy=False), programmes)
        rows.append((f"RouteOPT, {size} models", *_times(tasks, effort)))
    for scarce in (False, True):
        for size in DEPLOY_SIZES:
            programmes = random_programmes(size, scarce=scarce)
            tasks = {OURS: deploy_task(programmes), SCIPY: solver_task(scipy_deploy, programmes)}
            if installed("highspy"):
                tasks[HIGHS] = solver_task(warm_highs_deploy(size), programmes)
            if installed("gurobipy"):
                tasks[GUROBI] = solver_task(warm_gurobi(size, deploy=True), programmes)
            kind = "scarce slots" if scarce else "caps of 0.4"
            rows.append((f"DeployOPT, {size} models, {kind}", *_times(tasks, effort)))
    missing = [name for name in ("highspy", "gurobipy") if not installed(name)]
    return Section(
        name="programmes",
        title="RouteOPT and DeployOPT: microseconds a programme",
        columns=("programme", *SOLVERS),
        rows=tuple(rows),
        notes=(
            f"Random programmes in turns, {SLOTS} slots; HiGHS and Gurobi keep one model "
            "and get its numbers changed. Scarce slots: small and unequal caps, so that the "
            "relaxation is not the solution.",
            *(f"{name} is not installed." for name in missing),
        ),
    )


def _times(tasks: dict[str, Task], effort: Effort) -> list[float | None]:
    timings = time_tasks(tasks, rounds=effort.rounds, round_seconds=effort.round_seconds)
    return [timings[name].microseconds if name in tasks else None for name in SOLVERS]
