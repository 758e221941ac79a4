"""Episodes in a process of their own, which tells its time and its peak memory.

Only a fresh process has a peak that belongs to the run: ``python -m stageroute_gym.benchmark.probe
'{"num_envs": 64, "world": "paper", "steps": 1000}'``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import gymnasium as gym
import numpy as np

from stageroute_gym.benchmark.machine import peak_memory
from stageroute_gym.benchmark.worlds import Size
from stageroute_gym.registration import CONTINUOUS
from stageroute_gym.scenarios import Scenario

ENV_ID = CONTINUOUS
AGENT = "stageroute"


def probe(num_envs: int | None, world: str | Size, steps: int) -> dict[str, Any]:
    """Play StageRoute in a fresh process.

    Args:
        num_envs: episodes side by side; None for ``gym.make``.
        world: name of a scenario, which is played under the rule soft, or a random world's size.
        steps: steps to play at most; the first episode that ends also ends the run.

    Returns:
        ``seconds`` of playing, ``steps``, and in MiB ``memory_at_start`` (all imported) and
        ``memory`` (at most); None where the system does not tell.
    """
    request = json.dumps({"num_envs": num_envs, "world": world, "steps": steps})
    command = [sys.executable, "-m", "stageroute_gym.benchmark.probe", request]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    result: dict[str, Any] = json.loads(answer.splitlines()[-1])
    return result


def _run(num_envs: int | None, world: str | list[int], steps: int) -> dict[str, Any]:
    from stageroute_gym import scenarios
    from stageroute_gym.benchmark.worlds import random_scenario

    # A smaller world first: loading compiled code is no part of playing.
    _play(None if num_envs is None else 2, random_scenario(Size(2, 1, 20)), 4)
    memory_at_start = peak_memory()
    scenario = (
        scenarios.get(world, budget_rule="soft")
        if isinstance(world, str)
        else random_scenario(Size(*world))
    )
    seconds, played = _play(num_envs, scenario, steps)
    return {
        "seconds": seconds,
        "steps": played,
        "memory_at_start": memory_at_start,
        "memory": peak_memory(),
    }


def _play(num_envs: int | None, scenario: Scenario, steps: int) -> tuple[float, int]:
    """Seconds and steps of playing."""
    from stageroute_gym.benchmark.environments import make_vector
    from stageroute_gym.evaluation import agents

    if num_envs is None:
        env: Any = gym.make(ENV_ID, scenario=scenario)
    else:
        env = make_vector(ENV_ID, num_envs, scenario=scenario)
    agent = agents.make(AGENT, env)
    episode_start = np.ones(num_envs or 1, np.bool_)
    state: Any = None
    played = 0
    terminated: Any = False
    start = time.process_time()
    observation, _ = env.reset(seed=0)
    while played < steps and not np.any(terminated):
        action, state = agent.predict(observation, state, episode_start)
        observation, _, terminated, _, _ = env.step(action)
        episode_start = np.zeros(num_envs or 1, np.bool_)
        played += 1
    return time.process_time() - start, played


if __name__ == "__main__":
    print(json.dumps(_run(**json.loads(sys.argv[1]))))
