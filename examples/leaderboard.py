"""An evaluation as a paper needs it: common seeds, intervals, paired differences.

python examples/leaderboard.py [--horizon 10000] [--seeds 10] [--csv results.csv]
"""

from __future__ import annotations

import argparse

import polars as pl

from stageroute_gym.evaluation import compare, estimate, evaluate

AGENTS = ["stageroute", "greedy-price", "uniform", "oracle"]
SCENARIOS = ["routerbench", "routerbench-tight"]
MEASURES = ["score_over_horizon_oracle", "regret", "spend_over_budget", "unserved"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--horizon", type=int, default=10_000, help="queries in an episode")
    parser.add_argument("--seeds", type=int, default=10, help="number of seeds")
    parser.add_argument("--csv", help="file for the rows, one an episode")
    options = parser.parse_args()

    # Every agent meets the same queries under the same seed.
    results = pl.concat(
        evaluate(agent, scenario, range(options.seeds), horizon=options.horizon)
        for scenario in SCENARIOS
        for agent in AGENTS
    )
    if options.csv:
        results.write_csv(options.csv)

    for scenario in SCENARIOS:
        print(f"\n{scenario}: mean ± half of the 95 % interval, {options.seeds} seeds")
        for agent in AGENTS:
            rows = results.filter(scenario=scenario, agent=agent)
            print(f"  {agent:14}", end="")
            for measure in MEASURES:
                found = estimate(rows[measure])
                half = f"{found.half_width:.3f}" if found.half_width is not None else "-"
                print(f"  {measure} {found.mean:.3f} ± {half}", end="")
            print()

    print("\nscore / horizon oracle, StageRoute minus the other, paired by seed")
    for agent in AGENTS[1:]:
        for row in compare(results, "stageroute", agent).iter_rows(named=True):
            interval = f"[{row['low']:+.3f}, {row['high']:+.3f}]" if row["seeds"] > 1 else ""
            print(f"  {row['scenario']:18} {agent:14} {row['difference']:+.3f} {interval}")


if __name__ == "__main__":
    main()
