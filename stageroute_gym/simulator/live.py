"""The dynamics without a table: decisions here, queries and outcomes from outside, when they come.

One episode whose arrays are those of `arrays`, advanced by the same compiled functions as the
environments' steps, cut where live traffic cuts them: a query comes, it is routed, and at some
later time its outcome is heard of, or never.
"""

from __future__ import annotations

import numpy as np

from stageroute_gym.array_types import Integers, Singles
from stageroute_gym.context import AgentContext
from stageroute_gym.simulator.arrays import (
    CALLS,
    CHOSEN_SIZE,
    COST_SUM,
    INVALID,
    KEY,
    LAST_MODEL,
    LIST_PRICE,
    NO_MODEL,
    NO_SCORE,
    OBS_LIST_PRICE,
    OBS_MEAN_COST,
    OBS_THROUGHPUT,
    QUERIES,
    QUERY,
    SEEN_SPEND,
    THROUGHPUT,
    EpisodeArrays,
    WorldArrays,
    kernel,
)
from stageroute_gym.simulator.deploy_phase import begin_stage, choose, choose_largest, commit
from stageroute_gym.simulator.picking import allowed_model, drawn_model
from stageroute_gym.simulator.route_phase import observe_books, observe_feedback, refill
from stageroute_gym.simulator.rules import fill_token_buckets, take_token
from stageroute_gym.simulator.world import settings_of


def live_world(context: AgentContext) -> WorldArrays:
    """What the kernels read of a world that nobody knows; every model is on offer."""
    problem, n = context.problem, context.num_models
    bounds = problem.stage_bounds
    stages = np.zeros((len(bounds) - 1, 3))
    stages[:, 0] = bounds[1:]
    return WorldArrays(
        outcomes=np.empty((0, n, 2)),
        sampler=np.empty((0, 0, 2)),
        stages=stages,
        stage_models=np.ones((len(stages), 3, n)),
        models=np.stack([context.throughput, np.array(context.list_prices)]),
        settings=settings_of(problem),
        features=np.empty((0, context.num_features), np.float32),
    )


@kernel
def start(world: WorldArrays, state: EpisodeArrays, key: int) -> None:
    """Start the episode under a key, before its first stage is opened."""
    state.counters[0, KEY] = key
    for m in range(state.fields.shape[2]):
        state.fields[0, OBS_LIST_PRICE, m] = world.models[LIST_PRICE, m]
        state.fields[0, OBS_THROUGHPUT, m] = world.models[THROUGHPUT, m]
    fill_token_buckets(0, world, state)
    state.scalars[0, LAST_MODEL] = NO_MODEL


@kernel
def hear(state: EpisodeArrays, model: int, score: float, cost: float, current: bool) -> None:
    """Book an outcome into what the agent sees.

    Args:
        state: the episode.
        model: number of the model, or -1, which shows that nothing came.
        score: its score, `NO_SCORE` where none comes back.
        cost: its cost in USD.
        current: whether the cost is charged to the budget that the agent sees.
    """
    seen = state.amounts[0, SEEN_SPEND]
    observe_feedback(0, state, model, score, cost)
    if not current:
        state.amounts[0, SEEN_SPEND] = seen


@kernel
def hear_cost(state: EpisodeArrays, model: int, cost: float, current: bool) -> None:
    """Book a cost in USD whose score may follow, as `hear`; it is not shown as an outcome."""
    hear(state, model, NO_SCORE, cost, current)
    hear(state, NO_MODEL, 0.0, 0.0, False)


@kernel
def hear_score(state: EpisodeArrays, model: int, score: float, cost: float) -> None:
    """Show an outcome, as `hear`, whose cost has been booked before."""
    calls, cost_sum = state.totals[0, model, CALLS], state.totals[0, model, COST_SUM]
    mean_cost = state.fields[0, OBS_MEAN_COST, model]
    hear(state, model, score, cost, False)
    state.totals[0, model, CALLS], state.totals[0, model, COST_SUM] = calls, cost_sum
    state.fields[0, OBS_MEAN_COST, model] = mean_cost


@kernel
def open_stage(world: WorldArrays, state: EpisodeArrays) -> None:
    """Open a deploy phase."""
    begin_stage(0, world, state)
    observe_books(0, world, state)


@kernel
def deploy_discrete(world: WorldArrays, state: EpisodeArrays, actions: Integers) -> None:
    """One deploy step of `StageRoute-v0`; actions, shape (1,), int64."""
    model = allowed_model(0, world, state, actions[0])
    complete = True
    if model >= 0:
        complete = choose(0, world, state, model)
    if complete:
        commit(0, world, state)
        refill(0, world, state, 0.0)
    observe_books(0, world, state)


@kernel
def deploy_continuous(world: WorldArrays, state: EpisodeArrays, actions: Singles) -> None:
    """The deploy step of `StageRouteContinuous-v0`; actions, shape (1, N), float32."""
    pass_allowed = state.mask[0, world.models.shape[1]]
    choose_largest(0, world, state, actions[0])
    if state.counters[0, CHOSEN_SIZE] == 0 and not pass_allowed:
        state.counters[0, INVALID] += 1
    commit(0, world, state)
    refill(0, world, state, 0.0)
    observe_books(0, world, state)


@kernel
def look(world: WorldArrays, state: EpisodeArrays, features: Singles) -> None:
    """Show a query that has come, with its features, shape (F,), float32."""
    for feature in range(features.shape[0]):
        state.scalars[0, QUERY + feature] = features[feature]
    state.mask[0, state.mask.shape[1] - 1] = 1
    observe_books(0, world, state)


@kernel
def route_discrete(world: WorldArrays, state: EpisodeArrays, actions: Integers) -> int:
    """Route the query by an action of `StageRoute-v0`, shape (1,), int64; the model, or -1."""
    model = allowed_model(0, world, state, actions[0])
    if model >= 0:
        take_token(0, state, model)
    state.counters[0, QUERIES] += 1
    refill(0, world, state, 1.0)
    return model


@kernel
def route_continuous(world: WorldArrays, state: EpisodeArrays, actions: Singles) -> int:
    """Route the query by shares, shape (1, N), float32; the model, or -1."""
    model = drawn_model(0, world, state, actions[0])
    state.counters[0, QUERIES] += 1
    refill(0, world, state, 0.0)
    return model
