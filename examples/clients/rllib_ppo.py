"""A few iterations of RLlib's PPO on one runner. Has its own ``rllib_requirements.txt``.

python examples/clients/rllib_ppo.py --iterations 2
"""

from __future__ import annotations

import argparse

import gymnasium as gym
from ray.rllib.algorithms.ppo import PPOConfig
from ray.tune.registry import register_env

import stageroute_gym  # noqa: F401
from stageroute_gym.wrappers import FlatObservation, HoldDecision


def make_env(arguments: dict) -> gym.Env:
    env = gym.make("StageRouteContinuous-v0", horizon=2_000, num_stages=10)
    return FlatObservation(HoldDecision(env, queries=50))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--iterations", type=int, default=2)
    options = parser.parse_args()
    register_env("stageroute", make_env)
    config = (
        PPOConfig()
        .environment("stageroute")
        .env_runners(num_env_runners=0)
        .training(train_batch_size_per_learner=400, minibatch_size=100, num_epochs=2)
        .debugging(seed=0)
    )
    algorithm = config.build_algo()
    for iteration in range(options.iterations):
        runners = algorithm.train()["env_runners"]
        print(f"iteration {iteration}: mean return {runners['episode_return_mean']:.1f}")
    algorithm.stop()


if __name__ == "__main__":
    main()
