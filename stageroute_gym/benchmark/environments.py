"""Environment steps a second, single and in vectors, beside CartPole's."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from stageroute_gym.benchmark.section import Effort, Section
from stageroute_gym.benchmark.timing import Task, time_tasks
from stageroute_gym.benchmark.worlds import legal_actions
from stageroute_gym.registration import CONTINUOUS, DISCRETE

CARTPOLE = "CartPole-v1"
IDS = (DISCRETE, CONTINUOUS)
STEPS = 500  # a whole episode of CartPole
SINGLE = "gym.make"
_SEED = 0


def single_task(env_id: str, *, kind: type = int, **arguments: Any) -> Task:
    """`STEPS` steps of ``gym.make(env_id)`` after a reset, with actions prepared in advance.

    Args:
        env_id: the environment.
        kind: type of discrete actions, ``int`` or ``np.int64``.
        arguments: arguments of the environment.
    """
    env = gym.make(env_id, **arguments)
    actions = _single_actions(env, kind)

    def play() -> None:
        step = env.step
        env.reset(seed=_SEED)
        for action in actions:
            step(action)

    return Task(play, units=STEPS)


def vector_task(env_id: str, num_envs: int, **arguments: Any) -> Task:
    """`STEPS` steps of the native vector environment, with actions prepared in advance."""
    env = make_vector(env_id, num_envs, **arguments)
    env.reset(seed=_SEED)
    if env_id == CARTPOLE:
        actions = _cartpole_actions(env)

        def play_cartpole() -> None:
            env.reset(seed=_SEED)  # one generator for all, so it costs next to nothing
            for action in actions:
                env.step(action)

        return Task(play_cartpole, units=STEPS * num_envs)
    # Episodes that are over restart by themselves: their actions stay legal.
    turns = itertools.cycle(
        legal_actions(env.unwrapped.world, num_envs, continuous=env.unwrapped.continuous)
    )
    steps = max(1, STEPS * 64 // num_envs)

    def play() -> None:
        for _ in range(steps):
            env.step(next(turns))

    return Task(play, units=steps * num_envs)


def make_vector(env_id: str, num_envs: int, **arguments: Any) -> Any:
    """The native vector environment of an id."""
    return gym.make_vec(
        env_id, num_envs=num_envs, vectorization_mode="vector_entry_point", **arguments
    )


def measure(effort: Effort) -> Section:
    """Steps a second of both environments and CartPole, for each number of environments."""
    ids = (*IDS, CARTPOLE)
    rows: list[tuple[str | float | None, ...]] = []
    runs: list[tuple[str, Callable[[str], Task]]] = [
        (SINGLE, single_task),
        (f"{SINGLE}, np.int64", partial(single_task, kind=np.int64)),
    ]
    runs += [(f"vector, {size:,}", partial(vector_task, num_envs=size)) for size in effort.num_envs]
    for name, task_of in runs:
        tasks = {env_id: task_of(env_id) for env_id in ids}
        timings = time_tasks(tasks, rounds=effort.rounds, round_seconds=effort.round_seconds)
        speeds = [timings[env_id].per_second for env_id in ids]
        rows.append((name, *speeds, speeds[0] / speeds[-1]))
    return Section(
        name="environments",
        title="Environment steps a second",
        columns=("environment", *ids, "StageRoute / CartPole"),
        rows=tuple(rows),
        notes=(
            "Actions are prepared outside the timed region: the deployed models in turns, always "
            "legal; for CartPole, those of a balanced episode of 500 steps.",
        ),
    )


def _single_actions(env: gym.Env[Any, Any], kind: type) -> list[Any]:
    if env.spec is not None and env.spec.id == CARTPOLE:
        recorded: list[Any] = []
        observation, _ = env.reset(seed=_SEED)
        for _ in range(STEPS):
            recorded.append(int(_balance(observation[None])[0]))
            observation = env.step(recorded[-1])[0]
        return [kind(action) for action in recorded]
    inner: Any = env.unwrapped
    turns = [row[0] for row in legal_actions(inner.world, 1, continuous=inner.continuous)]
    if not inner.continuous:
        turns = [kind(action) for action in turns]
    return [turns[step % len(turns)] for step in range(STEPS)]


def _cartpole_actions(env: Any) -> list[NDArray[np.int64]]:
    observation, _ = env.reset(seed=_SEED)
    recorded = []
    for _ in range(STEPS):
        recorded.append(_balance(observation))
        observation = env.step(recorded[-1])[0]
    return recorded


def _balance(observations: NDArray[Any]) -> NDArray[np.int64]:
    """Push to where the pole falls; keeps it upright for a whole episode."""
    position, velocity, angle, spin = observations.T
    return (0.05 * position + 0.1 * velocity + angle + 0.5 * spin > 0).astype(np.int64)
