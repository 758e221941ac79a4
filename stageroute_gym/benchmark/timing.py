"""The one way in which everything is timed: tasks in turns, so that a busy machine hits all alike.

Time is processor time of this process, so that waiting for a core does not count; every task runs
in one thread. Each task is first called until it has taken a round's time, which warms caches and
tells how many calls fill a round. Then rounds of all tasks alternate (A B A B). The minimum over
rounds is the figure least touched by other processes; the median tells how the run went as a whole.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

Name = TypeVar("Name")


@dataclass(frozen=True)
class Task:
    """Something to time.

    Attributes:
        call: does the work once.
        units: how many units of work, such as environment steps, one call does.
    """

    call: Callable[[], object]
    units: int = 1


@dataclass(frozen=True)
class Timing:
    """Time of one unit of work over all rounds, in seconds.

    Attributes:
        minimum: of the fastest round.
        median: of the median round.
    """

    minimum: float
    median: float

    @property
    def microseconds(self) -> float:
        """Of the fastest round."""
        return self.minimum * 1e6

    @property
    def per_second(self) -> float:
        """Units a second in the fastest round."""
        return 1.0 / self.minimum


def time_tasks(
    tasks: Mapping[Name, Task], *, rounds: int, round_seconds: float
) -> dict[Name, Timing]:
    """Time tasks in turns.

    Args:
        tasks: the tasks by name.
        rounds: rounds of each task.
        round_seconds: about how long one round of a task takes; a call that takes longer is a
            round of its own.
    """
    calls = {name: _calls_a_round(task, round_seconds) for name, task in tasks.items()}
    seconds: dict[Name, list[float]] = {name: [] for name in tasks}
    collecting = gc.isenabled()
    gc.disable()
    try:
        for _ in range(rounds):
            for name, task in tasks.items():
                elapsed = _elapsed(task, calls[name])
                seconds[name].append(elapsed / (calls[name] * task.units))
    finally:
        if collecting:
            gc.enable()
    return {name: Timing(min(times), statistics.median(times)) for name, times in seconds.items()}


def _elapsed(task: Task, calls: int) -> float:
    call = task.call
    start = time.process_time()
    for _ in range(calls):
        call()
    return time.process_time() - start


def _calls_a_round(task: Task, round_seconds: float) -> int:
    """Warm a task up, and find how many calls take about a round."""
    task.call()
    calls = 1
    while (elapsed := _elapsed(task, calls)) < round_seconds / 2:
        # Too short a time says little: then only double.
        calls *= 2 if elapsed < round_seconds / 100 else max(2, int(round_seconds / elapsed))
    return calls
