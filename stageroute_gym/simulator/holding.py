"""One action for many queries: the kernels that step an episode until its decision is due."""

from __future__ import annotations

from typing import Any

from numba import njit

from stageroute_gym.simulator.arrays import PHASE, ROUTE, STEP_COST, STEP_SCORE
from stageroute_gym.simulator.kernels import step_continuous, step_discrete


@njit(cache=True, inline="always")
def _row(state: Any, e: int) -> Any:
    """The state of one episode, as a batch of one."""
    (
        finished,
        counters,
        amounts,
        routing,
        tokens,
        members,
        totals,
        pending,
        fields,
        scalars,
        mask,
    ) = state
    one = slice(e, e + 1)
    return (
        finished[one],
        counters[one],
        amounts[one],
        routing[one],
        tokens[one],
        members[one],
        totals[one],
        pending[one],
        fields[one],
        scalars[one],
        mask[one],
    )


@njit(cache=True)
def hold_discrete(world: Any, state: Any, actions: Any, queries: int) -> None:
    """Hold each row's action of `StageRoute-v0`; score and cost of the step become the sums."""
    finished, counters, amounts, mask = state[0], state[1], state[2], state[10]
    for e in range(actions.shape[0]):
        arguments = world + _row(state, e) + (actions[e : e + 1],)
        holding = counters[e, PHASE] == ROUTE and not finished[e]
        score, cost = 0.0, 0.0
        for _ in range(queries if holding else 1):
            step_discrete(*arguments)
            score += amounts[e, STEP_SCORE]
            cost += amounts[e, STEP_COST]
            if finished[e] or counters[e, PHASE] != ROUTE or not mask[e, actions[e]]:
                break
        amounts[e, STEP_SCORE], amounts[e, STEP_COST] = score, cost


@njit(cache=True)
def hold_continuous(world: Any, state: Any, actions: Any, queries: int) -> None:
    """Hold each row's shares of `StageRouteContinuous-v0`; see `hold_discrete`."""
    finished, counters, amounts = state[0], state[1], state[2]
    for e in range(actions.shape[0]):
        arguments = world + _row(state, e) + (actions[e : e + 1],)
        holding = counters[e, PHASE] == ROUTE and not finished[e]
        score, cost = 0.0, 0.0
        for _ in range(queries if holding else 1):
            step_continuous(*arguments)
            score += amounts[e, STEP_SCORE]
            cost += amounts[e, STEP_COST]
            if finished[e] or counters[e, PHASE] != ROUTE:
                break
        amounts[e, STEP_SCORE], amounts[e, STEP_COST] = score, cost
