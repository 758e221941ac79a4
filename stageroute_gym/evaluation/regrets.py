"""Regret of whole episodes and nothing else, for long horizons.

`stageroute_gym.evaluation.evaluate` books every step of every stage; here only the regret at the
end is kept, and an agent that can route a whole stage in compiled code does so: it has a method
``stage_server()``, which returns what `StageRouteContinuousVectorEnv.serve` takes, or None. The
regrets are the same to the bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from stageroute_gym import scenarios
from stageroute_gym.array_types import Flags, Floats
from stageroute_gym.evaluation import agents
from stageroute_gym.evaluation.contenders import agent_seed
from stageroute_gym.evaluation.entries import Entry
from stageroute_gym.evaluation.running import check_seeds
from stageroute_gym.registration import CONTINUOUS
from stageroute_gym.scenarios import Scenario
from stageroute_gym.vector import StageRouteContinuousVectorEnv


def regrets(
    agent: str | Entry, scenario: str | Scenario, seeds: Sequence[int], **overrides: Any
) -> Floats:
    """Regret of one episode a seed in `StageRouteContinuous-v0`, shape (seeds,), float64.

    Args:
        agent: an entry, as text or resolved; of references none where each seed has its own world.
        scenario: name of a scenario, ``module:NAME``, or a scenario itself.
        seeds: seed of each episode, integers of at least 0, each given once.
        overrides: as for `stageroute_gym.evaluation.evaluate`.

    Raises:
        FieldError: if an argument is not allowed; nothing has run then.
    """
    checked = check_seeds(seeds)
    entry = Entry.parsed(agent, CONTINUOUS) if isinstance(agent, str) else agent
    chosen = scenarios.get(scenario, **overrides)
    env = StageRouteContinuousVectorEnv(len(checked), scenario=chosen)
    # As each seed's own world tells it, list prices too.
    told: Any = chosen.world(checked[0]).agent_context(continuous=True) if chosen.per_seed else env
    seed = agent_seed(chosen.name, entry.agent)
    player = agents.make(entry.agent, told, seed=seed, **entry.parameters)
    return _play(env, player, checked)


def _play(env: StageRouteContinuousVectorEnv, player: agents.Predictor, seeds: list[int]) -> Floats:
    """Play until every episode has ended once."""
    server = player.stage_server() if hasattr(player, "stage_server") else None
    found = np.full(len(seeds), np.nan)
    observation: Any
    observation, _ = env.reset(seed=seeds)
    state: Any = cast("Any", player).begin(seeds) if hasattr(player, "begin") else None
    started: Flags = np.ones(len(seeds), np.bool_)
    while np.isnan(found).any():
        actions, state = player.predict(observation, state, started, deterministic=False)
        observation, _, over, _, infos = env.step(actions)
        if server is not None:
            observation, over, infos = env.serve(server)
        ended = over & np.isnan(found)
        found[ended] = infos["regret"][ended]
        started = over
    return found
