"""What each part of PacedRoute is worth: its score with the part less that without, by seed.

    python examples/ablation.py [--scenarios price-cut,delayed] [--seeds 20]

Prints a Markdown table in hundredths of the horizon oracle's score, mean ± half of the 95 %
interval.
"""

from __future__ import annotations

import argparse

import joblib
import polars as pl

from stageroute_gym.evaluation import compare, evaluate
from stageroute_gym.scenarios import suite

PARTS = (
    "pace",
    "use_prices",
    "share_stages",
    "forget",
    "count_pending",
    "per_task",
)
SCENARIOS = (*suite("full").scenarios, *suite("changes").scenarios)


def run(scenario: str, part: str | None, seeds: range) -> pl.DataFrame:
    parameters = {part: False} if part else {}
    rows = evaluate("paced-route", scenario, seeds, agent_parameters=parameters)
    return rows.with_columns(agent=pl.lit(part or "all"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenarios", default=",".join(SCENARIOS), help="names, by comma")
    parser.add_argument("--seeds", type=int, default=20, help="number of seeds")
    options = parser.parse_args()
    scenarios, seeds = options.scenarios.split(","), range(options.seeds)

    calls = (
        joblib.delayed(run)(name, part, seeds) for name in scenarios for part in (None, *PARTS)
    )
    results = pl.concat(joblib.Parallel(n_jobs=-1)(calls))
    print(f"| scenario | {' | '.join(PARTS)} |\n|:---|{'---:|' * len(PARTS)}")
    for name in scenarios:
        rows = results.filter(scenario=name)
        cells = []
        for part in PARTS:
            gain = compare(rows, "all", part).row(0, named=True)
            half = (gain["high"] - gain["low"]) / 2 if gain["seeds"] > 1 else float("nan")
            cells.append(f"{100 * gain['difference']:+.1f} ± {100 * half:.1f}")
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
