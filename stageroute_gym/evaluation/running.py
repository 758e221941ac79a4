"""Running an agent on a scenario: one native vector environment, one row of results an episode."""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from stageroute_gym import scenarios
from stageroute_gym.errors import FieldError, closest
from stageroute_gym.evaluation import agents
from stageroute_gym.evaluation.agents import AgentFactory, Predictor
from stageroute_gym.evaluation.books import Books, episode_rows
from stageroute_gym.scenarios import Scenario

if TYPE_CHECKING:
    import polars as pl

    from stageroute_gym.vector import StageRouteVectorEnv

DEFAULT_ENV_ID = "StageRouteContinuous-v0"
ENV_IDS = ("StageRoute-v0", DEFAULT_ENV_ID)
WARM_UP_STEPS = 20  # enough to deploy one model after the other and to route

AgentLike = str | AgentFactory | Predictor


@dataclass(frozen=True)
class Timing:
    """How long an evaluation took; kept apart from its results, which are the same at every run.

    Attributes:
        scenario: name of the scenario.
        agent: name of the agent.
        decisions: decisions taken, those of restarted episodes included.
        agent_microseconds: time of the agent for one decision in one environment.
        env_microseconds: time of the environment for one decision in one environment.
    """

    scenario: str
    agent: str
    decisions: int
    agent_microseconds: float
    env_microseconds: float


def evaluate(
    agent: AgentLike,
    scenario: str | Scenario,
    seeds: Sequence[int],
    *,
    env_id: str | None = None,
    agent_parameters: Mapping[str, Any] | None = None,
    **overrides: Any,
) -> pl.DataFrame:
    """Run an agent for one episode a seed.

    All episodes advance together, in one batch: an agent with random numbers of its own draws them
    for the whole batch, so its results belong to this list of seeds. They depend on nothing else.

    Args:
        agent: a name, ``module:Class``, a factory that is called as ``factory(env, seed=...,
            **agent_parameters)``, or an agent itself. The seed is made from the scenario's name,
            the agent's and ``seeds``, see `agent_seed`.
        scenario: name of a scenario, or a changed copy of one.
        seeds: seed of each episode, integers of at least 0, each given once.
        env_id: ``StageRoute-v0`` or ``StageRouteContinuous-v0``; None takes the agent's attribute
            ``env_id`` if it has one, and the continuous environment otherwise.
        agent_parameters: the agent's parameters, by name.
        overrides: fields of `stageroute_gym.problem.Problem` and options of the scenario's
            workload.

    Returns:
        One row an episode; `stageroute_gym.evaluation.books.episode_rows` describes the columns.

    Raises:
        FieldError: if an argument is not allowed; nothing has run then.
    """
    return timed_evaluation(
        agent, scenario, seeds, env_id=env_id, agent_parameters=agent_parameters, **overrides
    )[0]


def timed_evaluation(
    agent: AgentLike,
    scenario: str | Scenario,
    seeds: Sequence[int],
    *,
    env_id: str | None = None,
    agent_parameters: Mapping[str, Any] | None = None,
    warm: bool = False,
    **overrides: Any,
) -> tuple[pl.DataFrame, Timing]:
    """As `evaluate`, with the time it took.

    Args:
        agent: as for `evaluate`, like all that is not named here.
        scenario: see there.
        seeds: see there.
        env_id: see there.
        agent_parameters: see there.
        warm: play a few steps with another agent of this kind first, so that the time holds no
            loading of compiled code; only for agents that are made here.
        overrides: see there.
    """
    parameters = dict(agent_parameters or {})
    checked_seeds = check_seeds(seeds)
    source = agents.load(agent) if isinstance(agent, str) else agent
    name = agent_name(agent)
    chosen_id = environment_of(source, env_id)
    env = _make_env(chosen_id, scenario, len(checked_seeds), overrides)
    seed = agent_seed(env.scenario.name, name, checked_seeds)
    if warm and not _is_agent(source):
        first = _make_env(chosen_id, scenario, 1, overrides)
        _play(first, _make_agent(agent, first, seed, parameters), [0], max_steps=WARM_UP_STEPS)
    player = _make_agent(agent, env, seed, parameters)
    books, agent_time, env_time = _play(env, player, checked_seeds)
    rows = episode_rows(
        env.scenario,
        env.world,
        agent=name,
        agent_parameters=json.dumps(parameters, sort_keys=True),
        env_id=chosen_id,
        seeds=checked_seeds,
        books=books,
    )
    decisions = books.steps_of_all
    micro = 1e6 / decisions
    timing = Timing(env.scenario.name, name, decisions, agent_time * micro, env_time * micro)
    return rows, timing


def check_seeds(seeds: Sequence[int]) -> list[int]:
    """The seeds as a list.

    Raises:
        FieldError: if there is none, one is given twice, or one is no integer of at least 0.
    """
    allowed = "integers of at least 0, at least one, each given once"
    if isinstance(seeds, str) or not hasattr(seeds, "__iter__"):
        raise FieldError("seeds", seeds, allowed)
    listed = list(seeds)
    for seed in listed:
        whole = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
        if not whole or seed < 0 or listed.count(seed) > 1:
            raise FieldError("seeds", seed, allowed)
    if not listed:
        raise FieldError("seeds", listed, allowed)
    return [int(seed) for seed in listed]


def agent_name(agent: AgentLike) -> str:
    """What results call an agent: its name, or ``module:Class``."""
    if isinstance(agent, str):
        return agent
    named = type(agent) if _is_agent(agent) else agent
    return f"{named.__module__}:{getattr(named, '__qualname__', type(named).__qualname__)}"


def agent_seed(scenario: str, agent: str, seeds: Sequence[int]) -> int:
    """Seed of an agent's own random numbers: 64 bits of the SHA-256 of the three, as JSON."""
    text = json.dumps([scenario, agent, list(seeds)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def environment_of(agent: object, env_id: str | None) -> str:
    """The environment to run an agent in; see `evaluate`.

    Raises:
        FieldError: if there is no such environment.
    """
    chosen = env_id if env_id is not None else getattr(agent, "env_id", None) or DEFAULT_ENV_ID
    if chosen not in ENV_IDS:
        raise FieldError("env_id", chosen, closest(str(chosen), ENV_IDS))
    return str(chosen)


def named_scenario(
    scenario: str | Scenario, overrides: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    """The name of a scenario, and all that distinguishes it from the registered one of that name.

    Raises:
        FieldError: if there is no such scenario, or its workload is of another kind.
    """
    if isinstance(scenario, str):
        return scenario, dict(overrides)
    base = scenarios.get(scenario.name)
    if type(base.workload) is not type(scenario.workload):
        kind = type(base.workload).__name__
        raise FieldError("scenario.workload", scenario.workload, f"a {kind}, as registered")
    differences: dict[str, Any] = {}
    for old, new in ((base.problem, scenario.problem), (base.workload, scenario.workload)):
        for field in dataclasses.fields(old):
            value = getattr(new, field.name)
            if value != getattr(old, field.name):
                differences[field.name] = value
    return scenario.name, {**differences, **overrides}


def warm_up(env_id: str, scenario: str, overrides: Mapping[str, Any]) -> None:
    """Compile the kernels of an environment, or load them; a reset runs them all."""
    _make_env(env_id, scenario, 1, overrides).reset(seed=0)


def _is_agent(agent: object) -> bool:
    """Whether it is an agent itself, not something that makes one."""
    return hasattr(agent, "predict") and not inspect.isclass(agent)


def _make_agent(
    agent: AgentLike, env: StageRouteVectorEnv, seed: int, parameters: Mapping[str, Any]
) -> Predictor:
    if isinstance(agent, str):
        return agents.make(agent, env, seed=seed, **parameters)
    if _is_agent(agent):
        if parameters:
            raise FieldError("agent_parameters", parameters, "none; the agent is made already")
        return cast("Predictor", agent)
    return cast("AgentFactory", agent)(env, seed=seed, **parameters)


def _make_env(
    env_id: str, scenario: str | Scenario, num_envs: int, overrides: Mapping[str, Any]
) -> StageRouteVectorEnv:
    # Only here, since the environments load the compiler.
    from stageroute_gym.vector import StageRouteContinuousVectorEnv, StageRouteVectorEnv

    kind = StageRouteContinuousVectorEnv if env_id == DEFAULT_ENV_ID else StageRouteVectorEnv
    name, differences = named_scenario(scenario, overrides)
    return kind(num_envs, scenario=name, **differences)


def _play(
    env: StageRouteVectorEnv, agent: Predictor, seeds: list[int], max_steps: float = math.inf
) -> tuple[Books, float, float]:
    """Play until every episode has ended once; the books, and seconds of agent and environment."""
    clock: Callable[[], float] = time.perf_counter
    books = Books(env.num_envs)
    started = clock()
    observation, _ = env.reset(seed=seeds)
    env_time, agent_time = clock() - started, 0.0
    state: Any = None
    # An episode that is over restarts by the step after its last one.
    episode_start: NDArray[np.bool_] = np.ones(env.num_envs, np.bool_)
    while books.running.any() and books.steps_of_all < max_steps * env.num_envs:
        started = clock()
        actions, state = agent.predict(observation, state, episode_start, deterministic=False)
        decided = clock()
        observation, scores, terminated, _, infos = env.step(actions)
        agent_time += decided - started
        env_time += clock() - decided
        episode_start = books.ended_at_last_step
        books.enter(scores, terminated, infos)
    return books, agent_time, env_time
