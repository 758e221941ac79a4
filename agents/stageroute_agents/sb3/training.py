"""Training: from settings to a folder with curves, a checkpoint and the agent file."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stageroute_agents.sb3.settings import TrainingSettings
from stageroute_gym.errors import FieldError, closest
from stageroute_gym.writing import make_folder, write_json

AGENT_FILE = "agent.sragent"
SETTINGS_FILE = "settings.json"
# Arguments of the algorithms' classes that are not for the user to give.
_GIVEN = ("policy", "env", "seed", "device", "_init_setup_model")
# Where the episodes of the evaluations while training begin: far from the seeds that leaderboards
# use, so that a policy is not chosen by the episodes that rank it.
EVALUATION_SEED = 1_000_000


def train(settings: TrainingSettings, folder: Path, *, show_progress: bool = True) -> Path:
    """Train an agent.

    The folder gets ``settings.json``, ``agent.sragent`` (the policy that did best in the
    evaluations), ``checkpoint.pt`` and TensorBoard's ``events.out.*`` files. One thread is used,
    and the same settings give the same agent on the same machine and versions.

    Args:
        settings: what to train.
        folder: a new or empty folder.
        show_progress: whether a progress bar is shown.

    Returns:
        Path of the agent file.

    Raises:
        FieldError: if the folder holds something, or a setting is not allowed.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FieldError("folder", str(folder), "a new or empty one; or resume the run in it")
    settings.algorithm.load()  # says what is missing
    return _run(settings, folder, resumed=False, show_progress=show_progress)


def resume(folder: Path, *, show_progress: bool = True) -> Path:
    """Go on with a training that was interrupted, from its last checkpoint if it has one yet.

    New episodes begin, with seeds of their own, and a replay buffer is filled anew; so the agent is
    not the one that the uninterrupted run would have given.

    Args:
        folder: folder of the run.
        show_progress: whether a progress bar is shown.

    Returns:
        Path of the agent file.

    Raises:
        FieldError: if the folder holds no run, or its checkpoint is broken.
    """
    settings = TrainingSettings.read(folder / SETTINGS_FILE)
    settings.algorithm.load()
    return _run(settings, folder, resumed=True, show_progress=show_progress)


def _run(settings: TrainingSettings, folder: Path, *, resumed: bool, show_progress: bool) -> Path:
    # Only here, since they load torch.
    from stageroute_agents.sb3 import callbacks
    from stageroute_agents.sb3.checkpoints import has_checkpoint, read_checkpoint
    from stageroute_agents.sb3.files import save

    assert settings.steps is not None
    env = make_vec_env(settings)
    model = make_model(settings, env)
    best = -math.inf
    if not resumed:
        # Only now, so that settings which the library refuses leave no folder behind.
        make_folder(folder)
        write_json(folder / SETTINGS_FILE, settings.to_dict(), field="out")
    elif has_checkpoint(folder):
        best = read_checkpoint(folder, model)
    env.seed(_episode_seed(settings.seed, model.num_timesteps))
    model.set_logger(tensorboard_logger(folder))
    normalizations = env.get_attr("normalization")
    path = folder / AGENT_FILE
    bar = callbacks.ProgressBar(settings.steps, visible=show_progress)
    evaluations = callbacks.Evaluations(
        folder,
        settings.eval_interval,
        evaluate=lambda: evaluate_policy(settings, model.policy, normalizations),
        keep=lambda steps: save(path, model.policy, settings, normalizations[0], steps),
        best=best,
        report=bar.report,
    )
    curves = callbacks.Curves(env.get_attr("world"), normalizations)
    remaining = settings.steps - model.num_timesteps
    try:
        if remaining > 0:
            model.learn(remaining, callback=[curves, evaluations, bar], reset_num_timesteps=False)
    finally:
        # An interruption too must leave the terminal as it was.
        bar.close()
        env.close()
    return path


def make_vec_env(settings: TrainingSettings) -> Any:
    """The ``VecEnv`` to train in: of the scenario, or of all of several.

    Raises:
        FieldError: if the scenarios differ in their number of models.
    """
    from stageroute_agents.sb3.vec_env import JoinedVecEnv, NativeVecEnv

    parts = [NativeVecEnv(each.make_env()) for each in settings.each()]
    return parts[0] if len(parts) == 1 else JoinedVecEnv(parts)


def make_model(settings: TrainingSettings, env: Any) -> Any:
    """A new model of stable-baselines3 for settings, on a ``VecEnv``; sets torch to one thread.

    Raises:
        FieldError: if there is no such parameter, or the library refuses its value.
    """
    import torch

    from stageroute_agents.sb3.files import policy_class

    # The networks are small: more threads cost time, and make results depend on their number.
    torch.set_num_threads(1)
    algorithm = settings.algorithm.load()
    known = [name for name in inspect.signature(algorithm).parameters if name not in _GIVEN]
    for name in settings.parameters:
        if name not in known:
            raise FieldError(f"parameter of {settings.algo}", name, closest(name, known))
    policy = policy_class(settings) if settings.equivariant else settings.algorithm.policy
    try:
        # A copy, since the library changes some; A2C adds its optimiser to ``policy_kwargs``.
        arguments = copy.deepcopy(dict(settings.parameters))
        if arguments.get("action_noise") is not None:
            arguments["action_noise"] = _gaussian_noise(env, arguments["action_noise"])
        return algorithm(policy, env, seed=settings.seed, device="cpu", **arguments)
    except (TypeError, ValueError, AssertionError) as error:
        # Which of them the library refused is known only from what it says.
        allowed = f"values that {settings.algorithm.class_name} takes; {error}"
        raise FieldError("parameters", dict(settings.parameters), allowed) from error


def _gaussian_noise(env: Any, deviation: float) -> Any:
    from stable_baselines3.common.noise import NormalActionNoise

    zeros = np.zeros(env.action_space.shape)
    return NormalActionNoise(zeros, np.full_like(zeros, deviation))


def tensorboard_logger(folder: Path) -> Any:
    """A logger of stable-baselines3 that writes TensorBoard's files into a folder."""
    from stable_baselines3.common.logger import configure

    return configure(str(folder), ["tensorboard"])


def evaluate_policy(
    settings: TrainingSettings, policy: Any, normalizations: Sequence[Any]
) -> tuple[float, float]:
    """Mean score / horizon oracle and spend / budget of a policy, over the scenarios.

    Args:
        settings: the training run.
        policy: a policy of stable-baselines3.
        normalizations: the transformation of the observations in each training environment.
    """
    each = settings.each()
    own = normalizations[:: len(normalizations) // len(each)]
    figures = [_evaluate(*pair, policy) for pair in zip(each, own, strict=True)]
    score, spend = np.mean(figures, axis=0).tolist()
    return score, spend


def _evaluate(settings: TrainingSettings, normalization: Any, policy: Any) -> tuple[float, float]:
    """Mean score / horizon oracle and spend / budget on one scenario, as an agent file plays it.

    A decision is one step here, which gives the same episodes as a step for each query, sooner.
    """
    from stageroute_agents.sb3.agent import TrainedAgent
    from stageroute_agents.sb3.torch_policy import TorchPolicy
    from stageroute_gym.oracles import oracles_of

    env: Any = settings.make_held_env(settings.eval_episodes)
    # The environment holds the decisions.
    agent = TrainedAgent.of(
        dataclasses.replace(settings, hold=1), TorchPolicy(policy), normalization
    )
    score, running = np.zeros(env.num_envs), np.ones(env.num_envs, np.bool_)
    spend, state = np.zeros(env.num_envs), None
    observation, _ = env.reset(seed=[EVALUATION_SEED + i for i in range(env.num_envs)])
    while running.any():
        actions, state = agent.predict(observation, state)
        observation, _, ended, _, infos = env.step(actions)
        score[running] += infos["score"][running]
        spend[running] = infos["spend"][running]
        running &= ~ended
    oracle = oracles_of(env.unwrapped.world).horizon.value
    share = score.mean() / oracle if oracle > 0 else 0.0
    return float(share), float(spend.mean() / env.unwrapped.problem.total_budget)


def _episode_seed(seed: int, steps: int) -> int:
    """Seed of the training episodes: another one after a resumption, and none of a leaderboard."""
    state = np.random.SeedSequence([seed, steps]).generate_state(1)[0]
    return 2**32 + int(state)
