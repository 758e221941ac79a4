"""Train an agent with stable-baselines3 and compare it with the baselines.

    python examples/train_sb3.py --algo ppo --scenario routerbench --seed 0

The same from the command line: ``stageroute train --algo ppo --scenario routerbench --seed 0``,
then ``stageroute leaderboard --agent runs/ppo-routerbench-0/agent.sragent``. Needs extra ``rl``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from stageroute_agents.sb3 import algorithms
from stageroute_agents.sb3.settings import TrainingSettings
from stageroute_agents.sb3.training import train

from stageroute_gym.evaluation import estimate, evaluate


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--algo", choices=algorithms.names(), default="ppo")
    parser.add_argument("--scenario", default="routerbench")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--horizon", type=int, default=10_000)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()

    settings = TrainingSettings(
        algo=options.algo,
        scenario=options.scenario,
        overrides={"horizon": options.horizon},
        seed=options.seed,
        steps=options.steps,
    )
    name = f"{options.algo}-{options.scenario}-{options.seed}"
    path = train(settings, options.out or Path("runs") / name)

    # Seeds that neither the training nor its evaluations have used.
    for agent in (str(path), "stageroute", "greedy-ratio", "greedy-price", "uniform"):
        rows = evaluate(agent, options.scenario, range(20), horizon=options.horizon)
        score = estimate(rows["score_over_horizon_oracle"])
        print(f"{agent:45} score / oracle {score.mean:.3f} +- {score.half_width:.3f}")


if __name__ == "__main__":
    main()
