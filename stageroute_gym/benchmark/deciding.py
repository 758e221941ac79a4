"""Microseconds a decision of each installed agent, alone and for a batch of episodes."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from stageroute_gym.benchmark.environments import make_vector
from stageroute_gym.benchmark.section import Effort, Section
from stageroute_gym.benchmark.timing import Task, time_tasks
from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation import agents
from stageroute_gym.evaluation.agents import Predictor

WINDOW = 20
QUERIES_A_STAGE = 60
# Short stages, so that an agent is soon in its second one.
SHORT = {"horizon": 6 * QUERIES_A_STAGE, "num_stages": 6}


@dataclass(frozen=True)
class Window:
    """What an agent met while it played: to be decided again, outside the environment.

    Attributes:
        agent: the agent.
        deploying: the observation at the start of the second stage, and the agent's state then.
        routing: observations of `WINDOW` queries in a row in that stage.
        state: the agent's state before the first of them.
        rows: number of episodes.
    """

    agent: Predictor
    deploying: tuple[Any, Any]
    routing: tuple[Any, ...]
    state: Any
    rows: int

    def routing_task(self) -> Task:
        """Decide `WINDOW` queries; the units are decisions."""
        episode_start = np.zeros(self.rows, np.bool_)

        def decide() -> None:
            state = copy.deepcopy(self.state)  # so that each call meets what it met before
            for observation in self.routing:
                _, state = self.agent.predict(observation, state, episode_start)

        return Task(decide, units=WINDOW * self.rows)

    def deploying_task(self) -> Task:
        """Begin to deploy a set."""
        observation, state = self.deploying
        episode_start = np.zeros(self.rows, np.bool_)

        def decide() -> None:
            self.agent.predict(observation, copy.deepcopy(state), episode_start)

        return Task(decide, units=self.rows)


def play_window(agent_name: str, env_id: str, rows: int | None, **arguments: Any) -> Window:
    """Let an agent play into its second stage.

    Args:
        agent_name: name of the agent.
        env_id: id of the environment.
        rows: number of episodes; None for ``gym.make``.
        arguments: of the environment; stages of at least `WINDOW` queries.

    Raises:
        FieldError: if the agent cannot be made for this environment.
    """
    env: Any = (
        gym.make(env_id, **arguments) if rows is None else make_vector(env_id, rows, **arguments)
    )
    agent = agents.make(agent_name, env)
    observation, _ = env.reset(seed=0)
    episode_start = np.ones(rows or 1, np.bool_)
    state: Any = None
    deploying: Any = None
    routing: list[Any] = []
    state_before: Any = None
    while len(routing) < WINDOW:
        phase, progress = np.ravel(observation["phase"])[0], np.ravel(observation["progress"])[0]
        if progress > 0 and phase == 0 and deploying is None:
            deploying = (observation, copy.deepcopy(state))
        if deploying is not None and phase > 0:
            if not routing:
                state_before = copy.deepcopy(state)
            routing.append(observation)
        action, state = agent.predict(observation, state, episode_start)
        observation = env.step(action)[0]
        episode_start = np.zeros(rows or 1, np.bool_)
    return Window(agent, deploying, tuple(routing), state_before, rows or 1)


def measure(effort: Effort) -> Section:
    """Microseconds a decision of each installed agent."""
    rows: list[tuple[str | float | None, ...]] = []
    notes = [
        f"Routing: {WINDOW} queries in a row of the second stage of {QUERIES_A_STAGE} queries, "
        "decided again outside the environment. Deploying: the decision that opens that stage.",
    ]
    for name in agents.names():
        for env_id in effort.agent_envs:
            try:
                windows = [
                    play_window(name, env_id, size, **SHORT) for size in (None, *effort.batches)
                ]
            except (FieldError, ImportError) as error:
                notes.append(f"{name}: left out on {env_id}, {error}.")
                continue
            tasks = {index: window.routing_task() for index, window in enumerate(windows)}
            tasks[-1] = windows[0].deploying_task()
            timings = time_tasks(tasks, rounds=effort.rounds, round_seconds=effort.round_seconds)
            times = [timings[index].microseconds for index in range(len(windows))]
            rows.append((name, env_id, *times, timings[-1].microseconds))
    batches = tuple(f"batch of {size:,}" for size in effort.batches)
    return Section(
        name="agents",
        title="Agents: microseconds a decision",
        columns=("agent", "environment", "alone", *batches, "deploying"),
        rows=tuple(rows),
        notes=tuple(notes),
    )
