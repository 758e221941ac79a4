"""Train algorithms with several seeds and compare them with the baselines. Needs the extra ``rl``.

    python examples/rank_sb3.py --algos ppo a2c --data queries.parquet

All agents play the same fresh episodes. Each mean has two halves of 95 % intervals: over training
seeds, each by its mean over the episodes, then over the episodes, each by its mean over the seeds.
The same command gives the same rank.csv, and goes on from the runs in --out that are complete.
"""

import argparse
import shutil
from itertools import repeat
from pathlib import Path

import numpy as np
import polars as pl
from joblib import Parallel, delayed
from stageroute_agents.sb3 import algorithms
from stageroute_agents.sb3.files import AgentFile
from stageroute_agents.sb3.settings import TrainingSettings
from stageroute_agents.sb3.training import AGENT_FILE, train

from stageroute_gym.evaluation import estimate, evaluate

FIRST_EPISODE = 5_000_000  # neither training nor any choice of defaults saw those from here on
BASELINES = ("uniform", "greedy-ratio", "greedy-price")
SCORE = "score_over_horizon_oracle"


def play(settings: TrainingSettings, folder: Path, episodes: range) -> pl.DataFrame:
    if not folder.exists():
        partial = folder.with_name(folder.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        train(settings, partial, show_progress=False)
        partial.rename(folder)
    if TrainingSettings.read(folder / "settings.json") != settings:
        raise SystemExit(f"{folder} holds a run of other settings: give another --out")
    rows = evaluate(
        AgentFile(folder / AGENT_FILE), settings.scenario, episodes, **settings.overrides
    )
    return rows.with_columns(agent=pl.lit(settings.algo), training_seed=pl.lit(settings.seed))


def shown(scores: np.ndarray) -> str:
    ends = [estimate(scores.mean(axis)).half_width for axis in (1, 0)]
    return " ± ".join(
        [f"{scores.mean():.3f}", *("-" if end is None else f"{end:.3f}" for end in ends)]
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--algos", nargs="+", choices=algorithms.names(), default=["ppo"])
    parser.add_argument("--scenarios", nargs="+", default=["routerbench", "routerbench-tight"])
    parser.add_argument("--data", help="recorded outcomes; adds the scenario recorded")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--episodes", type=int, default=20)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/rank"))
    options = parser.parse_args()
    episodes = range(FIRST_EPISODE, FIRST_EPISODE + options.episodes)
    problems = {name: {} for name in options.scenarios}
    if options.data:
        problems["recorded"] = {"data": options.data}
    tables = []
    print("| scenario | algorithm | score / oracle |", *(f"ahead of {b} |" for b in BASELINES))
    print("|---|---|" + "---:|" * (1 + len(BASELINES)))
    for scenario, overrides in problems.items():
        for algo in options.algos:
            common = {"algo": algo, "scenario": scenario, "overrides": overrides}
            runs = [
                TrainingSettings(**common, steps=options.steps, seed=s)
                for s in range(options.seeds)
            ]
            folders = [options.out / f"{algo}-{scenario}-{run.seed}" for run in runs]
            ours = Parallel(options.jobs)(map(delayed(play), runs, folders, repeat(episodes)))
            theirs = [
                evaluate(b, scenario, episodes, env_id=runs[0].env_id, **overrides)
                for b in BASELINES
            ]
            scores = np.stack([rows[SCORE] for rows in ours])
            cells = [shown(scores), *(shown(scores - rows[SCORE].to_numpy()) for rows in theirs)]
            print(f"| {scenario} | {algo} |", *(f"{cell} |" for cell in cells), flush=True)
            tables += [*ours, *(rows.with_columns(training_seed=None) for rows in theirs)]
    pl.concat(tables, how="vertical_relaxed").write_csv(options.out / "rank.csv")


if __name__ == "__main__":
    main()
