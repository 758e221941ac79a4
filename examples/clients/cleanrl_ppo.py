"""PPO in one file, in CleanRL's style, on the native vector environment. Needs torch.

python examples/clients/cleanrl_ppo.py --iterations 20
"""

from __future__ import annotations

import argparse

import gymnasium as gym
import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical

import stageroute_gym  # noqa: F401
from stageroute_gym.wrappers import VectorFlatObservation, VectorHoldDecision

NUM_ENVS, STEPS, GAMMA, LAMBDA, CLIP = 8, 128, 0.99, 0.95, 0.2


def layers(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, 64), nn.Tanh(), nn.Linear(64, outputs))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--iterations", type=int, default=20)
    parser.add_argument("--horizon", type=int, default=2_000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    env = gym.make_vec(
        "StageRoute-v0",
        num_envs=NUM_ENVS,
        vectorization_mode="vector_entry_point",
        horizon=options.horizon,
        num_stages=10,
    )
    native = env.unwrapped
    env = VectorFlatObservation(VectorHoldDecision(env, queries=25))
    inputs, outputs = env.single_observation_space.shape[0], int(env.single_action_space.n)
    actor, critic = layers(inputs, outputs), layers(inputs, 1)
    parameters = [*actor.parameters(), *critic.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=1e-3)

    def policy(rows: torch.Tensor, masks: torch.Tensor) -> Categorical:
        return Categorical(logits=actor(rows).masked_fill(~masks, -1e8))

    observation, _ = env.reset(seed=0)
    over = np.zeros(NUM_ENVS, bool)
    for iteration in range(options.iterations):
        kept: dict[str, list[torch.Tensor]] = {}
        for _ in range(STEPS):
            rows, masks = torch.as_tensor(observation), torch.as_tensor(native.action_masks())
            with torch.no_grad():
                chosen = policy(rows, masks)
                actions = chosen.sample()
                value = critic(rows)[:, 0]
            # A step that follows an episode's end only resets: it is no transition.
            valid = torch.as_tensor(~over)
            observation, rewards, over, _, _ = env.step(actions.numpy())
            for name, item in (
                ("rows", rows),
                ("masks", masks),
                ("actions", actions),
                ("logs", chosen.log_prob(actions)),
                ("values", value),
                ("rewards", torch.as_tensor(rewards, dtype=torch.float32) / 25),
                ("over", torch.as_tensor(over, dtype=torch.float32)),
                ("valid", valid),
            ):
                kept.setdefault(name, []).append(item)
        batch = {name: torch.stack(items) for name, items in kept.items()}
        with torch.no_grad():
            after = critic(torch.as_tensor(observation))[:, 0]
        advantages, running = torch.zeros_like(batch["values"]), torch.zeros(NUM_ENVS)
        for t in reversed(range(STEPS)):
            goes_on = 1 - batch["over"][t]
            delta = batch["rewards"][t] + GAMMA * after * goes_on - batch["values"][t]
            running = delta + GAMMA * LAMBDA * goes_on * running
            advantages[t], after = running, batch["values"][t]
        valid = batch["valid"].flatten()
        flat = {name: items.flatten(0, 1)[valid] for name, items in batch.items()}
        gains = advantages.flatten()[valid]
        returns = gains + flat["values"]
        gains = (gains - gains.mean()) / (gains.std() + 1e-8)
        for _ in range(4):
            for part in torch.randperm(len(gains)).split(256):
                chosen = policy(flat["rows"][part], flat["masks"][part])
                ratio = (chosen.log_prob(flat["actions"][part]) - flat["logs"][part]).exp()
                clipped = ratio.clamp(1 - CLIP, 1 + CLIP)
                gain = torch.min(ratio * gains[part], clipped * gains[part]).mean()
                error = (critic(flat["rows"][part])[:, 0] - returns[part]).square().mean()
                optimizer.zero_grad()
                (0.5 * error - gain - 0.01 * chosen.entropy().mean()).backward()
                nn.utils.clip_grad_norm_(parameters, 0.5)
                optimizer.step()
        mean = batch["rewards"][batch["valid"]].mean()
        print(f"iteration {iteration}: reward of a decision {mean:.4f}", flush=True)


if __name__ == "__main__":
    main()
