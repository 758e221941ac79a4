"""The deploy phase as compiled functions: opening a stage, choosing models, committing the set."""

from __future__ import annotations

from stageroute_gym.array_types import Singles
from stageroute_gym.simulator.arrays import (
    ACTIVATION_DELAY,
    ACTIVATIONS,
    AVAILABLE,
    CHOSEN_SIZE,
    DEPLOY,
    MAX_DEPLOYED,
    NO_MODEL,
    OBS_AVAILABLE,
    OBS_DEPLOYED,
    OBS_PHASE,
    OBS_PREVIOUS,
    ORACLE_SCORE,
    PHASE,
    QUERIES,
    QUERY,
    ROUTE,
    STAGE,
    STAGE_VALUE,
    EpisodeArrays,
    WorldArrays,
    kernel,
)
from stageroute_gym.simulator.rules import charge_activation


@kernel
def begin_stage(e: int, world: WorldArrays, state: EpisodeArrays) -> None:
    """Open the deploy phase of the current stage."""
    fields, scalars, mask = state.fields, state.scalars, state.mask
    stage = state.counters[e, STAGE]
    state.counters[e, PHASE] = DEPLOY
    state.counters[e, CHOSEN_SIZE] = 0
    state.amounts[e, ORACLE_SCORE] = world.stages[stage, STAGE_VALUE]
    n = fields.shape[2]
    free = 0
    for m in range(n):
        fields[e, OBS_AVAILABLE, m] = world.stage_models[stage, AVAILABLE, m]
        fields[e, OBS_PREVIOUS, m] = fields[e, OBS_DEPLOYED, m]
        fields[e, OBS_DEPLOYED, m] = 0.0
        mask[e, m] = world.stage_models[stage, AVAILABLE, m] > 0.0
        free += mask[e, m]
    mask[e, n] = free == 0
    scalars[e, OBS_PHASE] = DEPLOY
    for feature in range(QUERY, scalars.shape[1]):
        scalars[e, feature] = 0.0


@kernel
def choose(e: int, world: WorldArrays, state: EpisodeArrays, model: int) -> bool:
    """Add a model to the set; True if the set is complete with it."""
    counters, mask = state.counters, state.mask
    members = state.members[e, counters[e, STAGE]]
    n = state.fields.shape[2]
    place = counters[e, CHOSEN_SIZE]
    while place > 0 and members[place - 1] > model:
        members[place] = members[place - 1]
        place -= 1
    members[place] = model
    counters[e, CHOSEN_SIZE] += 1
    state.fields[e, OBS_DEPLOYED, model] = 1.0
    mask[e, model] = 0
    mask[e, n] = 1
    if counters[e, CHOSEN_SIZE] >= world.settings[MAX_DEPLOYED]:
        return True
    return not mask[e, :n].any()


@kernel
def choose_largest(e: int, world: WorldArrays, state: EpisodeArrays, weights: Singles) -> None:
    """Choose the available models with the largest positive weights, up to the limit."""
    complete = False
    while not complete:
        best, largest = NO_MODEL, 0.0
        for m in range(weights.shape[0]):
            if state.mask[e, m] and weights[m] > largest:
                best, largest = m, weights[m]
        if best == NO_MODEL:
            return
        complete = choose(e, world, state, best)


@kernel
def commit(e: int, world: WorldArrays, state: EpisodeArrays) -> None:
    """Deploy the chosen set for the stage and charge what it newly activates."""
    fields = state.fields
    ready = 0.0
    if state.counters[e, STAGE] > 0:
        ready = state.counters[e, QUERIES] + world.settings[ACTIVATION_DELAY]
    for m in range(fields.shape[2]):
        if fields[e, OBS_DEPLOYED, m] > 0.0 and fields[e, OBS_PREVIOUS, m] == 0.0:
            state.ready[e, m] = ready
            state.counters[e, ACTIVATIONS] += 1
            charge_activation(e, world, state)
        state.mask[e, m] = 0
    # What an earlier episode left in the free slots.
    stage = state.counters[e, STAGE]
    for place in range(state.counters[e, CHOSEN_SIZE], state.members.shape[2]):
        state.members[e, stage, place] = fields.shape[2]
    state.counters[e, PHASE] = ROUTE
    state.scalars[e, OBS_PHASE] = ROUTE
