"""Record episodes of StageRoute as a Minari dataset, with their infos."""

from __future__ import annotations

import gymnasium as gym
import stageroute_agents
from minari import DataCollector

import stageroute_gym  # noqa: F401


def main() -> None:
    env = gym.make("StageRoute-v0", horizon=200, num_stages=4)
    agent = stageroute_agents.make("stageroute", env)
    collector = DataCollector(env, record_infos=True)
    for seed in range(3):
        observation, _ = collector.reset(seed=seed)
        state, over = None, False
        while not over:
            action, state = agent.predict(observation, state)
            observation, _, over, _, _ = collector.step(int(action))
    dataset = collector.create_dataset("stageroute/reference-v0", algorithm_name="StageRoute")
    for episode in dataset.iterate_episodes():
        spend = episode.infos["spend"][-1]
        print(f"episode {episode.id}: {len(episode.actions)} steps, spend {spend:.4g} USD")


if __name__ == "__main__":
    main()
