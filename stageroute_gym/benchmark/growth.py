"""How time and memory grow with the models, the slots, the horizon and the number of episodes."""

from __future__ import annotations

from typing import Any

from stageroute_gym.benchmark.deciding import WINDOW, play_window
from stageroute_gym.benchmark.environments import vector_task
from stageroute_gym.benchmark.probe import AGENT, ENV_ID, probe
from stageroute_gym.benchmark.section import Effort, Section
from stageroute_gym.benchmark.timing import Task, time_tasks
from stageroute_gym.benchmark.worlds import outcome_files, random_world

# What stays as it is while one of the four changes.
MODELS, SLOTS, HORIZON, EPISODES = 30, 5, 10_000, 256
MODELS_FOR_SLOTS = 100
EPISODES_FOR_HORIZON = 4
STEPS_FOR_MEMORY = 50
FACTORS = ("models N", "slots M_max", "horizon T", "episodes E")
COLUMNS = ("environment step", "routing", "deploying", "memory")

Point = tuple[str, int]


def points(effort: Effort) -> dict[Point, dict[str, int]]:
    """What is measured: the factor that changes and its value, and the size that this makes."""
    sizes: dict[Point, dict[str, int]] = {}
    for models in effort.num_models:
        sizes[FACTORS[0], models] = {"models": models}
    for slots in effort.max_deployed:
        sizes[FACTORS[1], slots] = {"models": MODELS_FOR_SLOTS, "slots": slots}
    for horizon in effort.horizons:
        sizes[FACTORS[2], horizon] = {"horizon": horizon, "episodes": EPISODES_FOR_HORIZON}
    for episodes in effort.episodes:
        sizes[FACTORS[3], episodes] = {"episodes": episodes}
    base = {"models": MODELS, "slots": SLOTS, "horizon": HORIZON, "episodes": EPISODES}
    return {point: base | changed for point, changed in sizes.items()}


def measure(effort: Effort) -> Section:
    """Microseconds of a step and of StageRoute's decisions, and peak memory, at every point."""
    sizes = points(effort)
    with outcome_files(sorted({size["models"] for size in sizes.values()})) as files:
        worlds = {
            point: random_world(
                files[size["models"]], size["models"], size["slots"], size["horizon"]
            )
            for point, size in sizes.items()
        }
        times = {
            factor: _times({p: sizes[p] for p in sizes if p[0] == factor}, worlds, effort)
            for factor in FACTORS
        }
        memory = {point: _memory(point, size, worlds[point]) for point, size in sizes.items()}
    rows = tuple((point[0], point[1], *times[point[0]][point], memory[point]) for point in sizes)
    return Section(
        name="growth",
        title=f"Growth ({ENV_ID}, {AGENT}): microseconds for one episode, MiB of all",
        columns=("factor", "value", *COLUMNS),
        rows=rows,
        notes=(
            f"Random outcomes; unless it is the factor: N = {MODELS}, M_max = {SLOTS}, "
            f"T = {HORIZON:,}, E = {EPISODES}; N = {MODELS_FOR_SLOTS} where M_max changes, "
            f"E = {EPISODES_FOR_HORIZON} where T does. Memory is the peak of a process of its "
            "own, beyond imports and compiled code; it plays the whole horizon where T changes.",
        ),
    )


def _memory(point: Point, size: dict[str, int], world: dict[str, Any]) -> float | None:
    """MiB that playing takes beyond what the imports and the compiled code do."""
    # Only a whole horizon can show whether memory grows along it.
    steps = 2 * size["horizon"] if point[0] == FACTORS[2] else STEPS_FOR_MEMORY
    run = probe(size["episodes"], world, steps)
    return None if run["memory"] is None else run["memory"] - run["memory_at_start"]


def _times(
    sizes: dict[Point, dict[str, int]], worlds: dict[Point, dict[str, Any]], effort: Effort
) -> dict[Point, tuple[float, float, float]]:
    """Microseconds of a step, of routing a query and of deploying a set, for one episode."""
    tasks: dict[tuple[Point, str], Task] = {}
    for point, size in sizes.items():
        # An agent meets its second stage after a twentieth of the horizon: let that be soon.
        short = worlds[point] | {"horizon": 20 * 2 * WINDOW}
        window = play_window(AGENT, ENV_ID, size["episodes"], **short)
        tasks[point, "step"] = vector_task(ENV_ID, size["episodes"], **worlds[point])
        tasks[point, "route"] = window.routing_task()
        tasks[point, "deploy"] = window.deploying_task()
    timings = time_tasks(tasks, rounds=effort.rounds, round_seconds=effort.round_seconds)
    return {
        point: (
            timings[point, "step"].microseconds,
            timings[point, "route"].microseconds,
            timings[point, "deploy"].microseconds,
        )
        for point in sizes
    }
