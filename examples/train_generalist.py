"""Train one agent over random scenarios, then play scenarios that it never saw.

    python examples/train_generalist.py --seed 0 --out runs/generalist-0

The policy scores each model from that model's own statistics, with the same weights for each, so
that it also plays with another number of models. Needs the extra ``rl``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from stageroute_agents.sb3.generalist import train_generalist

from stageroute_gym.evaluation import estimate, evaluate

UNSEEN = ("routerbench", "routerbench-tight", "routerbench-loose")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=400_000)
    parser.add_argument("--scenarios", type=int, default=128)
    parser.add_argument("--num-envs", type=int, default=32)
    parser.add_argument("--episodes", type=int, default=20)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()

    path = train_generalist(
        options.out,
        seed=options.seed,
        steps=options.steps,
        num_scenarios=options.scenarios,
        num_envs=options.num_envs,
    )
    for scenario in UNSEEN:
        for agent in (str(path), "stageroute", "greedy-ratio", "greedy-price", "uniform"):
            rows = evaluate(agent, scenario, range(options.episodes))
            score = estimate(rows["score_over_horizon_oracle"])
            width = score.half_width or 0.0
            print(f"{scenario:20} {agent:40} {score.mean:.3f} +- {width:.3f}")


if __name__ == "__main__":
    main()
