"""The dynamics as compiled kernels: state in, state out, one row an environment.

Every kernel resets a row that is marked as finished and otherwise applies its action, which is
Gymnasium's autoreset mode NEXT_STEP. The data are described in `arrays`, and in `draws` which query
comes next.
"""

from __future__ import annotations

from stageroute_gym.array_types import Flags, Floats, Integers, Masks, Members, Singles
from stageroute_gym.simulator.arrays import (
    ACTIVATION_DELAY,
    CHOSEN_SIZE,
    INVALID,
    KEY,
    LAST_MODEL,
    LIST_PRICE,
    MODEL,
    NO_MODEL,
    OBS_LIST_PRICE,
    OBS_THROUGHPUT,
    PHASE,
    QUERIES,
    ROUTE,
    STAGE,
    STAGE_END,
    STEP_COST,
    STEP_SCORE,
    THROUGHPUT,
    EpisodeArrays,
    WorldArrays,
    index,
    inlined,
    kernel,
)
from stageroute_gym.simulator.deploy_phase import begin_stage, choose, choose_largest, commit
from stageroute_gym.simulator.picking import allowed_model, drawn_model
from stageroute_gym.simulator.route_phase import next_query, observe_books, refill, report, serve
from stageroute_gym.simulator.rules import (
    add_regret_of_the_rest,
    fill_token_buckets,
    is_over,
    take_token,
)


@kernel
def _reset(e: int, world: WorldArrays, state: EpisodeArrays) -> None:
    """Start an episode under the key in ``counters[e, KEY]``."""
    state.finished[e] = False
    key = state.counters[e, KEY]
    state.counters[e, :] = 0
    state.counters[e, KEY] = key
    state.counters[e, MODEL] = NO_MODEL
    state.amounts[e, :] = 0.0
    state.totals[e, :] = 0.0
    state.ready[e, :] = 0.0
    state.fields[e, :] = 0.0
    state.scalars[e, :] = 0.0
    for m in range(state.fields.shape[2]):
        state.fields[e, OBS_LIST_PRICE, m] = world.models[LIST_PRICE, m]
        state.fields[e, OBS_THROUGHPUT, m] = world.models[THROUGHPUT, m]
    fill_token_buckets(e, world, state)
    state.scalars[e, LAST_MODEL] = NO_MODEL
    begin_stage(e, world, state)
    observe_books(e, world, state)


@inlined
def advance_discrete(e: int, world: WorldArrays, state: EpisodeArrays, actions: Integers) -> None:
    """Advance one environment by one decision of `StageRoute-v0`."""
    if state.finished[e]:
        _reset(e, world, state)
        return
    model = allowed_model(e, world, state, actions[e])
    routed = state.counters[e, PHASE] == ROUTE
    score, cost = 0.0, 0.0
    if routed:
        score, cost = serve(e, world, state, model)
        if model >= 0:
            take_token(e, state, model)
        report(e, world, state, model, score, cost)
        state.counters[e, QUERIES] += 1
    else:
        complete = True
        if model >= 0:
            complete = choose(e, world, state, model)
        if complete:
            commit(e, world, state)
    state.counters[e, MODEL] = model if routed else NO_MODEL
    state.amounts[e, STEP_SCORE] = score
    state.amounts[e, STEP_COST] = cost
    routing = state.counters[e, PHASE] == ROUTE
    if routing:
        refill(e, world, state, 1.0 if routed else 0.0)
    if is_over(e, world, state):
        state.finished[e] = True
        add_regret_of_the_rest(e, world, state)
    elif routing:
        if state.counters[e, QUERIES] >= world.stages[index(state.counters[e, STAGE]), STAGE_END]:
            state.counters[e, STAGE] += 1
            begin_stage(e, world, state)
        else:
            next_query(e, world, state)
    observe_books(e, world, state)


@inlined
def advance_continuous(e: int, world: WorldArrays, state: EpisodeArrays, actions: Singles) -> None:
    """Advance one environment by one decision of `StageRouteContinuous-v0`."""
    if state.finished[e]:
        _reset(e, world, state)
        return
    routed = state.counters[e, PHASE] == ROUTE
    model, score, cost = NO_MODEL, 0.0, 0.0
    if routed:
        model = drawn_model(e, world, state, actions[e])
        score, cost = serve(e, world, state, model)
        report(e, world, state, model, score, cost)
        state.counters[e, QUERIES] += 1
    else:
        pass_allowed = state.mask[e, world.models.shape[1]]
        choose_largest(e, world, state, actions[e])
        if state.counters[e, CHOSEN_SIZE] == 0 and not pass_allowed:
            state.counters[e, INVALID] += 1
        commit(e, world, state)
    state.counters[e, MODEL] = model
    state.amounts[e, STEP_SCORE] = score
    state.amounts[e, STEP_COST] = cost
    if is_over(e, world, state):
        state.finished[e] = True
        add_regret_of_the_rest(e, world, state)
    elif state.counters[e, QUERIES] >= world.stages[index(state.counters[e, STAGE]), STAGE_END]:
        state.counters[e, STAGE] += 1
        begin_stage(e, world, state)
    else:
        if not routed or world.settings[ACTIVATION_DELAY] > 0.0:
            # Buckets stay full: caps on probabilities take their place.
            refill(e, world, state, 0.0)
        next_query(e, world, state)
    observe_books(e, world, state)


@kernel
def step_discrete(
    outcomes: Floats,
    sampler: Floats,
    stages: Floats,
    stage_models: Floats,
    models: Floats,
    settings: Floats,
    features: Singles,
    finished: Flags,
    counters: Integers,
    amounts: Floats,
    routing: Floats,
    tokens: Floats,
    members: Members,
    totals: Floats,
    ready: Floats,
    pending: Floats,
    fields: Singles,
    scalars: Singles,
    mask: Masks,
    actions: Integers,
) -> None:
    """Advance every environment by one decision of `StageRoute-v0`; actions, shape (E,), int64."""
    world = WorldArrays(outcomes, sampler, stages, stage_models, models, settings, features)
    state = EpisodeArrays(
        finished,
        counters,
        amounts,
        routing,
        tokens,
        members,
        totals,
        ready,
        pending,
        fields,
        scalars,
        mask,
    )
    for e in range(actions.shape[0]):
        advance_discrete(e, world, state, actions)


@kernel
def step_continuous(
    outcomes: Floats,
    sampler: Floats,
    stages: Floats,
    stage_models: Floats,
    models: Floats,
    settings: Floats,
    features: Singles,
    finished: Flags,
    counters: Integers,
    amounts: Floats,
    routing: Floats,
    tokens: Floats,
    members: Members,
    totals: Floats,
    ready: Floats,
    pending: Floats,
    fields: Singles,
    scalars: Singles,
    mask: Masks,
    actions: Singles,
) -> None:
    """Advance every environment by one decision of `StageRouteContinuous-v0`; actions (E, N)."""
    world = WorldArrays(outcomes, sampler, stages, stage_models, models, settings, features)
    state = EpisodeArrays(
        finished,
        counters,
        amounts,
        routing,
        tokens,
        members,
        totals,
        ready,
        pending,
        fields,
        scalars,
        mask,
    )
    for e in range(actions.shape[0]):
        advance_continuous(e, world, state, actions)
