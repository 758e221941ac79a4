"""The dynamics as compiled kernels: state in, state out, one row an environment.

The world's arrays and their columns are described in `stageroute_gym.world`, the observation's
layout in `stageroute_gym.observation`. Both kernels reset a row that is marked as finished and
otherwise apply its action, which is Gymnasium's autoreset mode NEXT_STEP.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from stageroute_gym.draws import draw_row, uniform
from stageroute_gym.observation import (
    BUDGET_LEFT,
    LAST_COST,
    LAST_MODEL,
    LAST_SCORE,
    NUM_MODEL_FIELDS,
    OBS_AVAILABLE,
    OBS_DEPLOYED,
    OBS_LIST_PRICE,
    OBS_MEAN_COST,
    OBS_MEAN_SCORE,
    OBS_PHASE,
    OBS_PREVIOUS,
    OBS_PULLS,
    OBS_THROUGHPUT,
    OBS_TOKENS,
    PROGRESS,
    QUERY,
    STAGE_PROGRESS,
)
from stageroute_gym.projection import project, sample
from stageroute_gym.world import (
    AVAILABLE,
    BURST,
    COST,
    COST_MULTIPLIER,
    DEPLOYMENT_COST,
    FEEDBACK_DELAY,
    HARD_BUDGET,
    HORIZON,
    LIST_PRICE,
    MAX_DEPLOYED,
    SCORE,
    STAGE_END,
    STAGE_MIX,
    STAGE_VALUE,
    THROUGHPUT,
    TOTAL_BUDGET,
    TRUE_SCORE,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Singles = NDArray[np.float32]
Masks = NDArray[np.int8]

# State of an environment: `counters`, shape (E, 12), int64; the first six are shown in `info`.
QUERIES, STAGE, MODEL, DECLINED, INVALID, ACTIVATIONS = range(6)
PHASE, CHOSEN_SIZE, ROW, FINISHED, KEY, DEPLOY_STEPS = range(6, 12)
NUM_COUNTERS = 12
# `amounts`, shape (E, 7), float64; the first five are shown in `info`, and SEEN_SPEND is what the
# agent's observation knows of the spend.
STEP_SCORE, STEP_COST, SPEND, REGRET, ORACLE_SCORE, SEEN_SPEND, TOTAL_SCORE = range(7)
NUM_AMOUNTS = 7
# `pools`, shape (E, 4, N), float64; CHOSEN is the set being assembled.
DEPLOYED, CHOSEN, PREVIOUS, TOKENS = range(4)
NUM_POOLS = 4
# `totals`, shape (E, N, 3), float64: what has been observed of each model.
PULLS, SCORE_SUM, COST_SUM = range(3)
NUM_TOTALS = 3
# `pending`, shape (E, feedback_delay, 3), float64: feedback that is still on its way.
PENDING_MODEL, PENDING_SCORE, PENDING_COST = range(3)

# `members`, shape (E, M_max), int64: numbers of the chosen, then deployed, models.

# Division as in C: Python's check for a zero divisor costs a branch each time.
kernel = njit(cache=True, error_model="numpy")
# For what every step calls: passing a dozen arrays to a function costs more than its work.
inlined = njit(cache=True, error_model="numpy", inline="always")

DEPLOY, ROUTE = 0, 1
NO_MODEL = -1


@kernel
def _begin_stage(
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
def _choose(
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
def _commit(
    e: int,
    settings: Floats,
    counters: Integers,
    amounts: Floats,
    pools: Floats,
    observation: Singles,
    mask: Masks,
) -> None:
    """Deploy the chosen set for the stage and charge what it newly activates."""
    n = pools.shape[2]
    for m in range(n):
        if pools[e, CHOSEN, m] > 0.0 and pools[e, DEPLOYED, m] == 0.0:
            pools[e, TOKENS, m] = settings[BURST]
            counters[e, ACTIVATIONS] += 1
            amounts[e, SPEND] += settings[DEPLOYMENT_COST]
            amounts[e, SEEN_SPEND] += settings[DEPLOYMENT_COST]
        elif pools[e, CHOSEN, m] == 0.0:
            pools[e, TOKENS, m] = 0.0
        pools[e, DEPLOYED, m] = pools[e, CHOSEN, m]
        mask[e, m] = 0
    counters[e, PHASE] = ROUTE
    observation[e, n * NUM_MODEL_FIELDS + OBS_PHASE] = ROUTE


@inlined
def _observe_feedback(
    e: int,
    totals: Floats,
    amounts: Floats,
    observation: Singles,
    model: int,
    score: float,
    cost: float,
) -> None:
    """Book one query's score and cost into the statistics that the agent sees."""
    n = totals.shape[1]
    scalars = n * NUM_MODEL_FIELDS
    observation[e, scalars + LAST_MODEL] = model
    observation[e, scalars + LAST_SCORE] = score
    observation[e, scalars + LAST_COST] = cost
    if model == NO_MODEL:
        return
    totals[e, model, PULLS] += 1.0
    totals[e, model, SCORE_SUM] += score
    totals[e, model, COST_SUM] += cost
    amounts[e, SEEN_SPEND] += cost
    pulls = totals[e, model, PULLS]
    observation[e, OBS_PULLS * n + model] = pulls
    observation[e, OBS_MEAN_SCORE * n + model] = totals[e, model, SCORE_SUM] / pulls
    observation[e, OBS_MEAN_COST * n + model] = totals[e, model, COST_SUM] / pulls


@inlined
def _observe_books(
    e: int,
    stages: Floats,
    settings: Floats,
    counters: Integers,
    amounts: Floats,
    observation: Singles,
    scalars: int,
) -> None:
    """Write progress and budget into the observation."""
    stage = counters[e, STAGE]
    start = stages[stage - 1, STAGE_END] if stage > 0 else 0.0
    queries = counters[e, QUERIES]
    observation[e, scalars + PROGRESS] = queries / settings[HORIZON]
    observation[e, scalars + STAGE_PROGRESS] = (queries - start) / (
        stages[stage, STAGE_END] - start
    )
    observation[e, scalars + BUDGET_LEFT] = 1.0 - amounts[e, SEEN_SPEND] / settings[TOTAL_BUDGET]


@inlined
def _next_query(
    e: int,
    sampler: Floats,
    stages: Floats,
    features: Floats,
    counters: Integers,
    pools: Floats,
    members: Integers,
    observation: Singles,
    mask: Masks,
    use_tokens: bool,
) -> None:
    """Draw the query to route next and show it, with the models that may take it."""
    n = pools.shape[2]
    mix = int(stages[counters[e, STAGE], STAGE_MIX])
    row = draw_row(sampler, mix, counters[e, KEY], counters[e, QUERIES])
    counters[e, ROW] = row
    query = n * NUM_MODEL_FIELDS + QUERY
    for feature in range(features.shape[1]):
        observation[e, query + feature] = features[row, feature]
    for i in range(counters[e, CHOSEN_SIZE]):
        m = members[e, i]
        tokens = pools[e, TOKENS, m]
        observation[e, OBS_TOKENS * n + m] = tokens
        mask[e, m] = tokens >= 1.0 or not use_tokens
    mask[e, n] = 1


@inlined
def _serve(
    e: int, outcomes: Floats, stage_models: Floats, counters: Integers, amounts: Floats, model: int
) -> None:
    """Let ``model`` answer the current query."""
    stage, row = counters[e, STAGE], counters[e, ROW]
    score = outcomes[row, model, SCORE]
    cost = outcomes[row, model, COST] * stage_models[stage, COST_MULTIPLIER, model]
    counters[e, MODEL] = model
    amounts[e, STEP_SCORE] = score
    amounts[e, STEP_COST] = cost
    amounts[e, TOTAL_SCORE] += score
    amounts[e, SPEND] += cost
    amounts[e, REGRET] += amounts[e, ORACLE_SCORE] - stage_models[stage, TRUE_SCORE, model]


@inlined
def _decline(e: int, counters: Integers, amounts: Floats) -> None:
    """Leave the current query without an answer."""
    counters[e, DECLINED] += 1
    amounts[e, REGRET] += amounts[e, ORACLE_SCORE]


@inlined
def _report(
    e: int,
    settings: Floats,
    counters: Integers,
    amounts: Floats,
    totals: Floats,
    pending: Floats,
    observation: Singles,
) -> None:
    """Pass on the feedback that is due: this query's, or that of ``feedback_delay`` queries ago."""
    model, score, cost = counters[e, MODEL], amounts[e, STEP_SCORE], amounts[e, STEP_COST]
    delay = int(settings[FEEDBACK_DELAY])
    if delay == 0:
        _observe_feedback(e, totals, amounts, observation, model, score, cost)
        return
    slot = counters[e, QUERIES] % delay
    if counters[e, QUERIES] >= delay:
        due = int(pending[e, slot, PENDING_MODEL])
        _observe_feedback(
            e,
            totals,
            amounts,
            observation,
            due,
            pending[e, slot, PENDING_SCORE],
            pending[e, slot, PENDING_COST],
        )
    pending[e, slot, PENDING_MODEL] = model
    pending[e, slot, PENDING_SCORE] = score
    pending[e, slot, PENDING_COST] = cost


@inlined
def _refill(
    e: int, models: Floats, settings: Floats, counters: Integers, pools: Floats, members: Integers
) -> None:
    """One query's worth of tokens for every deployed model."""
    for i in range(counters[e, CHOSEN_SIZE]):
        m = members[e, i]
        pools[e, TOKENS, m] = min(settings[BURST], pools[e, TOKENS, m] + models[THROUGHPUT, m])


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
        _begin_stage(e, stages, stage_models, counters, amounts, pools, observation, mask)
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
    totals[e, :] = 0.0
    observation[e, :] = 0.0
    n = pools.shape[2]
    for m in range(n):
        observation[e, OBS_LIST_PRICE * n + m] = models[LIST_PRICE, m]
        observation[e, OBS_THROUGHPUT * n + m] = models[THROUGHPUT, m]
    observation[e, n * NUM_MODEL_FIELDS + LAST_MODEL] = NO_MODEL
    _begin_stage(e, stages, stage_models, counters, amounts, pools, observation, mask)


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
                e, stages, stage_models, models, counters, amounts, pools, totals, observation, mask
            )
            _observe_books(e, stages, settings, counters, amounts, observation, scalars)
            continue
        action = actions[e]
        allowed = mask[e, action]
        counters[e, MODEL] = NO_MODEL
        amounts[e, STEP_SCORE] = 0.0
        amounts[e, STEP_COST] = 0.0
        if not allowed:
            counters[e, INVALID] += 1
        if counters[e, PHASE] == DEPLOY:
            counters[e, DEPLOY_STEPS] += 1
            complete = True
            if allowed and action < n:
                complete = _choose(e, counters, pools, members, observation, mask, settings, action)
            if complete:
                _commit(e, settings, counters, amounts, pools, observation, mask)
        else:
            if allowed and action < n:
                _serve(e, outcomes, stage_models, counters, amounts, action)
                pools[e, TOKENS, action] -= 1.0
            else:
                _decline(e, counters, amounts)
            _report(e, settings, counters, amounts, totals, pending, observation)
            _refill(e, models, settings, counters, pools, members)
            counters[e, QUERIES] += 1
        if _advance(e, stages, stage_models, settings, counters, amounts, pools, observation, mask):
            _next_query(
                e, sampler, stages, features, counters, pools, members, observation, mask, True
            )
        _observe_books(e, stages, settings, counters, amounts, observation, scalars)


@kernel
def _choose_largest(
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
        complete = _choose(e, counters, pools, members, observation, mask, settings, best)


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
    shares = np.empty(n)
    for e in range(actions.shape[0]):
        if counters[e, FINISHED]:
            _reset(
                e, stages, stage_models, models, counters, amounts, pools, totals, observation, mask
            )
            _observe_books(e, stages, settings, counters, amounts, observation, scalars)
            continue
        counters[e, MODEL] = NO_MODEL
        amounts[e, STEP_SCORE] = 0.0
        amounts[e, STEP_COST] = 0.0
        if counters[e, PHASE] == DEPLOY:
            counters[e, DEPLOY_STEPS] += 1
            pass_allowed = mask[e, n]
            _choose_largest(e, settings, counters, pools, members, observation, mask, actions[e])
            if counters[e, CHOSEN_SIZE] == 0 and not pass_allowed:
                counters[e, INVALID] += 1
            _commit(e, settings, counters, amounts, pools, observation, mask)
        else:
            total = project(actions[e], mask[e, :n], models[THROUGHPUT], shares)
            model = NO_MODEL
            if total > 0.0:
                draw = uniform(counters[e, KEY], 2 * counters[e, QUERIES] + 1)
                model = sample(shares, total, draw)
            elif actions[e].max() > 0.0:
                counters[e, INVALID] += 1
            if model == NO_MODEL:
                _decline(e, counters, amounts)
            else:
                _serve(e, outcomes, stage_models, counters, amounts, model)
            _report(e, settings, counters, amounts, totals, pending, observation)
            counters[e, QUERIES] += 1
        if _advance(e, stages, stage_models, settings, counters, amounts, pools, observation, mask):
            _next_query(
                e, sampler, stages, features, counters, pools, members, observation, mask, False
            )
        _observe_books(e, stages, settings, counters, amounts, observation, scalars)
