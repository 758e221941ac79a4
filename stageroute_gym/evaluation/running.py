"""Running an agent on a scenario: one native vector environment, one row of results an episode."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stageroute_gym import scenarios
from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation import agents
from stageroute_gym.evaluation.agents import Predictor
from stageroute_gym.evaluation.books import Books, episode_rows
from stageroute_gym.evaluation.contenders import AgentLike, Contender, agent_seed, contender_of
from stageroute_gym.evaluation.entries import Entry
from stageroute_gym.evaluation.stages import stage_rows
from stageroute_gym.registration import vector_class
from stageroute_gym.scenarios import Scenario

if TYPE_CHECKING:
    import polars as pl

    from stageroute_gym.vector import StageRouteVectorEnv

WARM_UP_STEPS = 20  # enough to deploy one model after the other and to route
# Seeds are 64-bit integers in the tables.
LARGEST_SEED = 2**63 - 1
MOST_SEEDS = 100_000


@dataclass(frozen=True)
class DecisionTiming:
    """How long an evaluation took; kept apart from its results, which are the same at every run.

    Attributes:
        scenario: name of the scenario.
        entry: label of the entry.
        decisions: decisions taken, those of restarted episodes included.
        agent_microseconds: time of the agent for one decision in one environment.
        env_microseconds: time of the environment for one decision in one environment.
    """

    scenario: str
    entry: str
    decisions: int
    agent_microseconds: float
    env_microseconds: float


@dataclass(frozen=True)
class Played:
    """What came of an entry on a scenario.

    Attributes:
        episodes: one row an episode, see `stageroute_gym.evaluation.books.episode_rows`.
        stages: one row for each stage of these, see `stageroute_gym.evaluation.stages.stage_rows`.
        timing: how long it took.
    """

    episodes: pl.DataFrame
    stages: pl.DataFrame
    timing: DecisionTiming


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

    All episodes advance together, in one batch, or one after the other where the scenario draws a
    world for each seed, whose oracles they are then measured by. Each is the same whichever others
    run beside it: an agent's own random numbers follow from the scenario, the agent's name and the
    episode's seed (`stageroute_gym.evaluation.agents.Predictor`).

    Args:
        agent: an entry, as text (``stageroute(gamma=0.05)``, see
            `stageroute_gym.evaluation.entries.Entry.parsed`) or resolved; a factory that is called
            as ``factory(context, seed=..., **agent_parameters)`` with an
            `stageroute_gym.context.AgentContext`; or an agent itself. The seed is made from the
            scenario's name and the agent's, see
            `stageroute_gym.evaluation.contenders.agent_seed`.
        scenario: name of a scenario, ``module:NAME``, or a scenario itself.
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
    return play(
        agent, scenario, seeds, env_id=env_id, agent_parameters=agent_parameters, **overrides
    ).episodes


def play(
    agent: AgentLike,
    scenario: str | Scenario,
    seeds: Sequence[int],
    *,
    env_id: str | None = None,
    agent_parameters: Mapping[str, Any] | None = None,
    warm: bool = False,
    alive: Callable[[], None] | None = None,
    **overrides: Any,
) -> Played:
    """As `evaluate`, with what came of each stage and the time it took.

    Args:
        agent: as for `evaluate`, like all that is not named here.
        scenario: see there.
        seeds: see there.
        env_id: see there.
        agent_parameters: see there.
        warm: play a few steps with another agent of this kind first, so that the time holds no
            loading of compiled code; only for agents that are made here.
        alive: called before each decision.
        overrides: see there.
    """
    checked_seeds = check_seeds(seeds)
    contender = contender_of(agent, env_id, dict(agent_parameters or {}))
    chosen = scenarios.get(scenario, **overrides)
    if chosen.per_seed:
        played = []
        for place, seed in enumerate(checked_seeds):
            world = chosen.of_seed(seed)
            played.append(_play_together(contender, world, [seed], alive, warm and place == 0))
        return _joined(played)
    return _play_together(contender, chosen, checked_seeds, alive, warm)


def _play_together(
    contender: Contender,
    scenario: Scenario,
    checked_seeds: list[int],
    alive: Callable[[], None] | None,
    warm: bool,
) -> Played:
    """Play one episode a seed, all in one batch and in one world."""
    env = _make_env(contender.env_id, scenario, len(checked_seeds))
    seed = agent_seed(env.scenario.name, contender.name)
    if warm and contender.made_here:
        first = _make_env(contender.env_id, scenario, 1)
        _play(first, contender.make(first, seed), [0], alive, max_steps=WARM_UP_STEPS)
    books, agent_time, env_time = _play(env, contender.make(env, seed), checked_seeds, alive)
    episodes = episode_rows(
        env.scenario,
        env.world,
        entry=contender.label,
        agent=contender.name,
        agent_parameters=json.dumps(contender.parameters, sort_keys=True),
        env_id=contender.env_id,
        seeds=checked_seeds,
        books=books,
    )
    stages = stage_rows(
        env.world,
        books.stages,
        episodes["regret"].to_numpy(),
        scenario=env.scenario.name,
        entry=contender.label,
        seeds=checked_seeds,
    )
    micro = 1e6 / books.steps_of_all
    timing = DecisionTiming(
        env.scenario.name, contender.label, books.steps_of_all, agent_time * micro, env_time * micro
    )
    return Played(episodes, stages, timing)


def _joined(played: list[Played]) -> Played:
    """What came of episodes that were played one after the other, each in a world of its own."""
    import polars as pl

    timings = [each.timing for each in played]
    decisions = sum(timing.decisions for timing in timings)

    def mean(microseconds: Callable[[DecisionTiming], float]) -> float:
        return sum(microseconds(timing) * timing.decisions for timing in timings) / decisions

    timing = DecisionTiming(
        timings[0].scenario,
        timings[0].entry,
        decisions,
        mean(lambda timing: timing.agent_microseconds),
        mean(lambda timing: timing.env_microseconds),
    )
    episodes = pl.concat([each.episodes for each in played])
    return Played(episodes, pl.concat([each.stages for each in played]), timing)


def check_seeds(seeds: Sequence[int]) -> list[int]:
    """The seeds as a list.

    Raises:
        FieldError: if there is none or are too many, one is given twice, or one is no integer of at
            least 0 and at most `LARGEST_SEED`.
    """
    allowed = f"1 to {MOST_SEEDS:,} integers of 0 to {LARGEST_SEED}, each given once"
    if isinstance(seeds, str) or not hasattr(seeds, "__len__"):
        raise FieldError("seeds", seeds, allowed)
    if not 0 < len(seeds) <= MOST_SEEDS:
        raise FieldError("seeds", seeds, allowed)
    met: set[int] = set()
    for seed in seeds:
        whole = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
        if not whole or not 0 <= seed <= LARGEST_SEED or seed in met:
            raise FieldError("seeds", seed, allowed)
        met.add(int(seed))
    return [int(seed) for seed in seeds]


def warm_up(env_id: str, scenario: str | Scenario) -> None:
    """Compile the kernels of an environment, or load them; a reset runs them all."""
    _make_env(env_id, scenario, 1).reset(seed=0)


def check_parameters(entry: Entry, scenario: Scenario) -> None:
    """Make an entry's agent, to see whether it takes its parameters.

    Raises:
        FieldError: if a parameter has a value that is not allowed.
    """
    env = _make_env(entry.env_id, scenario, 1)
    try:
        agents.make(entry.agent, env, seed=0, **entry.parameters)
    except FieldError:
        raise
    # What a foreign agent raises for a wrong value is its own choice.
    except Exception as error:
        given = dict(entry.parameters)
        allowed = f"values that the agent takes; {type(error).__name__}: {error}"
        raise FieldError(f"parameters of agent {entry.agent}", given, allowed) from error


def _make_env(env_id: str, scenario: str | Scenario, num_envs: int) -> StageRouteVectorEnv:
    env: StageRouteVectorEnv = vector_class(env_id)(num_envs, scenario=scenario)
    return env


def _play(
    env: StageRouteVectorEnv,
    agent: Predictor,
    seeds: list[int],
    alive: Callable[[], None] | None,
    max_steps: float = math.inf,
) -> tuple[Books, float, float]:
    """Play until every episode has ended once; the books, and seconds of agent and environment."""
    clock: Callable[[], float] = time.perf_counter
    books = Books(env.num_envs, env.world)
    started = clock()
    observation, _ = env.reset(seed=seeds)
    env_time, agent_time = clock() - started, 0.0
    state: Any = agent.begin(seeds) if hasattr(agent, "begin") else None
    # An episode that is over restarts by the step after its last one.
    episode_start: NDArray[np.bool_] = np.ones(env.num_envs, np.bool_)
    while books.running.any() and books.steps_of_all < max_steps * env.num_envs:
        if alive is not None:
            alive()
        started = clock()
        actions, state = agent.predict(observation, state, episode_start, deterministic=False)
        decided = clock()
        observation, scores, terminated, _, infos = env.step(actions)
        agent_time += decided - started
        env_time += clock() - decided
        episode_start = books.ended_at_last_step
        books.enter(observation, scores, terminated, infos)
    return books, agent_time, env_time
