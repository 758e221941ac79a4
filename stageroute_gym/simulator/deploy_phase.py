"""The deploy phase as compiled functions: opening a stage, choosing models, committing the set."""

from __future__ import annotations

from stageroute_gym.simulator.arrays import (
    ACTIVATIONS,
    CHOSEN_SIZE,
    DEPLOY,
    NO_MODEL,
    ORACLE_SCORE,
    PHASE,
    ROUTE,
    SEEN_SPEND,
    SPEND,
    STAGE,
    Floats,
    Integers,
    Masks,
    Members,
    Singles,
    kernel,
)
from stageroute_gym.simulator.observation import (
    OBS_AVAILABLE,
    OBS_DEPLOYED,
    OBS_PHASE,
    OBS_PREVIOUS,
    OBS_TOKENS,
    QUERY,
)
from stageroute_gym.simulator.world import (
    AVAILABLE,
    BURST,
    DEPLOYMENT_COST,
    MAX_DEPLOYED,
    STAGE_VALUE,
)


@kernel
def begin_stage(
    e: int,
    stages: Floats,
    stage_models: Floats,
    counters: Integers,
    amounts: Floats,
    fields: Singles,
    scalars: Singles,
    mask: Masks,
) -> None:
    """Open the deploy phase of the current stage."""
    stage = counters[e, STAGE]
    counters[e, PHASE] = DEPLOY
    counters[e, CHOSEN_SIZE] = 0
    amounts[e, ORACLE_SCORE] = stages[stage, STAGE_VALUE]
    n = fields.shape[2]
    free = 0
    for m in range(n):
        fields[e, OBS_AVAILABLE, m] = stage_models[stage, AVAILABLE, m]
        fields[e, OBS_PREVIOUS, m] = fields[e, OBS_DEPLOYED, m]
        fields[e, OBS_DEPLOYED, m] = 0.0
        fields[e, OBS_TOKENS, m] = 0.0
        mask[e, m] = stage_models[stage, AVAILABLE, m] > 0.0
        free += mask[e, m]
    mask[e, n] = free == 0
    scalars[e, OBS_PHASE] = DEPLOY
    for feature in range(QUERY, scalars.shape[1]):
        scalars[e, feature] = 0.0


@kernel
def choose(
    e: int,
    settings: Floats,
    counters: Integers,
    members: Members,
    fields: Singles,
    mask: Masks,
    model: int,
) -> bool:
    """Add a model to the set; True if the set is complete with it."""
    n = fields.shape[2]
    place = counters[e, CHOSEN_SIZE]
    while place > 0 and members[e, place - 1] > model:
        members[e, place] = members[e, place - 1]
        place -= 1
    members[e, place] = model
    counters[e, CHOSEN_SIZE] += 1
    fields[e, OBS_DEPLOYED, model] = 1.0
    mask[e, model] = 0
    mask[e, n] = 1
    if counters[e, CHOSEN_SIZE] >= settings[MAX_DEPLOYED]:
        return True
    return not mask[e, :n].any()


@kernel
def choose_largest(
    e: int,
    settings: Floats,
    counters: Integers,
    members: Members,
    fields: Singles,
    mask: Masks,
    weights: Singles,
) -> None:
    """Choose the available models with the largest positive weights, up to the limit."""
    complete = False
    while not complete:
        best, largest = NO_MODEL, 0.0
        for m in range(weights.shape[0]):
            if mask[e, m] and weights[m] > largest:
                best, largest = m, weights[m]
        if best == NO_MODEL:
            return
        complete = choose(e, settings, counters, members, fields, mask, best)


@kernel
def commit(
    e: int,
    settings: Floats,
    counters: Integers,
    amounts: Floats,
    tokens: Floats,
    fields: Singles,
    scalars: Singles,
    mask: Masks,
) -> None:
    """Deploy the chosen set for the stage and charge what it newly activates."""
    for m in range(fields.shape[2]):
        if fields[e, OBS_DEPLOYED, m] == 0.0:
            tokens[e, m] = 0.0
        elif fields[e, OBS_PREVIOUS, m] == 0.0:
            tokens[e, m] = settings[BURST]
            counters[e, ACTIVATIONS] += 1
            amounts[e, SPEND] += settings[DEPLOYMENT_COST]
            amounts[e, SEEN_SPEND] += settings[DEPLOYMENT_COST]
        mask[e, m] = 0
    counters[e, PHASE] = ROUTE
    scalars[e, OBS_PHASE] = ROUTE
