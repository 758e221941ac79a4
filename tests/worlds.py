"""Small random worlds, and environments that play in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from stageroute_gym.env import StageRouteContinuousEnv, StageRouteEnv
from stageroute_gym.problem import Problem
from stageroute_gym.scenarios import Scenario
from stageroute_gym.simulator.world import World
from stageroute_gym.vector import StageRouteContinuousVectorEnv, StageRouteVectorEnv
from stageroute_gym.workloads import OutcomeTable, Schedule


@dataclass(frozen=True, eq=False)
class Ready:
    """A workload whose table and schedule are given."""

    outcomes: OutcomeTable
    plan: Schedule

    def build(self, problem: Problem) -> tuple[OutcomeTable, Schedule]:
        return self.outcomes, self.plan


def scenario_of(world: World) -> Scenario:
    """A scenario that is played in this world."""
    workload = Ready(world.table, world.schedule)
    return Scenario("test", 1, world.problem, workload, "a world of the tests")


def make_env(world: World, *, continuous: bool = False, **arguments: Any) -> StageRouteEnv:
    cls = StageRouteContinuousEnv if continuous else StageRouteEnv
    return cls(scenario=scenario_of(world), **arguments)


def make_vector(
    world: World, num_envs: int, *, continuous: bool = False, **arguments: Any
) -> StageRouteVectorEnv:
    cls = StageRouteContinuousVectorEnv if continuous else StageRouteVectorEnv
    return cls(num_envs, scenario=scenario_of(world), **arguments)


def make_world(
    *,
    models: int = 4,
    rows: int = 12,
    horizon: int = 60,
    stages: int = 3,
    seed: int = 0,
    available: Any = None,
    mixes: int = 1,
    features: int = 1,
    constant_prices: bool = True,
    spread: float = 1.0,
    **problem: Any,
) -> World:
    """A world with random outcomes; costs are about 1 USD a query."""
    rng = np.random.default_rng(seed)
    fields = {"horizon": horizon, "max_deployed": 2, "budget": 1.0} | problem
    if "stage_starts" not in fields:
        fields["num_stages"] = stages
    score = np.round(rng.random((rows, models)), 2)
    cost = rng.gamma(2.0, 0.5 * spread, (rows, models)) * rng.uniform(0.2, 1.8, models)
    table = OutcomeTable(
        models=tuple(f"model-{m}" for m in range(models)),
        score=np.where(rng.random(score.shape) < 0.2, np.rint(score), score),
        cost=np.where(rng.random(cost.shape) < 0.1, 0.0, cost),
        task=np.zeros(rows, np.int64),
        task_names=("all",),
        features=rng.normal(size=(rows, features)),
        list_price=rng.random(models),
    )
    weights = rng.random((mixes, rows)) * (rng.random((mixes, rows)) < 0.8)
    weights[:, 0] += 0.1
    schedule = Schedule(
        mixes=weights / weights.sum(axis=1, keepdims=True),
        stage_mix=rng.integers(0, mixes, stages),
        cost_multiplier=np.ones((stages, models))
        if constant_prices
        else rng.uniform(0.3, 3.0, (stages, models)),
        available=np.ones((stages, models), bool) if available is None else available,
    )
    return World(Problem(**fields), table, schedule)


@st.composite
def worlds(draw: st.DrawFn, **fixed: Any) -> World:
    """Worlds with all that a problem and a schedule can vary, outages of all models included."""
    models = draw(st.integers(1, 6))
    horizon = draw(st.integers(1, 40))
    stages = draw(st.integers(1, min(5, horizon)))
    offered = st.lists(st.booleans(), min_size=models, max_size=models)
    everything = st.just([True] * models)
    available = [draw(offered | everything) for _ in range(stages)]
    share = st.sampled_from([0.1, 0.3, 1 / 3, 0.5, 0.9, 1.0])
    options: dict[str, Any] = {
        "models": models,
        "rows": draw(st.integers(1, 12)),
        "horizon": horizon,
        "stages": stages,
        "seed": draw(st.integers(0, 2**32 - 1)),
        "available": np.array(available),
        "mixes": draw(st.integers(1, 3)),
        "features": draw(st.integers(1, 3)),
        "constant_prices": draw(st.booleans()),
        "max_deployed": draw(st.integers(1, 7)),
        "budget": draw(st.sampled_from([1e-3, 0.3, 1.0, 5.0])),
        "budget_rule": draw(st.sampled_from(["hard", "soft"])),
        "throughput": draw(
            share | st.lists(share, min_size=models, max_size=models).map(tuple)  # type: ignore[arg-type]
        ),
        "burst": draw(st.sampled_from([1.0, 1.7, 3.0, 20.0])),
        "deployment_cost": draw(st.sampled_from([0.0, 0.1, 7.0])),
        "feedback_delay": draw(st.sampled_from([0, 1, 3, 50])),
        "feedback_rate": draw(st.sampled_from([1.0, 1.0, 0.5, 0.0])),
        "activation_delay": draw(st.sampled_from([0, 0, 1, 4])),
        "failure_rate": draw(st.sampled_from([0.0, 0.0, 0.3])),
    }
    if draw(st.booleans()):
        later = st.integers(1, max(1, horizon - 1))
        starts = draw(st.lists(later, min_size=stages - 1, max_size=stages - 1, unique=True))
        options["stage_starts"] = (0, *sorted(starts))
    return make_world(**(options | fixed))


def random_action(
    rng: np.random.Generator, mask: Any, *, continuous: bool, lawless: float = 0.0
) -> Any:
    """An allowed action, or with the probability ``lawless`` any action of the space."""
    n = len(mask) - 1
    anything = rng.random() < lawless
    if not continuous:
        return int(rng.integers(n + 1) if anything else rng.choice(np.flatnonzero(mask)))
    usable = np.ones(n, bool) if anything else np.asarray(mask[:n], bool)
    kind = rng.integers(5)
    weights = rng.uniform(-1.0 if kind == 0 else 0.0, 1.0, n)
    if kind == 1:
        weights = np.eye(n)[rng.integers(n)]
    elif kind == 2:
        weights = np.round(weights, 1)
    elif kind == 3 and usable.any():
        weights = weights * usable / max((weights * usable).sum(), 1e-9)
    elif kind == 4 and rng.random() < 0.3:
        weights = -weights
    if not anything and not (weights[usable] > 0).any():
        weights[:] = 0.0
        weights[np.flatnonzero(usable)[:1]] = 0.5
    return np.clip(weights, -1, 1).astype(np.float32)


def random_actions(
    rng: np.random.Generator, masks: Any, *, continuous: bool, lawless: float = 0.2
) -> Any:
    """A random action for each row, as a batch."""
    actions = [random_action(rng, mask, continuous=continuous, lawless=lawless) for mask in masks]
    return np.array(actions, np.float32 if continuous else np.int64)


def play(env, seed, steps=200):
    """What ``steps`` steps of a random legal policy return, reset after each episode."""
    rng = np.random.default_rng(seed)
    continuous = env.unwrapped.continuous
    returned = [env.reset(seed=seed)]
    for _ in range(steps):
        action = random_action(rng, env.unwrapped.action_masks(), continuous=continuous)
        returned.append(env.step(action))
        if returned[-1][2]:
            returned.append(env.reset())
    return returned
