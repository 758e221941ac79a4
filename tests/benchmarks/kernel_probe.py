"""Time the discrete kernel with or without one of its tricks: run as a script in a fresh process.

Prints the nanoseconds that a step of one environment takes, the least of many rounds.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

NUM_ENVS = 1024
ROWS = 36_497  # as many as RouterBench has queries
ROUNDS = 40


def drop(trick: str) -> None:
    """Compile without ``counting``: reference counting stays on."""
    if trick == "counting":
        from stageroute_gym import compiling

        with_trick = compiling.njit

        def njit(**options: Any) -> Any:
            options.pop("_nrt", None)
            return with_trick(**options)

        compiling.njit = njit


def step_nanoseconds() -> float:
    """Time of a step in a world of many rows, which do not fit into the nearest cache."""
    from worlds import make_world

    from stageroute_gym.simulator.episodes import Episodes

    world = make_world(
        models=11, rows=ROWS, horizon=10**6, stages=1, max_deployed=5, budget=1e6, burst=1e6
    )
    episodes = Episodes(world, NUM_ENVS, continuous=False)
    episodes.reset(np.arange(NUM_ENVS), np.arange(NUM_ENVS, dtype=np.uint64))
    for model in range(5):
        episodes.step(np.full(NUM_ENVS, model))
    turns = [(np.arange(NUM_ENVS) + turn) % 5 for turn in range(5)]
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for actions in turns * 4:
            episodes.step(actions)
        times.append(time.perf_counter() - start)
    assert (episodes.state.counters[:, 0] == ROUNDS * 20).all()
    return min(times) / 20 / NUM_ENVS * 1e9


if __name__ == "__main__":
    drop(sys.argv[1])
    print(step_nanoseconds())
