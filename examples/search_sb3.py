"""Search for an algorithm's arguments by successive halving. Needs the extra ``rl``.

    python examples/search_sb3.py --algo ppo

The defaults play every rung; of the trials drawn at random from search_choices.json, a rung passes
the best third on to the next, which trains longer and with more seeds. Nothing that results are
reported for is played. Each training is a line of --out, from which the same command goes on.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from stageroute_agents.sb3 import algorithms
from stageroute_agents.sb3.files import AgentFile
from stageroute_agents.sb3.settings import TrainingSettings
from stageroute_agents.sb3.training import train

from stageroute_gym.evaluation import evaluate

CHOICES = json.loads(Path(__file__).with_name("search_choices.json").read_text())
PROBLEMS = [
    {"scenario": "routerbench", "overrides": {"budget": 2e-4}},
    {"scenario": "paper", "overrides": {"horizon": 10_000, "arrival_interval": 1_100}},
]


def play(job: str) -> tuple[str, float]:
    settings = TrainingSettings(**json.loads(job))
    with tempfile.TemporaryDirectory() as folder:
        agent = AgentFile(train(settings, Path(folder), show_progress=False))
    rows = evaluate(agent, settings.scenario, range(2_000_000, 2_000_010), **settings.overrides)
    return job, rows["score_over_horizon_oracle"].mean()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--algo", choices=list(CHOICES), default="ppo")
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--seeds", type=int, default=2, help="of the last rung")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("search.jsonl"))
    options = parser.parse_args()
    rng, choices = np.random.default_rng(0), CHOICES[options.algo].items()
    defaults = dict(algorithms.get(options.algo).parameters)
    draws = [{k: v[rng.integers(len(v))] for k, v in choices} for _ in range(options.trials)]
    trials = [defaults, *({**defaults, **draw} for draw in draws)]
    options.out.touch()
    scores = dict(json.loads(line) for line in options.out.read_text().splitlines())
    for share, seeds in ((0.2, 1), (0.5, 1), (1.0, options.seeds)):
        common = {"algo": options.algo, "steps": round(share * options.steps)}
        plays = [{**problem, "seed": seed} for problem in PROBLEMS for seed in range(seeds)]
        jobs = [[json.dumps({**common, **p, "parameters": t}) for p in plays] for t in trials]
        todo = [delayed(play)(job) for part in jobs for job in part if job not in scores]
        for job, score in Parallel(options.jobs, return_as="generator")(todo):
            scores[job] = score
            with options.out.open("a") as file:
                file.write(json.dumps([job, score]) + "\n")
        means = [np.mean([scores[job] for job in part]) for part in jobs]
        ranking = np.argsort(means)[::-1].tolist()
        for i in ranking:
            print(
                f"{share:.0%} of the steps, {seeds} seeds: {means[i]:.3f} {trials[i]}", flush=True
            )
        drawn = [i for i in ranking if i > 0]
        trials = [defaults, *(trials[i] for i in drawn[: max(1, len(drawn) // 3)])]


if __name__ == "__main__":
    main()
