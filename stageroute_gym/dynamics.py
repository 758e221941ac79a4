"""The dynamics as compiled kernels: state in, state out, one row an environment.

The world's arrays and their columns are described in `stageroute_gym.world`, the observation's
layout in `stageroute_gym.observation`. Both kernels reset a row that is marked as finished and
otherwise apply its action, which is Gymnasium's autoreset mode NEXT_STEP.
"""

from __future__ import annotations

import numpy as np
from numba import njit

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

# State of an environment: `counters`, shape (E, 12), int64; the first six are shown in `info`.
QUERIES, STAGE, MODEL, DECLINED, INVALID, ACTIVATIONS = range(6)
PHASE, CHOSEN_SIZE, ROW, FINISHED, KEY, DEPLOY_STEPS = range(6, 12)
NUM_COUNTERS = 12
# `amounts`, shape (E, 7), float64; the first five are shown in `info`, SEEN_SPEND is what the agent's observation knows of the spend.
STEP_SCORE, STEP_COST, SPEND, REGRET, ORACLE_SCORE, SEEN_SPEND, TOTAL_SCORE = range(7)
NUM_AMOUNTS = 7
# `pools`, shape (E, 7, N), float64; CHOSEN is the set being assembled.
DEPLOYED, CHOSEN, PREVIOUS, TOKENS, PULLS, SCORE_SUM, COST_SUM = range(7)
NUM_POOLS = 7
# `pending`, shape (E, feedback_delay, 3), float64: feedback that is still on its way.
PENDING_MODEL, PENDING_SCORE, PENDING_COST = range(3)

DEPLOY, ROUTE = 0, 1
NO_MODEL = -1


@njit(cache=True)
def _begin_stage(stages, stage_models, counters, amounts, pools, observation, mask):
    """Open the deploy phase of the current stage."""
    counters[PHASE] = DEPLOY
    counters[CHOSEN_SIZE] = 0
    amounts[ORACLE_SCORE] = stages[counters[STAGE], STAGE_VALUE]
    available = stage_models[counters[STAGE], AVAILABLE]
    n = available.shape[0]
    observation[n * NUM_MODEL_FIELDS + OBS_PHASE] = DEPLOY
    free = 0
    for m in range(n):
        pools[PREVIOUS, m] = pools[DEPLOYED, m]
        pools[CHOSEN, m] = 0.0
        observation[OBS_AVAILABLE * n + m] = available[m]
        observation[OBS_DEPLOYED * n + m] = 0.0
        observation[OBS_PREVIOUS * n + m] = pools[PREVIOUS, m]
        observation[OBS_TOKENS * n + m] = 0.0
        mask[m] = available[m] > 0.0
        free += mask[m]
    mask[n] = free == 0
    for feature in range(n * NUM_MODEL_FIELDS + QUERY, observation.shape[0]):
        observation[feature] = 0.0


@njit(cache=True)
def _choose(counters, pools, observation, mask, settings, model):
    """Add a model to the set; True if the set is complete with it."""
    n = pools.shape[1]
    pools[CHOSEN, model] = 1.0
    counters[CHOSEN_SIZE] += 1
    observation[OBS_DEPLOYED * n + model] = 1.0
    mask[model] = 0
    mask[n] = 1
    if counters[CHOSEN_SIZE] >= settings[MAX_DEPLOYED]:
        return True
    for m in range(n):
        if mask[m]:
            return False
    return True


@njit(cache=True)
def _commit(settings, counters, amounts, pools, observation):
    """Deploy the chosen set for the stage and charge what it newly activates."""
    n = pools.shape[1]
    for m in range(n):
        if pools[CHOSEN, m] > 0.0 and pools[DEPLOYED, m] == 0.0:
            pools[TOKENS, m] = settings[BURST]
            counters[ACTIVATIONS] += 1
            amounts[SPEND] += settings[DEPLOYMENT_COST]
            amounts[SEEN_SPEND] += settings[DEPLOYMENT_COST]
        elif pools[CHOSEN, m] == 0.0:
            pools[TOKENS, m] = 0.0
        pools[DEPLOYED, m] = pools[CHOSEN, m]
    counters[PHASE] = ROUTE
    observation[n * NUM_MODEL_FIELDS + OBS_PHASE] = ROUTE


@njit(cache=True)
def _observe_feedback(pools, amounts, observation, model, score, cost):
    """Book one query's score and cost into the statistics that the agent sees."""
    n = pools.shape[1]
    scalars = n * NUM_MODEL_FIELDS
    observation[scalars + LAST_MODEL] = model
    observation[scalars + LAST_SCORE] = score
    observation[scalars + LAST_COST] = cost
    if model == NO_MODEL:
        return
    pools[PULLS, model] += 1.0
    pools[SCORE_SUM, model] += score
    pools[COST_SUM, model] += cost
    amounts[SEEN_SPEND] += cost
    pulls = pools[PULLS, model]
    observation[OBS_PULLS * n + model] = pulls
    observation[OBS_MEAN_SCORE * n + model] = pools[SCORE_SUM, model] / pulls
    observation[OBS_MEAN_COST * n + model] = pools[COST_SUM, model] / pulls


@njit(cache=True)
def _observe_books(stages, settings, counters, amounts, observation, scalars):
    """Write progress and budget into the observation."""
    stage = counters[STAGE]
    start = stages[stage - 1, STAGE_END] if stage > 0 else 0.0
    queries = counters[QUERIES]
    observation[scalars + PROGRESS] = queries / settings[HORIZON]
    observation[scalars + STAGE_PROGRESS] = (queries - start) / (stages[stage, STAGE_END] - start)
    observation[scalars + BUDGET_LEFT] = 1.0 - amounts[SEEN_SPEND] / settings[TOTAL_BUDGET]


@njit(cache=True)
def _next_query(
    sampler, stages, features, settings, counters, pools, observation, mask, use_tokens
):
    """Draw the query to route next and show it, with the models that may take it."""
    n = pools.shape[1]
    mix = np.int64(stages[counters[STAGE], STAGE_MIX])
    row = draw_row(sampler[mix], counters[KEY], counters[QUERIES])
    counters[ROW] = row
    query = n * NUM_MODEL_FIELDS + QUERY
    for feature in range(features.shape[1]):
        observation[query + feature] = features[row, feature]
    for m in range(n):
        tokens = pools[TOKENS, m]
        observation[OBS_TOKENS * n + m] = tokens
        ready = tokens >= 1.0 if use_tokens else pools[DEPLOYED, m] > 0.0
        mask[m] = ready
    mask[n] = 1


@njit(cache=True)
def _serve(outcomes, stage_models, counters, amounts, model):
    """Let ``model`` answer the current query."""
    stage, row = counters[STAGE], counters[ROW]
    score = outcomes[row, model, SCORE]
    cost = outcomes[row, model, COST] * stage_models[stage, COST_MULTIPLIER, model]
    counters[MODEL] = model
    amounts[STEP_SCORE] = score
    amounts[STEP_COST] = cost
    amounts[TOTAL_SCORE] += score
    amounts[SPEND] += cost
    amounts[REGRET] += amounts[ORACLE_SCORE] - stage_models[stage, TRUE_SCORE, model]


@njit(cache=True)
def _decline(counters, amounts):
    """Leave the current query without an answer."""
    counters[DECLINED] += 1
    amounts[REGRET] += amounts[ORACLE_SCORE]


@njit(cache=True)
def _report(settings, counters, amounts, pools, pending, observation):
    """Pass on the feedback that is due: this query's, or that of ``feedback_delay`` queries ago."""
    model, score, cost = counters[MODEL], amounts[STEP_SCORE], amounts[STEP_COST]
    delay = np.int64(settings[FEEDBACK_DELAY])
    if delay == 0:
        _observe_feedback(pools, amounts, observation, model, score, cost)
        return
    slot = pending[counters[QUERIES] % delay]
    if counters[QUERIES] >= delay:
        due = np.int64(slot[PENDING_MODEL])
        _observe_feedback(pools, amounts, observation, due, slot[PENDING_SCORE], slot[PENDING_COST])
    slot[PENDING_MODEL] = model
    slot[PENDING_SCORE] = score
    slot[PENDING_COST] = cost


@njit(cache=True)
def _refill(models, settings, pools):
    """One query's worth of tokens for every deployed model."""
    for m in range(pools.shape[1]):
        filled = min(settings[BURST], pools[TOKENS, m] + models[THROUGHPUT, m])
        pools[TOKENS, m] = filled * pools[DEPLOYED, m]


@njit(cache=True)
def _advance(stages, stage_models, settings, counters, amounts, pools, observation, mask):
    """Close the step: end the episode, open the next stage, or go on; True to show a query."""
    over_budget = settings[HARD_BUDGET] > 0.0 and amounts[SPEND] >= settings[TOTAL_BUDGET]
    if counters[QUERIES] >= settings[HORIZON] or over_budget:
        counters[FINISHED] = 1
        return False
    if counters[QUERIES] >= stages[counters[STAGE], STAGE_END]:
        counters[STAGE] += 1
        _begin_stage(stages, stage_models, counters, amounts, pools, observation, mask)
        return False
    return counters[PHASE] == ROUTE


@njit(cache=True)
def _reset(stages, stage_models, models, counters, amounts, pools, observation, mask):
    """Start an episode under the key in ``counters[KEY]``."""
    key = counters[KEY]
    counters[:] = 0
    counters[KEY] = key
    counters[MODEL] = NO_MODEL
    amounts[:] = 0.0
    pools[:] = 0.0
    observation[:] = 0.0
    n = pools.shape[1]
    for m in range(n):
        observation[OBS_LIST_PRICE * n + m] = models[LIST_PRICE, m]
        observation[OBS_THROUGHPUT * n + m] = models[THROUGHPUT, m]
    observation[n * NUM_MODEL_FIELDS + LAST_MODEL] = NO_MODEL
    _begin_stage(stages, stage_models, counters, amounts, pools, observation, mask)


@njit(cache=True)
def step_discrete(
    outcomes,
    sampler,
    stages,
    stage_models,
    models,
    settings,
    features,
    all_counters,
    all_amounts,
    all_pools,
    all_pending,
    observations,
    masks,
    actions,
):
    """Advance every environment by one decision of `StageRoute-v0`; actions, shape (E,), int64."""
    n = models.shape[1]
    scalars = n * NUM_MODEL_FIELDS
    for e in range(actions.shape[0]):
        counters, amounts, pools = all_counters[e], all_amounts[e], all_pools[e]
        observation, mask = observations[e], masks[e]
        if counters[FINISHED]:
            _reset(stages, stage_models, models, counters, amounts, pools, observation, mask)
            _observe_books(stages, settings, counters, amounts, observation, scalars)
            continue
        action = actions[e]
        allowed = mask[action]
        counters[MODEL] = NO_MODEL
        amounts[STEP_SCORE] = 0.0
        amounts[STEP_COST] = 0.0
        if not allowed:
            counters[INVALID] += 1
        if counters[PHASE] == DEPLOY:
            counters[DEPLOY_STEPS] += 1
            complete = True
            if allowed and action < n:
                complete = _choose(counters, pools, observation, mask, settings, action)
            if complete:
                _commit(settings, counters, amounts, pools, observation)
        else:
            if allowed and action < n:
                _serve(outcomes, stage_models, counters, amounts, action)
                pools[TOKENS, action] -= 1.0
            else:
                _decline(counters, amounts)
            _report(settings, counters, amounts, pools, all_pending[e], observation)
            _refill(models, settings, pools)
            counters[QUERIES] += 1
        if _advance(stages, stage_models, settings, counters, amounts, pools, observation, mask):
            _next_query(
                sampler, stages, features, settings, counters, pools, observation, mask, True
            )
        _observe_books(stages, settings, counters, amounts, observation, scalars)


@njit(cache=True)
def _choose_largest(settings, counters, pools, observation, mask, weights):
    """Choose the available models with the largest positive weights, up to the limit."""
    complete = False
    while not complete:
        best, largest = NO_MODEL, 0.0
        for m in range(weights.shape[0]):
            if mask[m] and weights[m] > largest:
                best, largest = m, weights[m]
        if best == NO_MODEL:
            return
        complete = _choose(counters, pools, observation, mask, settings, best)


@njit(cache=True)
def step_continuous(
    outcomes,
    sampler,
    stages,
    stage_models,
    models,
    settings,
    features,
    all_counters,
    all_amounts,
    all_pools,
    all_pending,
    observations,
    masks,
    actions,
):
    """Advance every environment by one decision of `StageRouteContinuous-v0`; actions (E, N)."""
    n = models.shape[1]
    scalars = n * NUM_MODEL_FIELDS
    shares = np.empty(n)
    for e in range(actions.shape[0]):
        counters, amounts, pools = all_counters[e], all_amounts[e], all_pools[e]
        observation, mask = observations[e], masks[e]
        if counters[FINISHED]:
            _reset(stages, stage_models, models, counters, amounts, pools, observation, mask)
            _observe_books(stages, settings, counters, amounts, observation, scalars)
            continue
        counters[MODEL] = NO_MODEL
        amounts[STEP_SCORE] = 0.0
        amounts[STEP_COST] = 0.0
        if counters[PHASE] == DEPLOY:
            counters[DEPLOY_STEPS] += 1
            pass_allowed = mask[n]
            _choose_largest(settings, counters, pools, observation, mask, actions[e])
            if counters[CHOSEN_SIZE] == 0 and not pass_allowed:
                counters[INVALID] += 1
            _commit(settings, counters, amounts, pools, observation)
        else:
            total = project(actions[e], mask[:n], models[THROUGHPUT], shares)
            model = NO_MODEL
            if total > 0.0:
                draw = uniform(counters[KEY], 2 * counters[QUERIES] + 1)
                model = sample(shares, total, draw)
            elif actions[e].max() > 0.0:
                counters[INVALID] += 1
            if model == NO_MODEL:
                _decline(counters, amounts)
            else:
                _serve(outcomes, stage_models, counters, amounts, model)
            _report(settings, counters, amounts, pools, all_pending[e], observation)
            counters[QUERIES] += 1
        if _advance(stages, stage_models, settings, counters, amounts, pools, observation, mask):
            _next_query(
                sampler, stages, features, settings, counters, pools, observation, mask, False
            )
        _observe_books(stages, settings, counters, amounts, observation, scalars)
