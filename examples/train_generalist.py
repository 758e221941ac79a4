"""Train one agent over random worlds, for scenarios that it never saw.

    python examples/train_generalist.py --seed 0 --out runs/generalist-0

The policy scores each model from that model's own statistics, with the same weights for each, so
that it also plays with another number of models. ``evaluate_generalist.py`` measures it. Needs the
extra ``rl``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from stageroute_agents.sb3.generalist import train_generalist, validate


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--scenarios", type=int, default=36, help="worlds of a round")
    parser.add_argument("--validation", type=int, default=64, help="worlds to validate on")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()

    path = train_generalist(
        options.out, seed=options.seed, rounds=options.rounds, scenarios=options.scenarios
    )
    score = validate(path, scenarios=options.validation)
    print(f"{path}: score / horizon oracle on other worlds {score:.3f}")


if __name__ == "__main__":
    main()
