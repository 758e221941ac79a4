"""The dynamics as compiled kernels: state in, state out, one row an environment.

The world's arrays and their columns are described in `world`, the observation's layout in
`observation`. Both kernels reset a row that is marked as finished and
otherwise apply its action, which is Gymnasium's autoreset mode NEXT_STEP.
"""

from __future__ import annotations

import numpy as np

from stageroute_gym.simulator.arrays import (
    CAPS,
    CHOSEN_SIZE,
    INVALID,
    KEY,
    MODEL,
    NO_MODEL,
    PHASE,
    QUERIES,
    ROUTE,
    ROW,
    SHARES,
    SPEND,
    STAGE,
    STEP_COST,
    STEP_SCORE,
    Flags,
    Floats,
    Integers,
    Masks,
    Members,
    Singles,
    inlined,
    kernel,
)
from stageroute_gym.simulator.deploy_phase import begin_stage, choose, choose_largest, commit
from stageroute_gym.simulator.draws import uniform
from stageroute_gym.simulator.observation import LAST_MODEL, OBS_LIST_PRICE, OBS_THROUGHPUT
from stageroute_gym.simulator.prefetching import prefetch
from stageroute_gym.simulator.projection import asks, fit, sample
from stageroute_gym.simulator.route_phase import next_query, observe_books, refill, report, serve
from stageroute_gym.simulator.world import (
    HARD_BUDGET,
    HORIZON,
    LIST_PRICE,
    SCORE,
    STAGE_END,
    THROUGHPUT,
    TOTAL_BUDGET,
)

# A row of outcomes is at a random place in memory: it is asked for this many environments ahead.
_AHEAD = 16


@inlined
def _is_over(e: int, settings: Floats, counters: Integers, amounts: Floats) -> bool:
    """Whether the horizon or, under the rule `hard`, the end of the budget is reached."""
    spent = settings[HARD_BUDGET] > 0.0 and amounts[e, SPEND] >= settings[TOTAL_BUDGET]
    return spent or counters[e, QUERIES] >= settings[HORIZON]


@kernel
def _reset(
    e: int,
    stages: Floats,
    stage_models: Floats,
    models: Floats,
    settings: Floats,
    counters: Integers,
    amounts: Floats,
    tokens: Floats,
    totals: Floats,
    fields: Singles,
    scalars: Singles,
    mask: Masks,
) -> None:
    """Start an episode under the key in ``counters[e, KEY]``."""
    key = counters[e, KEY]
    counters[e, :] = 0
    counters[e, KEY] = key
    counters[e, MODEL] = NO_MODEL
    amounts[e, :] = 0.0
    tokens[e, :] = 0.0
    totals[e, :] = 0.0
    fields[e, :] = 0.0
    scalars[e, :] = 0.0
    for m in range(fields.shape[2]):
        fields[e, OBS_LIST_PRICE, m] = models[LIST_PRICE, m]
        fields[e, OBS_THROUGHPUT, m] = models[THROUGHPUT, m]
    scalars[e, LAST_MODEL] = NO_MODEL
    begin_stage(e, stages, stage_models, counters, amounts, fields, scalars, mask)
    observe_books(e, stages, settings, counters, amounts, scalars)


@kernel
def step_discrete(
    outcomes: Floats,
    sampler: Floats,
    stages: Floats,
    stage_models: Floats,
    models: Floats,
    settings: Floats,
    features: Floats,
    finished: Flags,
    counters: Integers,
    amounts: Floats,
    routing: Floats,
    tokens: Floats,
    members: Members,
    totals: Floats,
    pending: Floats,
    fields: Singles,
    scalars: Singles,
    mask: Masks,
    actions: Integers,
) -> None:
    """Advance every environment by one decision of `StageRoute-v0`; actions, shape (E,), int64."""
    n = models.shape[1]
    last = actions.shape[0] - 1
    for e in range(actions.shape[0]):
        ahead = min(e + _AHEAD, last)
        prefetch(outcomes, (counters[ahead, ROW], actions[ahead], SCORE))
        if finished[e]:
            finished[e] = False
            _reset(
                e,
                stages,
                stage_models,
                models,
                settings,
                counters,
                amounts,
                tokens,
                totals,
                fields,
                scalars,
                mask,
            )
            continue
        action = actions[e]
        allowed = mask[e, action] != 0
        if not allowed:
            counters[e, INVALID] += 1
        # That indexes are not negative is known already; said here, it spares the compiler the
        # handling of negative ones.
        model = action if allowed and 0 <= action < n else NO_MODEL
        routed = counters[e, PHASE] == ROUTE
        score, cost = 0.0, 0.0
        if routed:
            score, cost = serve(e, outcomes, stage_models, counters, amounts, model)
            if model >= 0:
                tokens[e, model] -= 1.0
            report(
                e,
                settings,
                counters,
                amounts,
                totals,
                pending,
                fields,
                scalars,
                model,
                score,
                cost,
            )
            counters[e, QUERIES] += 1
        else:
            complete = True
            if model >= 0:
                complete = choose(e, settings, counters, members, fields, mask, model)
            if complete:
                commit(e, settings, counters, amounts, tokens, fields, scalars, mask)
        counters[e, MODEL] = model if routed else NO_MODEL
        amounts[e, STEP_SCORE] = score
        amounts[e, STEP_COST] = cost
        if _is_over(e, settings, counters, amounts):
            finished[e] = True
        elif counters[e, PHASE] == ROUTE:
            queries = 1.0 if routed else 0.0
            refill(e, models, settings, counters, tokens, members, fields, mask, queries)
            if counters[e, QUERIES] >= stages[counters[e, STAGE], STAGE_END]:
                counters[e, STAGE] += 1
                begin_stage(e, stages, stage_models, counters, amounts, fields, scalars, mask)
            else:
                next_query(e, sampler, stages, features, counters, scalars, mask)
        observe_books(e, stages, settings, counters, amounts, scalars)


@kernel
def step_continuous(
    outcomes: Floats,
    sampler: Floats,
    stages: Floats,
    stage_models: Floats,
    models: Floats,
    settings: Floats,
    features: Floats,
    finished: Flags,
    counters: Integers,
    amounts: Floats,
    routing: Floats,
    tokens: Floats,
    members: Members,
    totals: Floats,
    pending: Floats,
    fields: Singles,
    scalars: Singles,
    mask: Masks,
    actions: Singles,
) -> None:
    """Advance every environment by one decision of `StageRouteContinuous-v0`; actions (E, N)."""
    n = models.shape[1]
    for e in range(actions.shape[0]):
        if finished[e]:
            finished[e] = False
            _reset(
                e,
                stages,
                stage_models,
                models,
                settings,
                counters,
                amounts,
                tokens,
                totals,
                fields,
                scalars,
                mask,
            )
            continue
        routed = counters[e, PHASE] == ROUTE
        model, score, cost = NO_MODEL, 0.0, 0.0
        if routed:
            size = counters[e, CHOSEN_SIZE]
            shares, caps = routing[e, SHARES, :size], routing[e, CAPS, :size]
            for i in range(size):
                m = members[e, i]
                shares[i] = max(np.float64(actions[e, m]), 0.0)
                caps[i] = models[THROUGHPUT, m]
            total = fit(shares, caps)
            if total > 0.0:
                draw = uniform(counters[e, KEY], 2 * counters[e, QUERIES] + 1)
                place = sample(shares, total, draw)
                if place >= 0:
                    model = int(np.int64(members[e, place]))
            elif asks(actions[e]):
                counters[e, INVALID] += 1
            score, cost = serve(e, outcomes, stage_models, counters, amounts, model)
            report(
                e,
                settings,
                counters,
                amounts,
                totals,
                pending,
                fields,
                scalars,
                model,
                score,
                cost,
            )
            counters[e, QUERIES] += 1
        else:
            pass_allowed = mask[e, n]
            choose_largest(e, settings, counters, members, fields, mask, actions[e])
            if counters[e, CHOSEN_SIZE] == 0 and not pass_allowed:
                counters[e, INVALID] += 1
            commit(e, settings, counters, amounts, tokens, fields, scalars, mask)
        counters[e, MODEL] = model
        amounts[e, STEP_SCORE] = score
        amounts[e, STEP_COST] = cost
        if _is_over(e, settings, counters, amounts):
            finished[e] = True
        elif counters[e, QUERIES] >= stages[counters[e, STAGE], STAGE_END]:
            counters[e, STAGE] += 1
            begin_stage(e, stages, stage_models, counters, amounts, fields, scalars, mask)
        else:
            if not routed:
                # Buckets stay full: caps on probabilities take their place.
                refill(e, models, settings, counters, tokens, members, fields, mask, 0.0)
            next_query(e, sampler, stages, features, counters, scalars, mask)
        observe_books(e, stages, settings, counters, amounts, scalars)
