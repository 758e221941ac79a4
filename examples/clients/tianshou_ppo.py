"""Tianshou's high-level PPO on the flat environment. Has its own ``tianshou_requirements.txt``.

python examples/clients/tianshou_ppo.py --epochs 5
"""

from __future__ import annotations

import argparse

import torch
from tianshou.highlevel.config import OnPolicyTrainingConfig
from tianshou.highlevel.env import EnvFactoryRegistered, VectorEnvType
from tianshou.highlevel.experiment import ExperimentConfig, PPOExperimentBuilder

import stageroute_gym  # noqa: F401


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    experiment = PPOExperimentBuilder(
        EnvFactoryRegistered(task="StageRouteFlat-v0", venv_type=VectorEnvType.DUMMY),
        ExperimentConfig(persistence_enabled=False, watch=False),
        OnPolicyTrainingConfig(
            max_epochs=options.epochs,
            epoch_num_steps=4_096,
            num_training_envs=8,
            num_test_envs=8,
            update_step_num_repetitions=10,
        ),
    ).build()
    result = experiment.run().trainer_result
    print(f"best mean return of the test episodes: {result.best_reward:.2f}")


if __name__ == "__main__":
    main()
