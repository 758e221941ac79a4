"""Train one agent over random scenarios, then rank it on scenarios that it never saw.

    python examples/train_generalist.py --seed 0 --steps 300000 --out runs/generalist-0

The policy scores each model from that model's own statistics, with the same weights for each.
Needs the extra ``rl``. The agent file is ``OUT/agent.sragent``.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from gymnasium.wrappers.vector import TransformReward
from stageroute_agents.sb3 import callbacks, files, training
from stageroute_agents.sb3.agent import TrainedAgent
from stageroute_agents.sb3.mixture import ScenarioMixture
from stageroute_agents.sb3.randomised import random_scenario
from stageroute_agents.sb3.settings import RETURN_SCALE, TrainingSettings
from stageroute_agents.sb3.vec_env import NativeVecEnv

from stageroute_gym import wrappers
from stageroute_gym.evaluation import evaluate
from stageroute_gym.vector import StageRouteContinuousVectorEnv

UNSEEN = ("routerbench", "routerbench-tight", "routerbench-loose")


def make_env(arguments: dict, hold: int, price: float) -> NativeVecEnv:
    native = StageRouteContinuousVectorEnv(1, **arguments)
    held = wrappers.VectorHoldDecision(native, queries=hold)
    priced = wrappers.VectorBudgetPrice(held, price=price)
    # Over the oracle, so that hard scenarios count as much as easy ones.
    scale = RETURN_SCALE / max(float(native.world.horizon_plan.value), 1.0)
    flat = wrappers.VectorFlatObservation(priced)
    return NativeVecEnv(TransformReward(flat, lambda rewards: rewards * scale))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=300_000)
    parser.add_argument("--scenarios", type=int, default=128)
    parser.add_argument("--num-envs", type=int, default=32)
    parser.add_argument("--hold", type=int, default=100)
    parser.add_argument("--price", type=float, default=0.1)
    parser.add_argument("--eval-interval", type=int, default=50_000)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True)

    settings = TrainingSettings(
        algo="ppo",
        scenario="routerbench",
        seed=options.seed,
        steps=options.steps,
        num_envs=options.num_envs,
        hold=options.hold,
        price=options.price,
        equivariant=True,
        eval_interval=options.eval_interval,
        parameters={"n_steps": 128, "batch_size": 512, "n_epochs": 4, "learning_rate": 5e-4},
    )
    rng = np.random.default_rng(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        drawn = [random_scenario(rng, Path(folder)) for _ in range(options.scenarios + 8)]
        pool = [make_env(arguments, options.hold, options.price) for arguments in drawn[8:]]
        env = ScenarioMixture(pool, options.num_envs)
        model = training.make_model(settings, env)
        env.seed(2**32 + options.seed)

        def validate() -> tuple[float, float]:
            """Mean over 8 random scenarios that are not trained on."""
            rows = []
            for arguments in drawn[:8]:
                unseen = StageRouteContinuousVectorEnv(1, **arguments)
                own = wrappers.Normalization.of(unseen)
                # The same weights, in networks for this number of models: here the same one.
                agent = TrainedAgent.of(settings, model.policy, own)
                rows.append(evaluate(agent, unseen.scenario, range(10**6, 10**6 + 3)))
            table = pl.concat(rows)
            score = table["score_over_horizon_oracle"].fill_null(0.0).to_numpy()
            return float(score.mean()), float(table["spend_over_budget"].to_numpy().mean())

        path = options.out / training.AGENT_FILE
        bar = callbacks.ProgressBar(options.steps, visible=True)
        normalization = wrappers.Normalization.of(pool[0].env)
        evaluations = callbacks.Evaluations(
            options.out,
            options.eval_interval,
            evaluate=validate,
            keep=lambda steps: files.save(path, model.policy, settings, normalization, steps),
            best=-math.inf,
            report=lambda score, spend: print(f"validation: {score:.3f} of the oracle", flush=True),
        )
        model.learn(options.steps, callback=[evaluations, bar])

    for scenario in UNSEEN:
        for agent in (str(path), "stageroute", "greedy-ratio", "uniform"):
            rows = evaluate(agent, scenario, range(20))
            mean = rows["score_over_horizon_oracle"].mean()
            print(f"{scenario:20} {agent:30} {mean:.3f}", flush=True)


if __name__ == "__main__":
    main()
