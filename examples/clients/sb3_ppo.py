"""stable-baselines3's PPO with its defaults and without masks; the extra ``rl``.

python examples/clients/sb3_ppo.py --scenario routerbench --steps 100000
"""

from __future__ import annotations

import argparse

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3 import PPO

import stageroute_gym  # noqa: F401
from stageroute_gym.oracles import oracle_total

EPISODES, FIRST_SEED = 20, 7_000_000


def score(model: PPO, env_id: str, arguments: dict) -> float:
    """Mean score of the policy over the horizon oracle's, on seeds that training never sees."""
    envs = gym.make_vec(env_id, EPISODES, "vector_entry_point", **arguments)
    rows, _ = envs.reset(seed=FIRST_SEED)
    total, running = np.zeros(EPISODES), np.ones(EPISODES, bool)
    while running.any():
        rows, _, over, _, infos = envs.step(model.predict(rows)[0])
        total[running] += infos["score"][running]
        running &= ~over
    return total.mean() / oracle_total(envs.unwrapped.world, "horizon")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--env-id", default="StageRouteFlat-v0")
    parser.add_argument("--scenario", default="routerbench")
    parser.add_argument("--budget-price", type=float, help="of the flat environments")
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    arguments = {"scenario": options.scenario}
    if options.budget_price is not None:
        arguments["budget_price"] = options.budget_price
    env = gym.make(options.env_id, **arguments)
    policy = "MlpPolicy" if isinstance(env.observation_space, spaces.Box) else "MultiInputPolicy"
    model = PPO(policy, env, seed=options.seed, device="cpu")
    before = score(model, options.env_id, arguments)
    model.learn(options.steps)
    after = score(model, options.env_id, arguments)
    print(f"score / horizon oracle: {before:.3f} before, {after:.3f} after")


if __name__ == "__main__":
    main()
