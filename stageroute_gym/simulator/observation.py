"""What an agent sees: the fields of the observation, their place in a flat row, their spaces."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from stageroute_gym.simulator.arrays import (
    BUDGET_LEFT,
    LAST_COST,
    LAST_MODEL,
    LAST_SCORE,
    NUM_FIELDS,
    OBS_PHASE,
    PROGRESS,
    QUERY,
    STAGE_PROGRESS,
)
from stageroute_gym.simulator.world import World

Observation = dict[str, NDArray[Any]]

# Where the parts of the observation lie: nine in `fields`, the others in `scalars`, whose indexes
# for a batch name its axis too.
_SCALARS = (
    slice(OBS_PHASE, OBS_PHASE + 1),
    slice(PROGRESS, STAGE_PROGRESS + 1),
    slice(BUDGET_LEFT, BUDGET_LEFT + 1),
    slice(LAST_MODEL, LAST_MODEL + 1),
    slice(LAST_SCORE, LAST_SCORE + 1),
    slice(LAST_COST, LAST_COST + 1),
    slice(QUERY, None),
)
_ONE: tuple[Any, ...] = (*range(NUM_FIELDS), *_SCALARS)
_BATCH: tuple[Any, ...] = (*range(NUM_FIELDS), *((slice(None), part) for part in _SCALARS))


def make_observation(
    fields: NDArray[np.float32],
    scalars: NDArray[np.float32],
    mask: NDArray[np.int8],
    *,
    batched: bool = False,
) -> Observation:
    """The observation as a dictionary of views of these arrays.

    Args:
        fields: shape (9, N), or (E, 9, N) for a batch.
        scalars: shape (7 + F,), or (E, 7 + F).
        mask: shape (N + 1,), or (E, N + 1).
        batched: whether they are those of a batch.
    """
    if batched:
        fields = fields.swapaxes(0, 1)
    # Local names and a literal, since that is by far the fastest way to such a dictionary.
    (
        available,
        deployed,
        previous,
        pulls,
        mean_score,
        mean_cost,
        list_price,
        throughput,
        tokens,
        phase,
        progress,
        budget_left,
        last_action,
        last_score,
        last_cost,
        query,
    ) = _BATCH if batched else _ONE
    return {
        "action_mask": mask,
        "available": fields[available],
        "budget_left": scalars[budget_left],
        "deployed": fields[deployed],
        "last_action": scalars[last_action],
        "last_cost": scalars[last_cost],
        "last_score": scalars[last_score],
        "list_price": fields[list_price],
        "mean_cost": fields[mean_cost],
        "mean_score": fields[mean_score],
        "phase": scalars[phase],
        "previous": fields[previous],
        "progress": scalars[progress],
        "pulls": fields[pulls],
        "query": scalars[query],
        "throughput": fields[throughput],
        "tokens": fields[tokens],
    }


def observation_space(world: World) -> spaces.Dict:
    """The observation space of a world: one-level ``Dict`` of boxes with finite bounds."""
    problem, table, n = world.problem, world.table, world.num_models
    highest_cost = world.cost_bounds[1]
    most_spent = problem.horizon * highest_cost + problem.deployment_cost * (
        n * world.schedule.num_stages
    )

    def box(
        low: NDArray[np.float64] | float, high: NDArray[np.float64] | float, size: int
    ) -> spaces.Box:
        lower, upper = np.broadcast_to(low, size), np.broadcast_to(high, size)
        # Where a world leaves but one value: no box is degenerate, which rescaling would divide by.
        upper = np.where(upper > lower, upper, lower + 1.0).astype(np.float32)
        # One float32 step outwards, so that rounding never leaves the box.
        outside = np.nextafter(lower.astype(np.float32), np.float32(-np.inf))
        outside = np.where(lower == 0, np.float32(0), outside)
        return spaces.Box(outside, np.nextafter(upper, np.float32(np.inf)), dtype=np.float32)

    # All worlds of a scenario share a space, also where each seed draws its own.
    shared = world.declared_costs is not None
    features = (
        np.array([[-1.0], [1.0]]) * np.ones(table.features.shape[1]) if shared else (table.features)
    )
    return spaces.Dict(
        {
            "action_mask": spaces.Box(0, 1, (n + 1,), np.int8),
            "available": box(0, 1, n),
            "budget_left": box(min(1 - most_spent / problem.total_budget, 0), 1, 1),
            "deployed": box(0, 1, n),
            "last_action": box(-1, n - 1, 1),
            "last_cost": box(0, highest_cost, 1),
            # -1 where a score does not come back.
            "last_score": box(-1 if problem.feedback_rate < 1 else 0, 1, 1),
            "list_price": box(0, max(float(table.list_price.max()), highest_cost), n),
            "mean_cost": box(0, highest_cost, n),
            "mean_score": box(0, 1, n),
            "phase": box(0, 1, 1),
            "previous": box(0, 1, n),
            "progress": box(0, 1, 2),
            "pulls": box(0, problem.horizon, n),
            "query": box(
                np.minimum(features.min(axis=0), 0),
                np.maximum(features.max(axis=0), 0),
                features.shape[1],
            ),
            "throughput": box(0, 1, n),
            "tokens": box(0, problem.burst, n),
        }
    )
