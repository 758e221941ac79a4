"""Training over random scenarios: one agent for scenarios that it never saw."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from stageroute_agents.sb3.randomised import random_scenario
from stageroute_agents.sb3.settings import RETURN_SCALE, TrainingSettings
from stageroute_gym.errors import FieldError

# Scenarios, three episodes of each, by which the best policy is chosen.
_VALIDATION = 8
_VALIDATION_SEEDS = range(1_000_000, 1_000_003)
_PARAMETERS = {"n_epochs": 8}


def train_generalist(
    folder: Path,
    *,
    seed: int = 0,
    steps: int = 400_000,
    num_scenarios: int = 128,
    num_envs: int = 32,
    hold: int = 250,
    price: float = 0.05,
    eval_interval: int = 40_000,
    parameters: Mapping[str, Any] | None = None,
    show_progress: bool = True,
) -> Path:
    """Train the equivariant policy with PPO over random scenarios.

    Args:
        folder: a new or empty folder for the agent file and the checkpoint.
        seed: seed of the scenarios, the networks, the exploration and the episodes.
        steps: decisions to train for.
        num_scenarios: scenarios to train on.
        num_envs: episodes that run at a time.
        hold: queries that a routing decision holds for.
        price: price of the budget in the reward.
        eval_interval: decisions between two evaluations on scenarios that are not trained on.
        parameters: arguments of PPO that replace the defaults here.
        show_progress: whether a progress bar is shown.

    Returns:
        Path of the agent file: the policy that did best in the evaluations.

    Raises:
        FieldError: if the folder holds something, or a value is not allowed.
    """
    from stageroute_agents.sb3 import callbacks, training
    from stageroute_agents.sb3.files import save
    from stageroute_agents.sb3.mixture import ScenarioMixture
    from stageroute_gym.wrappers import Normalization

    if folder.exists() and any(folder.iterdir()):
        raise FieldError("folder", str(folder), "a new or empty one")
    settings = TrainingSettings(
        algo="ppo",
        scenario="routerbench",
        seed=seed,
        steps=steps,
        num_envs=num_envs,
        hold=hold,
        price=price,
        equivariant=True,
        eval_interval=eval_interval,
        parameters={**_PARAMETERS, **(parameters or {})},
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "settings.json").write_text(json.dumps(settings.to_dict(), indent=1))
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as files:
        drawn = [random_scenario(rng, Path(files)) for _ in range(_VALIDATION + num_scenarios)]
        pool = [_training_env(arguments, hold, price) for arguments in drawn[_VALIDATION:]]
        env = ScenarioMixture(pool, num_envs)
        model = training.make_model(settings, env)
        env.seed(2**32 + seed)
        path = folder / training.AGENT_FILE
        bar = callbacks.ProgressBar(steps, visible=show_progress)
        normalization = Normalization.of(pool[0].env)
        evaluations = callbacks.Evaluations(
            folder,
            eval_interval,
            evaluate=lambda: _validate(settings, model.policy, drawn[:_VALIDATION]),
            keep=lambda trained: save(path, model.policy, settings, normalization, trained),
            best=-math.inf,
            report=bar.report,
        )
        model.set_logger(training.tensorboard_logger(folder))
        try:
            model.learn(steps, callback=[evaluations, bar])
        finally:
            bar.close()
            env.close()
    return path


def _training_env(arguments: Mapping[str, Any], hold: int, price: float) -> Any:
    from gymnasium.wrappers.vector import TransformReward

    from stageroute_agents.sb3.vec_env import NativeVecEnv
    from stageroute_gym import wrappers
    from stageroute_gym.vector import StageRouteContinuousVectorEnv

    native = StageRouteContinuousVectorEnv(1, **arguments)
    held = wrappers.VectorHoldDecision(native, queries=hold)
    priced = wrappers.VectorBudgetPrice(held, price=price)
    # Over the oracle, so that hard scenarios count as much as easy ones.
    scale = RETURN_SCALE / max(float(native.world.horizon_plan.value), 1.0)
    flat = wrappers.VectorFlatObservation(priced)
    return NativeVecEnv(TransformReward(flat, lambda rewards: rewards * scale))


def _validate(
    settings: TrainingSettings, policy: Any, scenarios: list[dict[str, Any]]
) -> tuple[float, float]:
    """Means of score / horizon oracle and spend / budget over scenarios."""
    from stageroute_agents.sb3.agent import TrainedAgent
    from stageroute_gym.evaluation import evaluate
    from stageroute_gym.vector import StageRouteContinuousVectorEnv
    from stageroute_gym.wrappers import Normalization

    scores, spends = [], []
    for arguments in scenarios:
        env = StageRouteContinuousVectorEnv(1, **arguments)
        agent = TrainedAgent.of(settings, policy, Normalization.of(env))
        rows = evaluate(agent, env.scenario, _VALIDATION_SEEDS)
        scores.append(rows["score_over_horizon_oracle"].fill_null(0.0).to_numpy().mean())
        spends.append(rows["spend_over_budget"].to_numpy().mean())
    return float(np.mean(scores)), float(np.mean(spends))
