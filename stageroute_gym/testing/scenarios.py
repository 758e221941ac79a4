"""Whether a scenario is one: what this project's own scenarios are held to, for others' too."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stageroute_gym.env import StageRouteContinuousEnv, StageRouteEnv
from stageroute_gym.oracles import oracle_total, oracles_of
from stageroute_gym.scenarios import Scenario
from stageroute_gym.simulator.world import World
from stageroute_gym.vector import StageRouteContinuousVectorEnv, StageRouteVectorEnv
from stageroute_gym.workloads.workload import build

# Sums over a horizon may differ in their last digits.
_SLACK = 1e-9
_FIGURES = ("cost", "spend", "regret")  # of `info`


def check_scenario(scenario: Scenario, seeds: Sequence[int] = (0, 1), steps: int = 300) -> None:
    """Raise if a scenario does not keep what environments, agents and results rely on.

    It can be written as JSON, pickled, overridden; its workload builds the same table and schedule
    each time, which fit the problem; in every stage a model is on offer, and none stays away for
    good, unless each seed has its own world; the oracles stand in their order; an episode is the
    same each time it is played, in both environments, alone and beside others in a vector.

    Args:
        scenario: the scenario.
        seeds: the seeds whose episodes, and worlds, are looked at.
        steps: how many decisions of each episode.

    Raises:
        AssertionError: with what does not hold.
        FieldError: if the scenario cannot be built, or cannot be written as JSON.
    """
    scenario.check_json()
    _hold(pickle.loads(pickle.dumps(scenario)) == scenario, "a pickled copy equals the scenario")
    _hold(scenario.override() == scenario, "an override of nothing changes nothing")
    shorter = scenario.override(budget=scenario.problem.budget / 2)
    _hold(shorter.problem.budget == scenario.problem.budget / 2, "the budget can be overridden")
    for seed in seeds:
        world = scenario.world(seed)
        _check_build(scenario, world, seed)
        _check_offers(world, per_seed=scenario.per_seed)
        _check_oracles(world)
        for kind in (StageRouteEnv, StageRouteContinuousEnv):
            _check_episode(kind, scenario, seed, steps)
    if scenario.per_seed and len(seeds) > 1:
        first, other = (scenario.world(seed).table for seed in seeds[:2])
        differs = first.score.shape != other.score.shape or bool((first.score != other.score).any())
        _hold(differs or bool((first.cost != other.cost).any()), "two seeds draw two worlds")


def _hold(claim: bool, words: str) -> None:
    if not claim:
        raise AssertionError(f"does not hold: {words}")


def _check_build(scenario: Scenario, world: World, seed: int) -> None:
    table, schedule = build(scenario.workload, scenario.problem, seed)
    for name in ("score", "cost", "task", "features", "weight", "list_price"):
        same = np.array_equal(getattr(table, name), getattr(world.table, name))
        _hold(same, f"the workload builds the same {name} each time")
    _hold(table.models == world.table.models, "the workload builds the same models each time")
    for name in ("mixes", "stage_mix", "cost_multiplier", "available"):
        same = np.array_equal(getattr(schedule, name), getattr(world.schedule, name))
        _hold(same, f"the workload builds the same {name} each time")


def _check_offers(world: World, *, per_seed: bool) -> None:
    offered = world.schedule.available
    empty = np.flatnonzero(~offered.any(axis=1)).tolist()
    _hold(not empty, f"a model is on offer in every stage; none is in {empty}")
    if per_seed:
        return  # a model that one world lacks may come in another
    never = [world.table.models[model] for model in np.flatnonzero(~offered.any(axis=0))]
    _hold(not never, f"every model is on offer in some stage; never are {never}")


def _check_oracles(world: World) -> None:
    values = {name: oracle_total(world, name) for name in ("stage", "pool", "horizon", "task")}
    slack = _SLACK * max(values.values())
    _hold(values["stage"] <= values["pool"] + slack, f"stage <= pool oracle: {values}")
    _hold(values["horizon"] <= values["task"] + slack, f"horizon <= task oracle: {values}")
    if oracles_of(world).stage.feasible.all():
        _hold(values["stage"] <= values["horizon"] + slack, f"stage <= horizon oracle: {values}")


def _check_episode(kind: type[StageRouteEnv], scenario: Scenario, seed: int, steps: int) -> None:
    first, again = (_played(kind, scenario, seed, steps) for _ in range(2))
    _hold(
        first.record == again.record,
        f"the episode of seed {seed} is the same each time, in {kind.__name__}",
    )

    batch = StageRouteContinuousVectorEnv if first.continuous else StageRouteVectorEnv
    together = _replayed(batch(2, scenario=scenario), seed, first)
    words = f"the episode of seed {seed} is the same beside another one, in {batch.__name__}"
    _hold(together == first.record, words)


@dataclass(frozen=True)
class _Episode:
    """What was done in an episode, and the masks, scores and costs that were met."""

    continuous: bool
    actions: list[Any]
    record: list[Any]


def _replayed(env: StageRouteVectorEnv, seed: int, episode: _Episode) -> list[Any]:
    """What the first of two episodes meets whose actions are those of one alone."""
    env.action_space.seed(seed)
    env.reset(seed=seed)
    record: list[Any] = []
    for action in episode.actions:
        mask = env.action_masks()[0]
        chosen = env.action_space.sample()
        chosen[0] = action
        _, scores, _, _, info = env.step(chosen)
        figures = (info[name][0] for name in _FIGURES)
        record.append((mask.tobytes(), float(scores[0]), *map(float, figures)))
    return record


def _played(kind: type[StageRouteEnv], scenario: Scenario, seed: int, steps: int) -> _Episode:
    """An episode of legal actions that follow from the seed."""
    env = kind(scenario=scenario)
    rng = np.random.default_rng(seed)
    observation: Any
    observation, info = env.reset(seed=seed)
    actions: list[Any] = []
    record: list[Any] = []
    for _ in range(steps):
        _hold(
            env.observation_space.contains(observation), "observations lie in the observation space"
        )
        mask = env.action_masks()
        _hold(bool(mask.any()), "an action is always allowed")
        action: Any = int(rng.choice(np.flatnonzero(mask)))
        if env.continuous:
            action = (rng.random(len(mask) - 1) * mask[:-1]).astype(np.float32)
        observation, score, terminated, _, info = env.step(action)
        actions.append(action)
        record.append((mask.tobytes(), score, *(info[name] for name in _FIGURES)))
        if terminated:
            break
    return _Episode(env.continuous, actions, record)
