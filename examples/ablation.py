"""What each part of PacedRoute is worth: its score with the part less that without, by seed.

    python examples/ablation.py [--scenarios price-cut,delayed] [--seeds 20]

Prints a Markdown table in hundredths of the horizon oracle's score, mean ± half of the 95 %
interval.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import polars as pl

from stageroute_gym.evaluation import compare
from stageroute_gym.evaluation.leaderboard import run_leaderboard
from stageroute_gym.evaluation.trials import LeaderboardSettings
from stageroute_gym.scenarios import suite

WITHOUT = {
    part: f"without {part}=paced-route({part}=false)"
    for part in ("pace", "use_prices", "share_stages", "forget", "count_pending", "per_task")
}
SCENARIOS = suite("core").scenarios


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenarios", default=",".join(SCENARIOS), help="names, by comma")
    parser.add_argument("--seeds", type=int, default=20, help="number of seeds")
    options = parser.parse_args()
    settings = LeaderboardSettings.checked(
        agents=["paced-route", *WITHOUT.values()],
        scenarios=options.scenarios.split(","),
        seeds=range(options.seeds),
    )
    with tempfile.TemporaryDirectory() as folder:
        run_leaderboard(settings, folder)
        results = pl.read_parquet(Path(folder) / "results.parquet")
    print(f"| scenario | {' | '.join(WITHOUT)} |\n|:---|{'---:|' * len(WITHOUT)}")
    for scenario in settings.scenarios:
        rows = results.filter(scenario=scenario.name)
        cells = []
        for part in WITHOUT:
            gain = compare(rows, "paced-route", f"without {part}").row(0, named=True)
            half = (gain["high"] - gain["low"]) / 2 if gain["seeds"] > 1 else float("nan")
            cells.append(f"{100 * gain['difference']:+.1f} ± {100 * half:.1f}")
        print(f"| {scenario.name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
