"""The route phase as compiled functions: a query is drawn, served or declined, and booked."""

from __future__ import annotations

from stageroute_gym.simulator.arrays import (
    CHOSEN_SIZE,
    COST_SUM,
    DECLINED,
    KEY,
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
    TOTAL_SCORE,
    Floats,
    Integers,
    Masks,
    Members,
    Singles,
    inlined,
)
from stageroute_gym.simulator.draws import draw_row
from stageroute_gym.simulator.observation import (
    BUDGET_LEFT,
    LAST_COST,
    LAST_MODEL,
    LAST_SCORE,
    OBS_MEAN_COST,
    OBS_MEAN_SCORE,
    OBS_PULLS,
    OBS_TOKENS,
    PROGRESS,
    QUERY,
    STAGE_PROGRESS,
)
from stageroute_gym.simulator.world import (
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
    scalars: Singles,
    mask: Masks,
) -> None:
    """Draw the query to route next and show it."""
    mix = int(stages[counters[e, STAGE], STAGE_MIX])
    row = draw_row(sampler, mix, counters[e, KEY], counters[e, QUERIES])
    counters[e, ROW] = row
    for feature in range(features.shape[1]):
        scalars[e, QUERY + feature] = features[row, feature]
    mask[e, mask.shape[1] - 1] = 1


@inlined
def serve(
    e: int,
    outcomes: Floats,
    stage_models: Floats,
    counters: Integers,
    amounts: Floats,
    model: int,
) -> tuple[float, float]:
    """Route the current query to ``model``; a negative one declines it. Its score and cost."""
    if model < 0:
        counters[e, DECLINED] += 1
        amounts[e, REGRET] += amounts[e, ORACLE_SCORE]
        return 0.0, 0.0
    stage, row = counters[e, STAGE], counters[e, ROW]
    score = outcomes[row, model, SCORE]
    cost = outcomes[row, model, COST] * stage_models[stage, COST_MULTIPLIER, model]
    amounts[e, SPEND] += cost
    amounts[e, TOTAL_SCORE] += score
    amounts[e, REGRET] += amounts[e, ORACLE_SCORE] - stage_models[stage, TRUE_SCORE, model]
    return score, cost


@inlined
def report(
    e: int,
    settings: Floats,
    counters: Integers,
    amounts: Floats,
    totals: Floats,
    pending: Floats,
    fields: Singles,
    scalars: Singles,
    model: int,
    score: float,
    cost: float,
) -> None:
    """Pass on the feedback that is due: this query's, or that of ``feedback_delay`` queries ago."""
    delay = int(settings[FEEDBACK_DELAY])
    if delay == 0:
        observe_feedback(e, amounts, totals, fields, scalars, model, score, cost)
        return
    slot = counters[e, QUERIES] % delay
    if counters[e, QUERIES] >= delay:
        observe_feedback(
            e,
            amounts,
            totals,
            fields,
            scalars,
            int(pending[e, slot, PENDING_MODEL]),
            pending[e, slot, PENDING_SCORE],
            pending[e, slot, PENDING_COST],
        )
    pending[e, slot, PENDING_MODEL] = model
    pending[e, slot, PENDING_SCORE] = score
    pending[e, slot, PENDING_COST] = cost


@inlined
def observe_feedback(
    e: int,
    amounts: Floats,
    totals: Floats,
    fields: Singles,
    scalars: Singles,
    model: int,
    score: float,
    cost: float,
) -> None:
    """Book one query's score and cost into the statistics that the agent sees."""
    scalars[e, LAST_MODEL] = model
    scalars[e, LAST_SCORE] = score
    scalars[e, LAST_COST] = cost
    if model < 0:
        return
    pulls = totals[e, model, PULLS] + 1.0
    score_sum = totals[e, model, SCORE_SUM] + score
    cost_sum = totals[e, model, COST_SUM] + cost
    totals[e, model, PULLS] = pulls
    totals[e, model, SCORE_SUM] = score_sum
    totals[e, model, COST_SUM] = cost_sum
    amounts[e, SEEN_SPEND] += cost
    fields[e, OBS_PULLS, model] = pulls
    fields[e, OBS_MEAN_SCORE, model] = score_sum / pulls
    fields[e, OBS_MEAN_COST, model] = cost_sum / pulls


@inlined
def refill(
    e: int,
    models: Floats,
    settings: Floats,
    counters: Integers,
    tokens: Floats,
    members: Members,
    fields: Singles,
    mask: Masks,
    queries: float,
) -> None:
    """Give deployed models the tokens of so many queries; show them, and which suffice."""
    for i in range(counters[e, CHOSEN_SIZE]):
        m = members[e, i]
        held = min(settings[BURST], tokens[e, m] + queries * models[THROUGHPUT, m])
        tokens[e, m] = held
        fields[e, OBS_TOKENS, m] = held
        mask[e, m] = held >= 1.0


@inlined
def observe_books(
    e: int,
    stages: Floats,
    settings: Floats,
    counters: Integers,
    amounts: Floats,
    scalars: Singles,
) -> None:
    """Write progress and budget into the observation."""
    stage = counters[e, STAGE]
    start = stages[stage - 1, STAGE_END] if stage > 0 else 0.0
    queries = counters[e, QUERIES]
    scalars[e, PROGRESS] = queries / settings[HORIZON]
    scalars[e, STAGE_PROGRESS] = (queries - start) / (stages[stage, STAGE_END] - start)
    scalars[e, BUDGET_LEFT] = 1.0 - amounts[e, SEEN_SPEND] / settings[TOTAL_BUDGET]
