"""Live traffic made of what an environment has drawn."""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

import numpy as np
from gymnasium.utils.seeding import np_random
from stageroute_agents import make
from stageroute_agents.live import Decision, Router
from worlds import make_env, make_world

from stageroute_gym.context import AgentContext
from stageroute_gym.problem import Problem
from stageroute_gym.simulator.draws import FEEDBACK, uniform
from stageroute_gym.simulator.episodes import draw_key
from stageroute_gym.simulator.world import World


class Step(NamedTuple):
    """A query of an episode: its number, its features, and what became of it."""

    number: int
    features: np.ndarray
    model: int
    score: float | None  # None if it does not come back
    cost: float


def changing_world(**problem: Any) -> World:
    """Five models, of which some arrive late or are withdrawn."""
    available = np.ones((4, 5), np.bool_)
    available[0, 3] = available[2, 1] = available[3, 0] = False
    fields = {"throughput": 0.6, "burst": 4.0, "budget": 0.8, "budget_rule": "soft"} | problem
    return make_world(
        models=5, rows=30, horizon=200, stages=4, features=3, available=available, **fields
    )


class Episode(NamedTuple):
    """What an agent does in an environment, query by query, and remembers in the end."""

    context: AgentContext
    steps: list[Step]
    memory: dict[str, np.ndarray]


def episode(world: World, agent: str, *, continuous: bool, seed: int) -> Episode:
    """An episode of an agent in an environment."""
    env = make_env(world, continuous=continuous)
    player = make(agent, env.agent_context, seed=seed)
    observation, info = env.reset(seed=seed)
    state = player.begin([seed])
    key = draw_key(np_random(seed)[0])[0]
    steps: list[Step] = []
    over = False
    while not over:
        routing, features = observation["phase"][0] > 0, observation["query"].copy()
        action, state = player.predict(observation, state)
        observation, _, over, _, info = env.step(action)
        if routing:
            known = uniform(key, FEEDBACK + len(steps)) < env.problem.feedback_rate
            score = info["score"] if known else None
            steps.append(Step(len(steps), features, info["model"], score, info["cost"]))
    return Episode(env.agent_context, steps, state)


class Feed:
    """Gives a router the queries of an episode, and their outcomes as late as the problem says."""

    def __init__(self, world: World, context: AgentContext) -> None:
        self._starts = context.problem.stage_bounds[:-1].tolist()
        self._offers = [
            [context.models[m] for m in np.flatnonzero(row)] for row in world.schedule.available
        ]
        self._models = (*context.models, None)
        self._delay = context.problem.feedback_delay
        self._pending: deque[tuple[str | None, Step]] = deque()

    def __call__(self, router: Router, step: Step) -> Decision:
        """One query; fails where it is routed elsewhere than in the episode."""
        if step.number in self._starts:
            router.available(self._offers[self._starts.index(step.number)])
        decision = router.choose(step.features)
        if decision.reason in ("routed", "declined"):
            assert decision.model == self._models[step.model], step.number
        self._pending.append((decision.id, step))
        if len(self._pending) > self._delay:
            self._record_oldest(router)
        return decision

    def deliver(self, router: Router) -> None:
        """Record the outcomes of all that is in flight."""
        while self._pending:
            self._record_oldest(router)

    def _record_oldest(self, router: Router) -> None:
        request, known = self._pending.popleft()
        if request is not None:
            router.record(request, known.score, cost=known.cost, final=True)


def assert_remembers(router: Router, memory: dict[str, np.ndarray]) -> None:
    """The agent remembers the same, to the bit; there is room for more notes in live traffic."""
    own = router._episode.player.memory()
    assert own.keys() == memory.keys()
    same = [name for name in own if own[name].shape == memory[name].shape]
    assert "key" in same
    for name in same:
        np.testing.assert_array_equal(own[name], memory[name], err_msg=name)


def small_context(**changes: Any) -> AgentContext:
    """Three models of invented prices for queries without features."""
    problem = {"horizon": 1_000, "num_stages": 4, "max_deployed": 2, "budget": 1e-3} | {
        name: changes.pop(name) for name in list(changes) if name in Problem.field_names()
    }
    fields: dict[str, Any] = {
        "problem": Problem(**problem),
        "models": ("small", "medium", "large"),
        "list_prices": (2e-4, 1e-3, 5e-3),
        "cost_bounds": (1e-5, 1e-2),
        "num_features": 0,
        "actions": "continuous",
    }
    return AgentContext(**(fields | changes))
