"""What plays: an entry, a class or function that makes an agent, or an agent itself."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation import agents
from stageroute_gym.evaluation.agents import AgentFactory, Predictor
from stageroute_gym.evaluation.entries import Entry, environment_of, split_entries

if TYPE_CHECKING:
    from stageroute_gym.vector import StageRouteVectorEnv

AgentLike = str | Entry | AgentFactory | Predictor


@dataclass(frozen=True)
class Contender:
    """What plays.

    Attributes:
        label: what results call it.
        name: of the agent; its random numbers follow from it, see `agent_seed`.
        parameters: the agent's, by name.
        env_id: the environment that it plays in.
        made_here: whether it is made here, and not given as an agent.
        make: makes it for an environment, with a seed of its own.
    """

    label: str
    name: str
    parameters: dict[str, Any]
    env_id: str
    made_here: bool
    make: Callable[[StageRouteVectorEnv, int], Predictor]


def contender_of(agent: AgentLike, env_id: str | None, parameters: dict[str, Any]) -> Contender:
    """What plays for an agent, see `stageroute_gym.evaluation.running.evaluate`.

    Raises:
        FieldError: if there is no such agent, parameter or environment, or parameters are given
            where the agent has its own.
    """
    if isinstance(agent, str):
        agent = _entry(agent, env_id, parameters)
    elif parameters and (isinstance(agent, Entry) or _is_agent(agent)):
        raise FieldError("agent_parameters", parameters, "none; the agent has its own already")
    if isinstance(agent, Entry):
        entry = agent
        return Contender(
            entry.label,
            entry.agent,
            dict(entry.parameters),
            entry.env_id,
            True,
            lambda env, seed: agents.make(entry.agent, env, seed=seed, **entry.parameters),
        )
    name, chosen_id = agent_name(agent), environment_of(agent, env_id)
    if _is_agent(agent):
        player = cast("Predictor", agent)
        return Contender(name, name, {}, chosen_id, False, lambda env, seed: player)
    factory = cast("AgentFactory", agent)
    return Contender(
        name,
        name,
        parameters,
        chosen_id,
        True,
        lambda env, seed: agents.build(factory, env, name=name, seed=seed, parameters=parameters),
    )


def _entry(text: str, env_id: str | None, parameters: dict[str, Any]) -> Entry:
    if parameters:
        return Entry.resolved(text, parameters, env_id=env_id)
    if len(split_entries(text)) != 1:
        raise FieldError("agent", text, "one agent")
    return Entry.parsed(text, env_id)


def _is_agent(agent: object) -> bool:
    """Whether it is an agent itself, not something that makes one."""
    return hasattr(agent, "predict") and not inspect.isclass(agent)


def agent_name(agent: AgentFactory | Predictor) -> str:
    """What results call an agent that was given as a class, a function or itself."""
    named = type(agent) if _is_agent(agent) else agent
    return f"{named.__module__}:{getattr(named, '__qualname__', type(named).__qualname__)}"


def agent_seed(scenario: str, agent: str) -> int:
    """Seed of an agent's own random numbers: 64 bits of the SHA-256 of the two, as JSON."""
    text = json.dumps([scenario, agent])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
