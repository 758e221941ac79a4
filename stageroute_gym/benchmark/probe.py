"""Episodes in a process of their own, which tells its time and its peak memory.

Only a fresh process has a peak that belongs to the run: ``python -m stageroute_gym.benchmark.probe
'{"num_envs": 64, "steps": 1000, "arguments": {"scenario": "paper"}}'``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import numpy as np

from stageroute_gym.benchmark.machine import peak_memory

ENV_ID = "StageRouteContinuous-v0"
AGENT = "stageroute"


def probe(num_envs: int | None, arguments: dict[str, Any], steps: int) -> dict[str, Any]:
    """Play StageRoute in a fresh process.

    Args:
        num_envs: episodes side by side; None for ``gym.make``.
        arguments: of the environment.
        steps: steps to play at most; the first episode that ends also ends the run.

    Returns:
        ``seconds`` of playing, ``steps``, and in MiB ``memory_at_start`` (all imported) and
        ``memory`` (at most); None where the system does not tell.
    """
    request = json.dumps({"num_envs": num_envs, "arguments": arguments, "steps": steps})
    command = [sys.executable, "-m", "stageroute_gym.benchmark.probe", request]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    result: dict[str, Any] = json.loads(answer.splitlines()[-1])
    return result


def _run(num_envs: int | None, arguments: dict[str, Any], steps: int) -> dict[str, Any]:
    import gymnasium as gym

    from stageroute_gym.benchmark.environments import make_vector
    from stageroute_gym.evaluation import agents

    # Another, smaller environment first, so that loading compiled code is not counted as playing.
    short: dict[str, Any] = {"scenario": "routerbench", "horizon": 4, "num_stages": 2}
    first: Any = gym.make(ENV_ID, **short) if num_envs is None else make_vector(ENV_ID, 2, **short)
    _play(first, agents.make(AGENT, first), 1 if num_envs is None else 2, 4)
    memory_at_start = peak_memory()
    env: Any = (
        gym.make(ENV_ID, **arguments)
        if num_envs is None
        else make_vector(ENV_ID, num_envs, **arguments)
    )
    agent = agents.make(AGENT, env)
    start = time.process_time()
    played = _play(env, agent, num_envs or 1, steps)
    seconds = time.process_time() - start
    return {
        "seconds": seconds,
        "steps": played,
        "memory_at_start": memory_at_start,
        "memory": peak_memory(),
    }


def _play(env: Any, agent: Any, rows: int, steps: int) -> int:
    observation, _ = env.reset(seed=0)
    state: Any = None
    episode_start = np.ones(rows, np.bool_)
    for step in range(1, steps + 1):
        action, state = agent.predict(observation, state, episode_start)
        observation, _, terminated, _, _ = env.step(action)
        episode_start = np.zeros(rows, np.bool_)
        if np.any(terminated):
            return step
    return steps


if __name__ == "__main__":
    print(json.dumps(_run(**json.loads(sys.argv[1]))))
