"""The deploy phase as compiled functions: opening a stage, choosing models, committing the set."""

from __future__ import annotations

from stageroute_gym.observation import (
    NUM_MODEL_FIELDS,
    OBS_AVAILABLE,
    OBS_DEPLOYED,
    OBS_PHASE,
    OBS_PREVIOUS,
    OBS_TOKENS,
    QUERY,
)
from stageroute_gym.state import (
    ACTIVATIONS,
    CHOSEN,
    CHOSEN_SIZE,
    DEPLOY,
    DEPLOYED,
    NO_MODEL,
    ORACLE_SCORE,
    PHASE,
    PREVIOUS,
    ROUTE,
    SEEN_SPEND,
    SPEND,
    STAGE,
    Floats,
    Integers,
    Masks,
    Singles,
    kernel,
)
from stageroute_gym.world import AVAILABLE, BURST, DEPLOYMENT_COST, MAX_DEPLOYED, STAGE_VALUE


@kernel
def begin_stage(
    e: int,
    stages: Floats,
    stage_models: Floats,
    counters: Integers,
    amounts: Floats,
    pools: Floats,
    observation: Singles,
    mask: Masks,
) -> None:
    """Open the deploy phase of the current stage."""
    counters[e, PHASE] = DEPLOY
    counters[e, CHOSEN_SIZE] = 0
    amounts[e, ORACLE_SCORE] = stages[counters[e, STAGE], STAGE_VALUE]
    stage = counters[e, STAGE]
    n = pools.shape[2]
    observation[e, n * NUM_MODEL_FIELDS + OBS_PHASE] = DEPLOY
    free = 0
    for m in range(n):
        pools[e, PREVIOUS, m] = pools[e, DEPLOYED, m]
        pools[e, CHOSEN, m] = 0.0
        observation[e, OBS_AVAILABLE * n + m] = stage_models[stage, AVAILABLE, m]
        observation[e, OBS_DEPLOYED * n + m] = 0.0
        observation[e, OBS_PREVIOUS * n + m] = pools[e, PREVIOUS, m]
        observation[e, OBS_TOKENS * n + m] = 0.0
        mask[e, m] = stage_models[stage, AVAILABLE, m] > 0.0
        free += mask[e, m]
    mask[e, n] = free == 0
    for feature in range(n * NUM_MODEL_FIELDS + QUERY, observation.shape[1]):
        observation[e, feature] = 0.0


@kernel
def choose(
    e: int,
    counters: Integers,
    pools: Floats,
    members: Integers,
    observation: Singles,
    mask: Masks,
    settings: Floats,
    model: int,
) -> bool:
    """Add a model to the set; True if the set is complete with it."""
    n = pools.shape[2]
    pools[e, CHOSEN, model] = 1.0
    members[e, counters[e, CHOSEN_SIZE]] = model
    counters[e, CHOSEN_SIZE] += 1
    observation[e, OBS_DEPLOYED * n + model] = 1.0
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
    pools: Floats,
    members: Integers,
    observation: Singles,
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
        complete = choose(e, counters, pools, members, observation, mask, settings, best)


@kernel
def commit(
    e: int,
    settings: Floats,
    counters: Integers,
    amounts: Floats,
    pools: Floats,
    tokens: Floats,
    observation: Singles,
    mask: Masks,
) -> None:
    """Deploy the chosen set for the stage and charge what it newly activates."""
    n = pools.shape[2]
    for m in range(n):
        if pools[e, CHOSEN, m] > 0.0 and pools[e, DEPLOYED, m] == 0.0:
            tokens[e, m] = settings[BURST]
            counters[e, ACTIVATIONS] += 1
            amounts[e, SPEND] += settings[DEPLOYMENT_COST]
            amounts[e, SEEN_SPEND] += settings[DEPLOYMENT_COST]
        elif pools[e, CHOSEN, m] == 0.0:
            tokens[e, m] = 0.0
        pools[e, DEPLOYED, m] = pools[e, CHOSEN, m]
        mask[e, m] = 0
    counters[e, PHASE] = ROUTE
    observation[e, n * NUM_MODEL_FIELDS + OBS_PHASE] = ROUTE
