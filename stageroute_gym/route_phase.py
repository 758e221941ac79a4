"""The route phase as compiled functions: a query is drawn, served or declined, and booked."""

from __future__ import annotations

from stageroute_gym.draws import draw_row
from stageroute_gym.observation import (
    BUDGET_LEFT,
    LAST_COST,
    LAST_MODEL,
    LAST_SCORE,
    NUM_MODEL_FIELDS,
    OBS_MEAN_COST,
    OBS_MEAN_SCORE,
    OBS_PULLS,
    OBS_TOKENS,
    PROGRESS,
    QUERY,
    STAGE_PROGRESS,
)
from stageroute_gym.state import (
    CHOSEN_SIZE,
    COST_SUM,
    DECLINED,
    KEY,
    MODEL,
    NO_MODEL,
    ORACLE_SCORE,
    PENDING_COST,
    PENDING_MODEL,
    PENDING_SCORE,
    PULLS,
    QUERIES,
    REGRET,
    ROW,
    SCORE_SUM,
    SEEN_SPEND,
    SPEND,
    STAGE,
    STEP_COST,
    STEP_SCORE,
    TOTAL_SCORE,
    Floats,
    Integers,
    Masks,
    Singles,
    inlined,
)
from stageroute_gym.world import (
    BURST,
    COST,
    COST_MULTIPLIER,
    FEEDBACK_DELAY,
    HORIZON,
    SCORE,
    STAGE_END,
    STAGE_MIX,
    THROUGHPUT,
    TOTAL_BUDGET,
    TRUE_SCORE,
)


@inlined
def next_query(
    e: int,
    sampler: Floats,
    stages: Floats,
    features: Floats,
    counters: Integers,
    tokens: Floats,
    members: Integers,
    observation: Singles,
    mask: Masks,
    use_tokens: bool,
) -> None:
    """Draw the query to route next and show it, with the models that may take it."""
    n = tokens.shape[1]
    mix = int(stages[counters[e, STAGE], STAGE_MIX])
    row = draw_row(sampler, mix, counters[e, KEY], counters[e, QUERIES])
    counters[e, ROW] = row
    query = n * NUM_MODEL_FIELDS + QUERY
    for feature in range(features.shape[1]):
        observation[e, query + feature] = features[row, feature]
    for i in range(counters[e, CHOSEN_SIZE]):
        m = members[e, i]
        held = tokens[e, m]
        observation[e, OBS_TOKENS * n + m] = held
        mask[e, m] = held >= 1.0 or not use_tokens
    mask[e, n] = 1


@inlined
def serve(
    e: int, outcomes: Floats, stage_models: Floats, counters: Integers, amounts: Floats, model: int
) -> None:
    """Let ``model`` answer the current query."""
    stage, row = counters[e, STAGE], counters[e, ROW]
    score = outcomes[row, model, SCORE]
    cost = outcomes[row, model, COST] * stage_models[stage, COST_MULTIPLIER, model]
    counters[e, MODEL] = model
    amounts[e, STEP_SCORE] = score
    amounts[e, STEP_COST] = cost
    amounts[e, SPEND] += cost
    amounts[e, TOTAL_SCORE] += score
    amounts[e, REGRET] += amounts[e, ORACLE_SCORE] - stage_models[stage, TRUE_SCORE, model]


@inlined
def decline(e: int, counters: Integers, amounts: Floats) -> None:
    """Leave the current query without an answer."""
    counters[e, DECLINED] += 1
    amounts[e, REGRET] += amounts[e, ORACLE_SCORE]


@inlined
def report(
    e: int,
    settings: Floats,
    counters: Integers,
    amounts: Floats,
    totals: Floats,
    pending: Floats,
    observation: Singles,
) -> None:
    """Pass on the feedback that is due: this query's, or that of ``feedback_delay`` queries ago."""
    model, score, cost = (
        counters[e, MODEL],
        amounts[e, STEP_SCORE],
        amounts[e, STEP_COST],
    )
    delay = int(settings[FEEDBACK_DELAY])
    if delay == 0:
        observe_feedback(e, totals, amounts, observation, model, score, cost)
        return
    slot = counters[e, QUERIES] % delay
    if counters[e, QUERIES] >= delay:
        due = int(pending[e, slot, PENDING_MODEL])
        observe_feedback(
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
def observe_feedback(
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
def refill(
    e: int, models: Floats, settings: Floats, counters: Integers, tokens: Floats, members: Integers
) -> None:
    """One query's worth of tokens for every deployed model."""
    for i in range(counters[e, CHOSEN_SIZE]):
        m = members[e, i]
        tokens[e, m] = min(settings[BURST], tokens[e, m] + models[THROUGHPUT, m])


@inlined
def observe_books(
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
