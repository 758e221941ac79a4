"""Training over random scenarios: one agent for scenarios that it never saw.

The policy is cloned from a teacher that knows the true means, see `cloning`. No scenario of the
leaderboard, nor any recorded data, is used.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from stageroute_agents.sb3.settings import TrainingSettings
from stageroute_gym import checks
from stageroute_gym.context import AgentContext
from stageroute_gym.errors import FieldError
from stageroute_gym.wrappers import RelativeFeatures

AGENT_FILE = "agent.sragent"
# A decision holds for this share of the horizon: 200 decisions an episode.
HOLD = 0.005
# Seeds of random scenarios: training run ``s`` uses those from (s + 1) times this on.
SEEDS_OF_A_RUN = 10_000_000
# Those that no training run below 900 gets to, for validation.
VALIDATION_SEED = 9_000_000_000


def train_generalist(
    folder: Path,
    *,
    seed: int = 0,
    rounds: int = 30,
    scenarios: int = 48,
    episodes: int = 2,
    show_progress: bool = True,
) -> Path:
    """Train the equivariant policy over random scenarios.

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
    if rounds * scenarios > SEEDS_OF_A_RUN:
        raise FieldError("rounds", rounds, f"at most {SEEDS_OF_A_RUN // scenarios}")
    if folder.exists() and any(folder.iterdir()):
        raise FieldError("folder", str(folder), "a new or empty one")
    settings = policy_settings(seed)
    settings.algorithm.load()  # says what is missing, before anything is written
    # Only here, since they load torch.
    from rich.progress import track

    from stageroute_agents.sb3 import cloning
    from stageroute_agents.sb3.files import save

    folder.mkdir(parents=True, exist_ok=True)
    policy = new_policy(seed)
    actor = policy.mlp_extractor.actor

    def tables(number: int) -> list[cloning.Table]:
        first = SEEDS_OF_A_RUN * (seed + 1) + number * scenarios
        return random_tables(first, scenarios, episodes)

    fitting = cloning.clone(actor, tables, rounds, np.random.default_rng(seed))
    for _ in track(fitting, "cloning", total=rounds, disable=not show_progress):
        pass
    path = folder / AGENT_FILE
    trained_on = {"name": "random", "method": "cloning", "seed": seed, **counts}
    save(path, policy, settings, None, rounds, trained_on)
    return path


def policy_settings(seed: int) -> TrainingSettings:
    """What an agent file has to tell of the policy; its scenario is only a place holder."""
    return TrainingSettings(
        algo="ppo", scenario="routerbench", seed=seed, hold=HOLD, equivariant=True
    )


def new_policy(seed: int) -> Any:
    """An untrained policy for random scenarios; sets torch to one thread."""
    import torch

    from stageroute_agents.sb3.equivariant import EquivariantPolicy
    from stageroute_agents.sb3.randomised import NUM_MODELS
    from stageroute_gym.wrappers.relative import row_space
    from stageroute_gym.wrappers.shares import logit_space

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    return EquivariantPolicy(row_space(NUM_MODELS), logit_space(NUM_MODELS), lambda _: 0.0)


def random_tables(first: int, scenarios: int, episodes: int) -> list[Any]:
    """Episodes of random scenarios.

    Args:
        first: seed of the first scenario; the next one has the next seed.
        scenarios: number of scenarios.
        episodes: number of episodes of each.
    """
    from stageroute_agents.sb3.cloning import Table
    from stageroute_agents.sb3.randomised import random_scenario

    tables = []
    for seed in range(first, first + scenarios):
        scenario = random_scenario(seed)
        hold = max(int(HOLD * scenario.problem.horizon), 1)
        tables.append(Table(scenario, episodes, hold, seed * episodes))
    return tables


def validate(path: Path, *, scenarios: int = 64, episodes: int = 2) -> float:
    """Mean score / stage oracle of an agent file on random scenarios that no training uses.

    Args:
        path: the agent file.
        scenarios: number of scenarios.
        episodes: number of episodes of each.

    Raises:
        FieldError: if the file is missing or broken.
    """
    from stageroute_agents.sb3.cloning import score_of
    from stageroute_agents.sb3.files import AgentFile

    tables = random_tables(VALIDATION_SEED, scenarios, episodes)
    features = RelativeFeatures.of(AgentContext.of(tables[0].env))
    policy = AgentFile(path).policy(features)
    return score_of(policy.mlp_extractor.actor, tables)
