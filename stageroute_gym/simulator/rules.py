"""The rules of an episode as compiled functions: token bucket, budget, regret."""

from __future__ import annotations

from stageroute_gym.simulator.arrays import (
    BURST,
    DEPLOYMENT_COST,
    HARD_BUDGET,
    HORIZON,
    OBS_TOKENS,
    ORACLE_SCORE,
    QUERIES,
    REGRET,
    SEEN_SPEND,
    SPEND,
    STAGE,
    STAGE_END,
    STAGE_VALUE,
    THROUGHPUT,
    TOTAL_BUDGET,
    TRUE_SCORE,
    EpisodeArrays,
    WorldArrays,
    index,
    inlined,
    kernel,
)


@inlined
def fill_token_buckets(e: int, world: WorldArrays, state: EpisodeArrays) -> None:
    """Token bucket, at the start of an episode: every bucket is full, this once."""
    burst = world.settings[BURST]
    for m in range(state.tokens.shape[1]):
        state.tokens[e, m] = burst
        state.fields[e, OBS_TOKENS, m] = burst


@inlined
def take_token(e: int, state: EpisodeArrays, model: int) -> None:
    """Token bucket: serving a query takes one token."""
    state.tokens[e, model] -= 1.0


@inlined
def refill_token_bucket(
    e: int, world: WorldArrays, state: EpisodeArrays, model: int, queries: float
) -> bool:
    """Token bucket of a deployed model: ``alpha`` tokens a query, up to ``burst``.

    A model that is not deployed keeps its level. So, whatever the sets, a model serves at most
    ``alpha`` of the queries of the stages it was deployed in, plus one burst.

    Returns:
        Whether there is a token for the next query.
    """
    filled = state.tokens[e, model] + queries * world.models[THROUGHPUT, model]
    held = min(world.settings[BURST], filled)
    state.tokens[e, model] = held
    state.fields[e, OBS_TOKENS, model] = held
    return held >= 1.0


@inlined
def charge_activation(e: int, world: WorldArrays, state: EpisodeArrays) -> None:
    """Budget: a newly deployed model costs ``deployment_cost``, which is seen at once."""
    state.amounts[e, SPEND] += world.settings[DEPLOYMENT_COST]
    state.amounts[e, SEEN_SPEND] += world.settings[DEPLOYMENT_COST]


@inlined
def is_over(e: int, world: WorldArrays, state: EpisodeArrays) -> bool:
    """Budget rule: the horizon or, under ``hard``, the end of the budget ends the episode."""
    spent = state.amounts[e, SPEND] >= world.settings[TOTAL_BUDGET]
    broke = world.settings[HARD_BUDGET] > 0.0 and spent
    return broke or state.counters[e, QUERIES] >= world.settings[HORIZON]


@inlined
def add_regret(e: int, world: WorldArrays, state: EpisodeArrays, model: int) -> None:
    """Regret of a query: ``V_k`` less the true mean score of its model, 0 if it was declined."""
    expected = 0.0
    if model >= 0:
        expected = world.stage_models[index(state.counters[e, STAGE]), TRUE_SCORE, index(model)]
    state.amounts[e, REGRET] += state.amounts[e, ORACLE_SCORE] - expected


@kernel
def add_regret_of_the_rest(e: int, world: WorldArrays, state: EpisodeArrays) -> None:
    """Regret at the end: the queries never reached count as declined, ``V_k`` each."""
    reached = float(state.counters[e, QUERIES])
    for stage in range(state.counters[e, STAGE], world.stages.shape[0]):
        end = world.stages[stage, STAGE_END]
        state.amounts[e, REGRET] += (end - reached) * world.stages[stage, STAGE_VALUE]
        reached = end
