"""Training over random scenarios: one agent for scenarios that it never saw.

The policy is cloned from a teacher that knows the true means, see `cloning`, on worlds of
``worlds-tune`` that no suite holds and on invented scenarios of longer horizons (`randomised`). No
named scenario of the leaderboard, nor any recorded data, is used.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from stageroute_agents.sb3.planned import planned_space
from stageroute_agents.sb3.settings import TrainingSettings
from stageroute_gym import checks
from stageroute_gym.errors import FieldError
from stageroute_gym.scenarios import Scenario, get
from stageroute_gym.writing import make_folder

AGENT_FILE = "agent.sragent"
# As many as the largest world has; the weights know of no number.
MOST_MODELS = 100
# A decision holds for this share of the horizon: 200 decisions an episode.
HOLD = 0.005
# Numbers of worlds and seeds of invented scenarios: training run ``s`` uses those from (s + 1)
# times this on.
NUMBERS_OF_A_RUN = 1_000_000
# Worlds that neither a suite nor a training run has.
VALIDATION_WORLD = 48
TRAINED_ON = ("worlds-tune", "random")
# Of each four scenarios of a training one is an invented one.
_INVENTED = 4
# Longer worlds cost more time than they tell.
_LONGEST = 20_000


def train_generalist(
    folder: Path,
    *,
    seed: int = 0,
    rounds: int = 10,
    scenarios: int = 36,
    episodes: int = 2,
    show_progress: bool = True,
) -> Path:
    """Train the equivariant policy over worlds and invented scenarios.

    One thread is used, and the same arguments give the same agent on the same machine and versions.

    Args:
        folder: a new or empty folder for the agent file.
        seed: seed of the scenarios, the networks and the episodes, 0 to 899.
        rounds: rounds of playing and fitting, each on scenarios of its own.
        scenarios: scenarios of a round.
        episodes: episodes of each scenario.
        show_progress: whether a progress bar is shown.

    Returns:
        Path of the agent file.

    Raises:
        FieldError: if the folder holds something, a value is not allowed, or the extra ``rl`` is
            not installed.
    """
    counts = {"rounds": rounds, "scenarios": scenarios, "episodes": episodes}
    for name, value in counts.items():
        checks.count(name, value, 1)
    checks.count("seed", seed, 0, 899)
    if rounds * scenarios > NUMBERS_OF_A_RUN:
        raise FieldError("rounds", rounds, f"at most {NUMBERS_OF_A_RUN // scenarios}")
    if folder.exists() and any(folder.iterdir()):
        raise FieldError("folder", str(folder), "a new or empty one")
    settings = policy_settings(seed)
    settings.algorithm.load()  # says what is missing, before anything is written
    # Only here, since they load torch.
    from rich.progress import track

    from stageroute_agents.sb3 import cloning
    from stageroute_agents.sb3.files import save

    make_folder(folder, field="folder")
    policy = new_policy(seed)
    actor = policy.mlp_extractor.actor

    def tables(number: int) -> list[cloning.Table]:
        first = NUMBERS_OF_A_RUN * (seed + 1) + number * scenarios
        return training_tables(first, scenarios, episodes)

    fitting = cloning.clone(actor, tables, rounds, np.random.default_rng(seed))
    for _ in track(fitting, "cloning", total=rounds, disable=not show_progress):
        pass
    path = folder / AGENT_FILE
    trained_on = {"name": ",".join(TRAINED_ON), "method": "cloning", "seed": seed, **counts}
    save(path, policy, settings, None, rounds, trained_on)
    return path


def policy_settings(seed: int) -> TrainingSettings:
    """What an agent file has to tell of the policy; its scenario is only a place holder."""
    return TrainingSettings(
        algo="ppo",
        scenario="routerbench",
        seed=seed,
        hold=HOLD,
        equivariant=True,
        parameters={"policy_kwargs": {"planned": True}},
    )


def new_policy(seed: int) -> Any:
    """An untrained policy for random scenarios; sets torch to one thread."""
    import torch

    from stageroute_agents.sb3.equivariant import EquivariantPolicy
    from stageroute_gym.wrappers.shares import logit_space

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    return EquivariantPolicy(
        planned_space(MOST_MODELS), logit_space(MOST_MODELS), lambda _: 0.0, planned=True
    )


def training_tables(first: int, scenarios: int, episodes: int) -> list[Any]:
    """Episodes of scenarios to train on.

    Args:
        first: number of the first scenario; the next one has the next number.
        scenarios: number of scenarios.
        episodes: number of episodes of each.
    """
    from stageroute_agents.sb3.randomised import random_scenario

    return [
        _table(
            random_scenario(number) if number % _INVENTED == 0 else world(number), number, episodes
        )
        for number in range(first, first + scenarios)
    ]


def world(number: int) -> Scenario:
    """A world of ``worlds-tune``, cut to a horizon of `_LONGEST`."""
    scenario = get("worlds-tune", world=number)
    if scenario.problem.horizon > _LONGEST:
        return scenario.override(horizon=_LONGEST)
    return scenario


def _table(scenario: Scenario, number: int, episodes: int) -> Any:
    from stageroute_agents.sb3.cloning import Table

    hold = max(int(HOLD * scenario.problem.horizon), 1)
    return Table(scenario, episodes, hold, number * episodes, MOST_MODELS)


def validate(path: Path, *, scenarios: int = 64, episodes: int = 2) -> float:
    """Mean score / horizon oracle of an agent file on worlds that no training and no suite has.

    Args:
        path: the agent file.
        scenarios: number of worlds.
        episodes: number of episodes of each.

    Raises:
        FieldError: if the file is missing or broken.
    """
    from stageroute_agents.sb3.cloning import score_of
    from stageroute_agents.sb3.files import AgentFile

    numbers = range(VALIDATION_WORLD, VALIDATION_WORLD + scenarios)
    tables = [_table(world(number), number, episodes) for number in numbers]
    features = dataclasses.replace(tables[0].features, num_models=MOST_MODELS)
    policy = AgentFile(path).policy(features)
    return score_of(policy.mlp_extractor.actor, tables)
