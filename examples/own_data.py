"""Data of one's own: write a file of outcomes, check it, run agents on it.

python examples/own_data.py [--horizon 2000] [--folder .]
stageroute data check outcomes.csv
stageroute leaderboard --scenario recorded --data outcomes.csv --set arrival_order=column
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import polars as pl

from stageroute_gym.evaluation import evaluate
from stageroute_gym.workloads import check_file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--horizon", type=int, default=2_000, help="queries in an episode")
    parser.add_argument("--folder", type=Path, default=Path(), help="where to write the file")
    options = parser.parse_args()
    file = options.folder / "outcomes.csv"

    # One row a query; for each model what it scored, in [0, 1], and what it cost, in USD.
    rng = np.random.default_rng(0)
    tokens = rng.lognormal(6, 0.5, 300)
    skills_and_prices = {"small": (0.5, 1e-7), "medium": (0.7, 5e-7), "large": (0.85, 3e-6)}
    columns = {"query_id": np.arange(300), "task": rng.choice(["code", "chat"], 300)}
    for model, (skill, price) in skills_and_prices.items():
        columns[f"score:{model}"] = (rng.random(300) < skill).astype(float)
        columns[f"cost:{model}"] = price * tokens
    pl.DataFrame(columns).write_csv(file)

    report = check_file(file)
    print(f"{report.rows} queries, tasks {report.tasks}, problems: {report.problems or 'none'}")
    for found in report.models:
        print(f"  {found.name:8} score {found.mean_score:.3f}, cost {found.mean_cost:.6f} USD")

    # Two models may be deployed, 'small' and 'medium' are there at first, 'large' comes later.
    changes = {
        "data": str(file), "arrival_order": "column", "initial_models": 2,
        "arrival_interval": options.horizon // 3, "horizon": options.horizon, "num_stages": 10,
        "max_deployed": 2, "throughput": 0.8, "budget": 5e-4,
    }  # fmt: skip
    for agent in ("stageroute", "uniform", "oracle"):
        rows = evaluate(agent, "recorded", range(5), **changes)
        means = rows.select("score_over_horizon_oracle", "spend_over_budget", "unserved").mean()
        print(agent, means.row(0, named=True))


if __name__ == "__main__":
    main()
