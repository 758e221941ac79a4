"""Tianshou's DQN with masks on the flat environment. Has its own ``tianshou_requirements.txt``.

python examples/clients/tianshou_dqn.py --epochs 5
"""

from __future__ import annotations

import argparse

import gymnasium as gym
import torch
from tianshou.algorithm import DQN
from tianshou.algorithm.modelfree.dqn import DiscreteQLearningPolicy
from tianshou.algorithm.optim import AdamOptimizerFactory
from tianshou.data import Collector, VectorReplayBuffer
from tianshou.env import DummyVectorEnv
from tianshou.trainer import OffPolicyTrainerParams
from tianshou.utils.net.common import Net

import stageroute_gym  # noqa: F401
from stageroute_gym.wrappers import MaskedObservation


def make_env() -> gym.Env:
    """Tianshou's policies mask by ``obs.mask``, which the wrapper puts beside ``obs.obs``."""
    return MaskedObservation(gym.make("StageRouteFlat-v0"))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    env = make_env()
    rows, actions = env.observation_space["obs"], env.action_space
    policy = DiscreteQLearningPolicy(
        model=Net(state_shape=rows.shape, action_shape=actions.n, hidden_sizes=[64, 64]),
        action_space=actions,
        observation_space=rows,
        eps_training=0.1,
    )
    optimizer = AdamOptimizerFactory(lr=1e-3)
    algorithm = DQN(policy=policy, optim=optimizer, n_step_return_horizon=3, target_update_freq=100)
    training, testing = (DummyVectorEnv([make_env] * 8) for _ in range(2))
    training.seed(0)
    testing.seed(1_000)
    collector = Collector(algorithm, training, VectorReplayBuffer(50_000, 8))
    tester = Collector(algorithm, testing)
    tester.reset()
    before = tester.collect(n_episode=8).returns.mean()
    algorithm.run_training(
        OffPolicyTrainerParams(
            training_collector=collector,
            max_epochs=options.epochs,
            epoch_num_steps=4_000,
            collection_step_num_env_steps=80,
            update_step_num_gradient_steps_per_sample=0.1,
            batch_size=128,
            show_progress=False,
            verbose=False,
        )
    )
    tester.reset()
    after = tester.collect(n_episode=8).returns.mean()
    print(f"mean return: {before:.2f} before, {after:.2f} after")


if __name__ == "__main__":
    main()
