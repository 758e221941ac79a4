"""One episode by hand: deploy a set in each stage, route every query, read the books.

python examples/quickstart.py [--horizon 10000]
"""

from __future__ import annotations

import argparse

import gymnasium as gym
import numpy as np

import stageroute_gym  # noqa: F401  registers the environments


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--horizon", type=int, default=10_000, help="queries in the episode")
    horizon = parser.parse_args().horizon

    env = gym.make("StageRoute-v0", scenario="routerbench", horizon=horizon, num_stages=5)
    models = env.unwrapped.models
    nobody = len(models)  # the action PASS: commit the set, or decline the query
    print(f"{len(models)} models, budget {env.unwrapped.problem.budget:g} USD a query")

    observation, info = env.reset(seed=0)
    score, terminated = 0.0, False
    while not terminated:
        mask = observation["action_mask"][:nobody] > 0
        deploying = observation["phase"][0] == 0
        # Deploy the cheapest models by list price; route to the best so far that has a token,
        # trying each a few times first.
        if deploying:
            merit = -observation["list_price"]
        else:
            merit = np.where(observation["pulls"] < 20, 1.0, observation["mean_score"])
        action = int(np.where(mask, merit, -np.inf).argmax()) if mask.any() else nobody
        stage = info["stage"]
        observation, reward, terminated, _, info = env.step(action)
        score += float(reward)
        if deploying and observation["phase"][0] == 1:
            chosen = [models[m] for m in np.flatnonzero(observation["deployed"])]
            print(f"stage {stage}, query {info['t']}: {', '.join(chosen)}")

    budget = env.unwrapped.problem.total_budget
    print(f"queries    {info['t']}, declined {info['declined']}")
    print(f"score      {score:.1f}")
    print(f"regret     {info['regret']:.1f} against the stage oracle")
    print(f"spend      {info['spend']:.4f} USD, {info['spend'] / budget:.1%} of the budget")
    print(f"forbidden  {info['invalid_actions']} actions")


if __name__ == "__main__":
    main()
