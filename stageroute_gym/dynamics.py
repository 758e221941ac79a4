"""The dynamics as compiled kernels: state in, state out, one row an environment.

The world's arrays and their columns are described in `stageroute_gym.world`, the observation's
layout in `stageroute_gym.observation`. Both kernels reset a row that is marked as finished and
otherwise apply its action, which is Gymnasium's autoreset mode NEXT_STEP.
"""

from __future__ import annotations

from stageroute_gym.deploy_phase import begin_stage, choose, choose_largest, commit
from stageroute_gym.draws import uniform
from stageroute_gym.observation import LAST_MODEL, NUM_MODEL_FIELDS, OBS_LIST_PRICE, OBS_THROUGHPUT
from stageroute_gym.projection import asks, project, sample
from stageroute_gym.route_phase import decline, next_query, observe_books, refill, report, serve
from stageroute_gym.state import (
    CHOSEN_SIZE,
    DEPLOY,
    FINISHED,
    INVALID,
    KEY,
    MODEL,
    NO_MODEL,
    PHASE,
    QUERIES,
    ROUTE,
    SHARES,
    SPEND,
    STAGE,
    STEP_COST,
    STEP_SCORE,
    Floats,
    Integers,
    Masks,
    Singles,
    inlined,
    kernel,
)
from stageroute_gym.world import (
    HARD_BUDGET,
    HORIZON,
    LIST_PRICE,
    STAGE_END,
    THROUGHPUT,
    TOTAL_BUDGET,
)


@inlined
def _advance(
    e: int,
    stages: Floats,
    stage_models: Floats,
    settings: Floats,
    counters: Integers,
    amounts: Floats,
    pools: Floats,
    observation: Singles,
    mask: Masks,
) -> bool:
    """Close the step: end the episode, open the next stage, or go on; True to show a query."""
    over_budget = settings[HARD_BUDGET] > 0.0 and amounts[e, SPEND] >= settings[TOTAL_BUDGET]
    if counters[e, QUERIES] >= settings[HORIZON] or over_budget:
        counters[e, FINISHED] = 1
        return False
    if counters[e, QUERIES] >= stages[counters[e, STAGE], STAGE_END]:
        counters[e, STAGE] += 1
        begin_stage(e, stages, stage_models, counters, amounts, pools, observation, mask)
        return False
    return counters[e, PHASE] == ROUTE


@kernel
def _reset(
    e: int,
    stages: Floats,
    stage_models: Floats,
    models: Floats,
    counters: Integers,
    amounts: Floats,
    pools: Floats,
    tokens: Floats,
    totals: Floats,
    observation: Singles,
    mask: Masks,
) -> None:
    """Start an episode under the key in ``counters[e, KEY]``."""
    key = counters[e, KEY]
    counters[e, :] = 0
    counters[e, KEY] = key
    counters[e, MODEL] = NO_MODEL
    amounts[e, :] = 0.0
    pools[e, :] = 0.0
    tokens[e, :] = 0.0
    totals[e, :] = 0.0
    observation[e, :] = 0.0
    n = pools.shape[2]
    for m in range(n):
        observation[e, OBS_LIST_PRICE * n + m] = models[LIST_PRICE, m]
        observation[e, OBS_THROUGHPUT * n + m] = models[THROUGHPUT, m]
    observation[e, n * NUM_MODEL_FIELDS + LAST_MODEL] = NO_MODEL
    begin_stage(e, stages, stage_models, counters, amounts, pools, observation, mask)


@kernel
def step_discrete(
    outcomes: Floats,
    sampler: Floats,
    stages: Floats,
    stage_models: Floats,
    models: Floats,
    settings: Floats,
    features: Floats,
    counters: Integers,
    amounts: Floats,
    pools: Floats,
    tokens: Floats,
    members: Integers,
    totals: Floats,
    pending: Floats,
    observation: Singles,
    mask: Masks,
    actions: Integers,
) -> None:
    """Advance every environment by one decision of `StageRoute-v0`; actions, shape (E,), int64."""
    n = models.shape[1]
    scalars = n * NUM_MODEL_FIELDS
    for e in range(actions.shape[0]):
        if counters[e, FINISHED]:
            _reset(
                e,
                stages,
                stage_models,
                models,
                counters,
                amounts,
                pools,
                tokens,
                totals,
                observation,
                mask,
            )
            observe_books(e, stages, settings, counters, amounts, observation, scalars)
            continue
        action = actions[e]
        allowed = mask[e, action]
        counters[e, MODEL] = NO_MODEL
        amounts[e, STEP_SCORE] = 0.0
        amounts[e, STEP_COST] = 0.0
        if not allowed:
            counters[e, INVALID] += 1
        if counters[e, PHASE] == DEPLOY:
            complete = True
            if allowed and action < n:
                complete = choose(e, counters, pools, members, observation, mask, settings, action)
            if complete:
                commit(e, settings, counters, amounts, pools, tokens, observation, mask)
        else:
            if allowed and action < n:
                serve(e, outcomes, stage_models, counters, amounts, action)
                tokens[e, action] -= 1.0
            else:
                decline(e, counters, amounts)
            report(e, settings, counters, amounts, totals, pending, observation)
            refill(e, models, settings, counters, tokens, members)
            counters[e, QUERIES] += 1
        if _advance(e, stages, stage_models, settings, counters, amounts, pools, observation, mask):
            next_query(
                e, sampler, stages, features, counters, tokens, members, observation, mask, True
            )
        observe_books(e, stages, settings, counters, amounts, observation, scalars)


@kernel
def step_continuous(
    outcomes: Floats,
    sampler: Floats,
    stages: Floats,
    stage_models: Floats,
    models: Floats,
    settings: Floats,
    features: Floats,
    counters: Integers,
    amounts: Floats,
    pools: Floats,
    tokens: Floats,
    members: Integers,
    totals: Floats,
    pending: Floats,
    observation: Singles,
    mask: Masks,
    actions: Singles,
) -> None:
    """Advance every environment by one decision of `StageRouteContinuous-v0`; actions (E, N)."""
    n = models.shape[1]
    scalars = n * NUM_MODEL_FIELDS
    for e in range(actions.shape[0]):
        if counters[e, FINISHED]:
            _reset(
                e,
                stages,
                stage_models,
                models,
                counters,
                amounts,
                pools,
                tokens,
                totals,
                observation,
                mask,
            )
            observe_books(e, stages, settings, counters, amounts, observation, scalars)
            continue
        counters[e, MODEL] = NO_MODEL
        amounts[e, STEP_SCORE] = 0.0
        amounts[e, STEP_COST] = 0.0
        if counters[e, PHASE] == DEPLOY:
            pass_allowed = mask[e, n]
            choose_largest(e, settings, counters, pools, members, observation, mask, actions[e])
            if counters[e, CHOSEN_SIZE] == 0 and not pass_allowed:
                counters[e, INVALID] += 1
            commit(e, settings, counters, amounts, pools, tokens, observation, mask)
        else:
            shares = pools[e, SHARES]
            total = project(actions[e], mask[e, :n], models[THROUGHPUT], shares)
            model = NO_MODEL
            if total > 0.0:
                draw = uniform(counters[e, KEY], 2 * counters[e, QUERIES] + 1)
                model = sample(shares, total, draw)
            elif asks(actions[e]):
                counters[e, INVALID] += 1
            if model == NO_MODEL:
                decline(e, counters, amounts)
            else:
                serve(e, outcomes, stage_models, counters, amounts, model)
            report(e, settings, counters, amounts, totals, pending, observation)
            counters[e, QUERIES] += 1
        if _advance(e, stages, stage_models, settings, counters, amounts, pools, observation, mask):
            next_query(
                e, sampler, stages, features, counters, tokens, members, observation, mask, False
            )
        observe_books(e, stages, settings, counters, amounts, observation, scalars)
