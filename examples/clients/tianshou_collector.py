"""Collect episodes with Tianshou's masked Q-learning policy: no forbidden action is played."""

from __future__ import annotations

import gymnasium as gym
from tianshou.algorithm.modelfree.dqn import DiscreteQLearningPolicy
from tianshou.data import Collector, VectorReplayBuffer
from tianshou.env import DummyVectorEnv
from tianshou.utils.net.common import Net

import stageroute_gym  # noqa: F401
from stageroute_gym.wrappers import FlatObservation, HoldDecision, MaskedObservation


def make_env() -> gym.Env:
    env = gym.make("StageRoute-v0", horizon=400, num_stages=4)
    return MaskedObservation(FlatObservation(HoldDecision(env, queries=10)))


def main() -> None:
    example = make_env()
    shape = example.observation_space["obs"].shape
    network = Net(state_shape=shape, action_shape=example.action_space.n, hidden_sizes=[64, 64])

    policy = DiscreteQLearningPolicy(
        model=network,
        action_space=example.action_space,
        observation_space=example.observation_space["obs"],
        eps_training=0.3,
        eps_inference=0.3,
    )
    envs = DummyVectorEnv([make_env] * 4)
    collector = Collector(policy, envs, VectorReplayBuffer(4_000, 4))
    collector.reset()
    statistics = collector.collect(n_episode=8)
    forbidden = collector.buffer.info.invalid_actions.max()
    print(f"{statistics.n_collected_steps} steps, mean reward {statistics.returns.mean():.1f}")
    print(f"forbidden actions: {forbidden}")


if __name__ == "__main__":
    main()
