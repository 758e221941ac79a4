"""What reinforcement learning adds to cloning: PPO on random worlds, from a clone or from nothing.

    python examples/finetune_generalist.py --start runs/generalist/agent.sragent --out runs/tuned
    python examples/finetune_generalist.py --out runs/scratch

Printed is score / horizon oracle on worlds that no training and no suite has, after every few
iterations. Needs the extra ``rl``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from stageroute_agents.sb3.files import save
from stageroute_agents.sb3.fine_tuning import fine_tune
from stageroute_agents.sb3.generalist import TRAINED_ON, policy_settings, validate


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--start", type=Path, help="agent file of a clone; none: random weights")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--iterations", type=int, default=12)
    parser.add_argument("--worlds", type=int, default=24, help="worlds of an iteration")
    parser.add_argument("--steps", type=int, default=256, help="decisions in each environment")
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--every", type=int, default=4, help="iterations between validations")
    parser.add_argument("--validation", type=int, default=48, help="worlds to validate on")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()

    options.out.mkdir(parents=True)
    path, settings = options.out / "agent.sragent", policy_settings(options.seed)
    policies = fine_tune(
        options.start,
        seed=options.seed,
        iterations=options.iterations,
        worlds=options.worlds,
        steps=options.steps,
        learning_rate=options.learning_rate,
    )
    for iteration, (policy, decisions) in enumerate(policies, 1):
        if iteration % options.every == 0 or iteration == options.iterations:
            trained_on = {"name": TRAINED_ON[0], "method": "ppo", "seed": options.seed}
            save(path, policy, settings, None, decisions, trained_on)
            score = validate(path, scenarios=options.validation)
            print(f"{decisions} decisions: score / horizon oracle {score:.4f}", flush=True)


if __name__ == "__main__":
    main()
