"""Search for an algorithm's settings: random ones, each trained with several seeds, ranked.

    python examples/search_sb3.py --algo ppo --scenario routerbench --trials 20

A trial counts by its mean over training seeds, on episodes that no leaderboard uses.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from stageroute_agents.sb3 import algorithms
from stageroute_agents.sb3.settings import TrainingSettings
from stageroute_agents.sb3.training import train

from stageroute_gym.evaluation import evaluate

CHOICES = {
    "hold": [100, 250, 500],
    "price": [0.0, 0.1, 0.2, 0.4],
    "learning_rate": [3e-4, 1e-3, 3e-3],
    "gamma": [0.97, 0.99, 0.999],
}
FRESH = range(2_000_000, 2_000_010)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--algo", choices=algorithms.names(), default="ppo")
    parser.add_argument("--scenario", default="routerbench")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--horizon", type=int, default=10_000)
    parser.add_argument("--out", type=Path, default=Path("search.csv"))
    options = parser.parse_args()
    rng, rows = np.random.default_rng(0), []
    common = {"algo": options.algo, "scenario": options.scenario, "steps": options.steps}
    common["overrides"] = {"horizon": options.horizon}
    for _ in range(options.trials):
        trial = {name: rng.choice(values).item() for name, values in CHOICES.items()}
        common |= {name: trial[name] for name in ("hold", "price")}
        common["parameters"] = {name: trial[name] for name in ("learning_rate", "gamma")}
        scores = []
        for seed in range(options.seeds):
            with tempfile.TemporaryDirectory() as folder:
                path = train(TrainingSettings(seed=seed, **common), Path(folder))
                table = evaluate(str(path), options.scenario, FRESH, **common["overrides"])
            scores.append(table["score_over_horizon_oracle"].mean())
        rows.append({**trial, "score": np.mean(scores), "worst": min(scores)})
        pl.DataFrame(rows).sort("score", descending=True).write_csv(options.out)
        print(rows[-1], flush=True)


if __name__ == "__main__":
    main()
