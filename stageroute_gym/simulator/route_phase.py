"""The route phase as compiled functions: a query is drawn, served or declined, and booked."""

from __future__ import annotations

from stageroute_gym.simulator.arrays import (
    ACTIVATION_DELAY,
    BUDGET_LEFT,
    CALLS,
    CHOSEN_SIZE,
    COST,
    COST_MULTIPLIER,
    COST_SUM,
    DECLINED,
    FAILURE_RATE,
    FEEDBACK_DELAY,
    FEEDBACK_RATE,
    HORIZON,
    KEY,
    LAST_COST,
    LAST_MODEL,
    LAST_SCORE,
    NO_SCORE,
    OBS_MEAN_COST,
    OBS_MEAN_SCORE,
    OBS_PULLS,
    PENDING_COST,
    PENDING_MODEL,
    PENDING_SCORE,
    PROGRESS,
    PULLS,
    QUERIES,
    QUERY,
    ROW,
    SCORE,
    SCORE_SUM,
    SEEN_SPEND,
    SPEND,
    STAGE,
    STAGE_END,
    STAGE_MIX,
    STAGE_PROGRESS,
    TOTAL_BUDGET,
    TOTAL_SCORE,
    EpisodeArrays,
    WorldArrays,
    index,
    inlined,
)
from stageroute_gym.simulator.draws import FAILURE, FEEDBACK, draw_row, uniform
from stageroute_gym.simulator.rules import add_regret, refill_token_bucket


@inlined
def next_query(e: int, world: WorldArrays, state: EpisodeArrays) -> None:
    """Draw the query to route next and show it."""
    counters, mask = state.counters, state.mask
    mix = int(world.stages[index(counters[e, STAGE]), STAGE_MIX])
    row = draw_row(world.sampler, mix, counters[e, KEY], counters[e, QUERIES])
    counters[e, ROW] = row
    for feature in range(world.features.shape[1]):
        state.scalars[e, QUERY + feature] = world.features[index(row), feature]
    mask[e, mask.shape[1] - 1] = 1


@inlined
def serve(e: int, world: WorldArrays, state: EpisodeArrays, model: int) -> tuple[float, float]:
    """Route the current query to ``model``; a negative one declines it. Its score and cost."""
    add_regret(e, world, state, model)
    if model < 0:
        state.counters[e, DECLINED] += 1
        return 0.0, 0.0
    stage, row = index(state.counters[e, STAGE]), index(state.counters[e, ROW])
    score = world.outcomes[row, model, SCORE]
    failing = world.settings[FAILURE_RATE]
    if failing > 0.0:
        draw = uniform(state.counters[e, KEY], FAILURE + state.counters[e, QUERIES])
        score = 0.0 if draw < failing else score
    cost = world.outcomes[row, model, COST] * world.stage_models[stage, COST_MULTIPLIER, model]
    state.amounts[e, SPEND] += cost
    state.amounts[e, TOTAL_SCORE] += score
    return score, cost


@inlined
def report(
    e: int, world: WorldArrays, state: EpisodeArrays, model: int, score: float, cost: float
) -> None:
    """Pass on the feedback that is due: this query's, or that of ``feedback_delay`` queries ago."""
    rate = world.settings[FEEDBACK_RATE]
    if rate < 1.0 and model >= 0:
        draw = uniform(state.counters[e, KEY], FEEDBACK + state.counters[e, QUERIES])
        score = score if draw < rate else NO_SCORE
    delay = int(world.settings[FEEDBACK_DELAY])
    if delay == 0:
        observe_feedback(e, state, model, score, cost)
        return
    pending = state.pending
    slot = state.counters[e, QUERIES] % delay
    if state.counters[e, QUERIES] >= delay:
        observe_feedback(
            e,
            state,
            int(pending[e, slot, PENDING_MODEL]),
            pending[e, slot, PENDING_SCORE],
            pending[e, slot, PENDING_COST],
        )
    pending[e, slot, PENDING_MODEL] = model
    pending[e, slot, PENDING_SCORE] = score
    pending[e, slot, PENDING_COST] = cost


@inlined
def observe_feedback(e: int, state: EpisodeArrays, model: int, score: float, cost: float) -> None:
    """Book one query's score and cost into the statistics that the agent sees."""
    state.scalars[e, LAST_MODEL] = model
    state.scalars[e, LAST_SCORE] = score
    state.scalars[e, LAST_COST] = cost
    if model < 0:
        return
    totals, fields = state.totals, state.fields
    calls = totals[e, model, CALLS] + 1.0
    cost_sum = totals[e, model, COST_SUM] + cost
    totals[e, model, CALLS] = calls
    totals[e, model, COST_SUM] = cost_sum
    state.amounts[e, SEEN_SPEND] += cost
    fields[e, OBS_MEAN_COST, model] = cost_sum / calls
    if score != NO_SCORE:
        pulls = totals[e, model, PULLS] + 1.0
        score_sum = totals[e, model, SCORE_SUM] + score
        totals[e, model, PULLS] = pulls
        totals[e, model, SCORE_SUM] = score_sum
        fields[e, OBS_PULLS, model] = pulls
        fields[e, OBS_MEAN_SCORE, model] = score_sum / pulls


@inlined
def refill(e: int, world: WorldArrays, state: EpisodeArrays, queries: float) -> None:
    """Give deployed models the tokens of so many queries; show which suffice and are ready."""
    members = state.members[e, index(state.counters[e, STAGE])]
    size = state.counters[e, CHOSEN_SIZE]
    for i in range(size):
        state.mask[e, members[i]] = refill_token_bucket(e, world, state, members[i], queries)
    if world.settings[ACTIVATION_DELAY] > 0.0:
        for i in range(size):
            if state.counters[e, QUERIES] < state.ready[e, members[i]]:
                state.mask[e, members[i]] = 0


@inlined
def observe_books(e: int, world: WorldArrays, state: EpisodeArrays) -> None:
    """Write progress and budget into the observation."""
    stages, scalars = world.stages, state.scalars
    stage = index(state.counters[e, STAGE])
    start = stages[stage - index(1), STAGE_END] if stage > 0 else 0.0
    queries = state.counters[e, QUERIES]
    scalars[e, PROGRESS] = queries / world.settings[HORIZON]
    scalars[e, STAGE_PROGRESS] = (queries - start) / (stages[stage, STAGE_END] - start)
    seen = state.amounts[e, SEEN_SPEND] / world.settings[TOTAL_BUDGET]
    scalars[e, BUDGET_LEFT] = 1.0 - seen
