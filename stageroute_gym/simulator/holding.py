"""One action for many queries: the kernels that step an episode until its decision is due."""

from __future__ import annotations

from stageroute_gym.array_types import Integers, Singles
from stageroute_gym.simulator.arrays import (
    PHASE,
    ROUTE,
    STEP_COST,
    STEP_SCORE,
    EpisodeArrays,
    WorldArrays,
    kernel,
)
from stageroute_gym.simulator.kernels import advance_continuous, advance_discrete


@kernel
def hold_discrete(
    world: WorldArrays, state: EpisodeArrays, actions: Integers, queries: int
) -> None:
    """Hold each row's action for up to ``queries`` queries; step score and cost become the sums.

    A decision ends early with the stage, with the episode, or as soon as the mask forbids it. A
    deploy step and a reset take one step.
    """
    for e in range(actions.shape[0]):
        holding = state.counters[e, PHASE] == ROUTE and not state.finished[e]
        score, cost = 0.0, 0.0
        for _ in range(queries if holding else 1):
            advance_discrete(e, world, state, actions)
            score += state.amounts[e, STEP_SCORE]
            cost += state.amounts[e, STEP_COST]
            deploying = state.counters[e, PHASE] != ROUTE
            if state.finished[e] or deploying or not state.mask[e, actions[e]]:
                break
        state.amounts[e, STEP_SCORE], state.amounts[e, STEP_COST] = score, cost


@kernel
def hold_continuous(
    world: WorldArrays, state: EpisodeArrays, actions: Singles, queries: int
) -> None:
    """As `hold_discrete`, for shares, which no mask forbids."""
    for e in range(actions.shape[0]):
        holding = state.counters[e, PHASE] == ROUTE and not state.finished[e]
        score, cost = 0.0, 0.0
        for _ in range(queries if holding else 1):
            advance_continuous(e, world, state, actions)
            score += state.amounts[e, STEP_SCORE]
            cost += state.amounts[e, STEP_COST]
            if state.finished[e] or state.counters[e, PHASE] != ROUTE:
                break
        state.amounts[e, STEP_SCORE], state.amounts[e, STEP_COST] = score, cost
