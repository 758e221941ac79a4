"""How time and memory grow with the models, the slots, the horizon and the number of episodes."""

from __future__ import annotations

from stageroute_gym.benchmark.deciding import WINDOW, play_window
from stageroute_gym.benchmark.environments import vector_task
from stageroute_gym.benchmark.probe import AGENT, ENV_ID, probe
from stageroute_gym.benchmark.section import Effort, Section
from stageroute_gym.benchmark.timing import Task, time_tasks
from stageroute_gym.benchmark.worlds import NUM_STAGES, Size, random_scenario

# What stays as it is while one of the four changes.
MODELS, SLOTS, HORIZON, EPISODES = 30, 5, 10_000, 256
MODELS_FOR_SLOTS = 100
EPISODES_FOR_HORIZON = 4
STEPS_FOR_MEMORY = 50
FACTORS = ("models N", "slots M_max", "horizon T", "episodes E")
COLUMNS = ("environment step", "routing", "deploying", "memory")

Point = tuple[str, int]
Place = tuple[Size, int]


def points(effort: Effort) -> dict[Point, Place]:
    """What is measured: the factor that changes and its value; the world and the episodes then."""
    base = Size(MODELS, SLOTS, HORIZON)
    wide = base._replace(models=MODELS_FOR_SLOTS)
    places: dict[Point, Place] = {}
    for models in effort.num_models:
        places[FACTORS[0], models] = (base._replace(models=models), EPISODES)
    for slots in effort.max_deployed:
        places[FACTORS[1], slots] = (wide._replace(slots=slots), EPISODES)
    for horizon in effort.horizons:
        places[FACTORS[2], horizon] = (base._replace(horizon=horizon), EPISODES_FOR_HORIZON)
    for episodes in effort.episodes:
        places[FACTORS[3], episodes] = (base, episodes)
    return places


def measure(effort: Effort) -> Section:
    """Microseconds of a step and of StageRoute's decisions, and peak memory, at every point."""
    places = points(effort)
    times = {
        factor: _times({p: places[p] for p in places if p[0] == factor}, effort)
        for factor in FACTORS
    }
    rows = tuple(
        (*point, *times[point[0]][point], _memory(point, *place)) for point, place in places.items()
    )
    return Section(
        name="growth",
        title=f"Growth ({ENV_ID}, {AGENT}): microseconds for one of the episodes, MiB for all",
        columns=("factor", "value", *COLUMNS),
        rows=rows,
        notes=(
            f"Random outcomes; unless it is the factor: N = {MODELS}, M_max = {SLOTS}, "
            f"T = {HORIZON:,}, E = {EPISODES}; N = {MODELS_FOR_SLOTS} where M_max changes, "
            f"E = {EPISODES_FOR_HORIZON} where T does. Memory is the peak of a process of its "
            "own, beyond imports and compiled code; it plays the whole horizon where T changes.",
        ),
    )


def _memory(point: Point, size: Size, episodes: int) -> float | None:
    """MiB that playing takes beyond what the imports and the compiled code do."""
    # Only a whole horizon can show whether memory grows along it.
    steps = 2 * size.horizon if point[0] == FACTORS[2] else STEPS_FOR_MEMORY
    run = probe(episodes, size, steps)
    return None if run["memory"] is None else run["memory"] - run["memory_at_start"]


def _times(places: dict[Point, Place], effort: Effort) -> dict[Point, tuple[float, float, float]]:
    """Microseconds of a step, of routing a query and of deploying a set, for one episode."""
    tasks: dict[tuple[Point, str], Task] = {}
    for point, (size, episodes) in places.items():
        # An agent meets its second stage after a twentieth of the horizon: let that be soon.
        short = random_scenario(size._replace(horizon=NUM_STAGES * 2 * WINDOW))
        window = play_window(AGENT, ENV_ID, episodes, scenario=short)
        tasks[point, "step"] = vector_task(ENV_ID, episodes, scenario=random_scenario(size))
        tasks[point, "route"] = window.routing_task()
        tasks[point, "deploy"] = window.deploying_task()
    timings = time_tasks(tasks, rounds=effort.rounds, round_seconds=effort.round_seconds)
    return {
        point: (
            timings[point, "step"].microseconds,
            timings[point, "route"].microseconds,
            timings[point, "deploy"].microseconds,
        )
        for point in places
    }
