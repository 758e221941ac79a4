"""What an agent sees: the fields of the observation, their place in a flat row, their spaces."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from stageroute_gym.world import World

Observation = dict[str, NDArray[Any]]

# A row starts with one block of N entries for each of these fields.
NUM_MODEL_FIELDS = 9
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
) = range(NUM_MODEL_FIELDS)
# After the blocks, counted from their end.
OBS_PHASE, PROGRESS, STAGE_PROGRESS, BUDGET_LEFT, LAST_MODEL, LAST_SCORE, LAST_COST = range(7)
QUERY = 7


def row_size(num_models: int, num_features: int) -> int:
    """Length of a flat row for ``N`` models and ``F`` query features."""
    return num_models * NUM_MODEL_FIELDS + QUERY + num_features


class ObservationLayout:
    """Where each field lies in a flat row of an observation.

    Args:
        num_models: number of models ``N``.
        num_features: number of query features ``F``.
        batched: whether the rows come as a matrix, one a row, instead of a single one.
    """

    def __init__(self, num_models: int, num_features: int, *, batched: bool) -> None:
        scalars = num_models * NUM_MODEL_FIELDS
        blocks = [slice(i * num_models, (i + 1) * num_models) for i in range(NUM_MODEL_FIELDS)]
        singles = [
            slice(scalars + first, scalars + last + 1)
            for first, last in (
                (OBS_PHASE, OBS_PHASE),
                (PROGRESS, STAGE_PROGRESS),
                (BUDGET_LEFT, BUDGET_LEFT),
                (LAST_MODEL, LAST_MODEL),
                (LAST_SCORE, LAST_SCORE),
                (LAST_COST, LAST_COST),
            )
        ]
        parts = [*blocks, *singles, slice(scalars + QUERY, row_size(num_models, num_features))]
        self._parts: list[Any] = [(slice(None), part) for part in parts] if batched else parts

    def fields(self, rows: NDArray[np.float32], masks: NDArray[np.int8]) -> Observation:
        """The observation that flat rows and masks hold, as views of them."""
        # A literal, since it is by far the fastest way to make a dictionary of this size.
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
        ) = self._parts
        return {
            "action_mask": masks,
            "available": rows[available],
            "budget_left": rows[budget_left],
            "deployed": rows[deployed],
            "last_action": rows[last_action],
            "last_cost": rows[last_cost],
            "last_score": rows[last_score],
            "list_price": rows[list_price],
            "mean_cost": rows[mean_cost],
            "mean_score": rows[mean_score],
            "phase": rows[phase],
            "previous": rows[previous],
            "progress": rows[progress],
            "pulls": rows[pulls],
            "query": rows[query],
            "throughput": rows[throughput],
            "tokens": rows[tokens],
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
