"""RLlib's PPO on the native vector environment, with RLlib's module for masks.

Has its own ``rllib_requirements.txt``.

python examples/clients/rllib_ppo.py --iterations 2
"""

from __future__ import annotations

import argparse
from typing import Any

import gymnasium as gym
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from ray.rllib.examples.rl_modules.classes.action_masking_rlm import ActionMaskingTorchRLModule
from ray.tune.registry import register_env

import stageroute_gym  # noqa: F401
from stageroute_gym.wrappers import VectorMaskedObservation


def make_env(config: dict[str, Any], *, masks: bool) -> gym.vector.VectorEnv:
    """What RLlib calls with ``num_envs`` among the arguments of the environment."""
    env = gym.make_vec("StageRouteFlat-v0", vectorization_mode="vector_entry_point", **config)
    if not masks:
        return env
    return VectorMaskedObservation(env, mask_key="action_mask", obs_key="observations")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--iterations", type=int, default=25)
    parser.add_argument("--scenario", default="routerbench")
    parser.add_argument("--no-masks", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    register_env("stageroute", lambda config: make_env(config, masks=not options.no_masks))
    config = (
        PPOConfig()
        .environment("stageroute", env_config={"scenario": options.scenario})
        .env_runners(
            num_env_runners=0,
            num_envs_per_env_runner=8,
            gym_env_vectorize_mode="vector_entry_point",
        )
        .debugging(seed=options.seed)
    )
    if not options.no_masks:
        config.rl_module(rl_module_spec=RLModuleSpec(module_class=ActionMaskingTorchRLModule))
    algorithm = config.build_algo()
    for iteration in range(options.iterations):
        runners = algorithm.train()["env_runners"]
        print(
            f"iteration {iteration}: mean return {runners['episode_return_mean']:.2f}", flush=True
        )
    algorithm.stop()


if __name__ == "__main__":
    main()
