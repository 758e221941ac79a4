"""What an agent sees: the fields of the observation, their place in a flat row, their spaces."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from stageroute_gym.world import World

Observation = dict[str, NDArray[Any]]

# Second axis of `fields`, shape (E, 9, N), float32.
NUM_FIELDS = 9
(
    OBS_AVAILABLE,
    OBS_DEPLOYED,
    OBS_PREVIOUS,
    OBS_PULLS,
    OBS_MEAN_SCORE,
    OBS_MEAN_COST,
    OBS_LIST_PRICE,
    OBS_THROUGHPUT,
    OBS_TOKENS,
) = range(NUM_FIELDS)
# Entries of `scalars`, shape (E, 7 + F), float32; the query's features are the last.
OBS_PHASE, PROGRESS, STAGE_PROGRESS, BUDGET_LEFT, LAST_MODEL, LAST_SCORE, LAST_COST = range(7)
QUERY = 7

# Where the parts of the observation lie in `scalars`, of one environment and of a batch.
_PARTS: tuple[Any, ...] = (
    slice(OBS_PHASE, OBS_PHASE + 1),
    slice(PROGRESS, STAGE_PROGRESS + 1),
    slice(BUDGET_LEFT, BUDGET_LEFT + 1),
    slice(LAST_MODEL, LAST_MODEL + 1),
    slice(LAST_SCORE, LAST_SCORE + 1),
    slice(LAST_COST, LAST_COST + 1),
    slice(QUERY, None),
)
_BATCHED: tuple[Any, ...] = tuple((slice(None), part) for part in _PARTS)


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
    parts = _PARTS
    if batched:
        fields, parts = fields.swapaxes(0, 1), _BATCHED
    phase, progress, budget_left, last_action, last_score, last_cost, query = parts
    # A literal, since it is by far the fastest way to make a dictionary of this size.
    return {
        "action_mask": mask,
        "available": fields[OBS_AVAILABLE],
        "budget_left": scalars[budget_left],
        "deployed": fields[OBS_DEPLOYED],
        "last_action": scalars[last_action],
        "last_cost": scalars[last_cost],
        "last_score": scalars[last_score],
        "list_price": fields[OBS_LIST_PRICE],
        "mean_cost": fields[OBS_MEAN_COST],
        "mean_score": fields[OBS_MEAN_SCORE],
        "phase": scalars[phase],
        "previous": fields[OBS_PREVIOUS],
        "progress": scalars[progress],
        "pulls": fields[OBS_PULLS],
        "query": scalars[query],
        "throughput": fields[OBS_THROUGHPUT],
        "tokens": fields[OBS_TOKENS],
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
        # One float32 step outwards, so that rounding never leaves the box.
        lower = np.nextafter(np.float32(low), np.float32(-np.inf)) * np.ones(size, np.float32)
        upper = np.nextafter(np.float32(high), np.float32(np.inf)) * np.ones(size, np.float32)
        lower = np.where(np.broadcast_to(low, size) == 0, np.float32(0), lower)
        return spaces.Box(lower, upper, dtype=np.float32)

    features = table.features
    return spaces.Dict(
        {
            "action_mask": spaces.Box(0, 1, (n + 1,), np.int8),
            "available": box(0, 1, n),
            "budget_left": box(1 - most_spent / problem.total_budget, 1, 1),
            "deployed": box(0, 1, n),
            "last_action": box(-1, n - 1, 1),
            "last_cost": box(0, highest_cost, 1),
            "last_score": box(0, 1, 1),
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
