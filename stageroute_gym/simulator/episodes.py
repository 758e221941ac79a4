"""Episodes in progress: what the single and the vector environment share."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.simulator import arrays, holding, kernels
from stageroute_gym.simulator.arrays import (
    ACTIVATIONS,
    DECLINED,
    INVALID,
    MODEL,
    ORACLE_SCORE,
    QUERIES,
    REGRET,
    SPEND,
    STAGE,
    STEP_COST,
    STEP_SCORE,
)
from stageroute_gym.simulator.observation import NUM_FIELDS, QUERY
from stageroute_gym.simulator.world import World


class Episodes:
    """State of ``E`` episodes of one world, advanced together by one compiled kernel.

    Args:
        world: the world that all of them play in.
        num_envs: number of episodes ``E``.
        continuous: whether actions are shares, as in `StageRouteContinuous-v0`.

    Attributes:
        step: applies one action to each episode, shape (E,), int64, or (E, N), float32.
    """

    def __init__(self, world: World, num_envs: int, *, continuous: bool) -> None:
        n = world.num_models
        slots = min(world.problem.max_deployed, n)
        self.world = world
        self.num_envs = num_envs
        self.finished = np.zeros(num_envs, np.bool_)
        self.counters = np.zeros((num_envs, arrays.NUM_COUNTERS), np.int64)
        self.amounts = np.zeros((num_envs, arrays.NUM_AMOUNTS), np.float64)
        self.fields = np.zeros((num_envs, NUM_FIELDS, n), np.float32)
        self.scalars = np.zeros((num_envs, QUERY + world.table.features.shape[1]), np.float32)
        self.masks = np.zeros((num_envs, n + 1), np.int8)
        self._state: tuple[NDArray[Any], ...] = (
            self.finished,
            self.counters,
            self.amounts,
            np.zeros((num_envs, 2, slots), np.float64),
            np.zeros((num_envs, n), np.float64),
            np.zeros((num_envs, slots), np.uint32),
            np.zeros((num_envs, n, arrays.NUM_TOTALS), np.float64),
            np.zeros((num_envs, world.problem.feedback_delay, 3), np.float64),
            self.fields,
            self.scalars,
            self.masks,
        )
        self._continuous = continuous
        self._bind()

    def _bind(self) -> None:
        self._kernel: Any = kernels.step_continuous if self._continuous else kernels.step_discrete
        self._hold: Any = holding.hold_continuous if self._continuous else holding.hold_discrete
        # A partial and not a method, which would cost a single environment another 2 %.
        self.step: Callable[[NDArray[Any]], None] = partial(
            self._kernel, *self.world.arrays, *self._state
        )

    def __getstate__(self) -> dict[str, Any]:
        """All but the compiled kernel, which each process loads for itself."""
        return {k: v for k, v in self.__dict__.items() if k not in ("_kernel", "_hold", "step")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._bind()

    def hold(self, actions: NDArray[Any], queries: int) -> None:
        """Apply one action to each episode, and go on with it for up to ``queries`` queries.

        A deploy step is one step. A routing decision ends early with the stage, with the episode,
        or, with discrete actions, as soon as the mask forbids it. Score and cost of the step are
        sums over its queries.

        Args:
            actions: as for ``step``.
            queries: how many queries a routing decision holds for, at least 1.
        """
        self._hold(self.world.arrays, self._state, actions, queries)

    def reset(self, rows: NDArray[np.int64], keys: NDArray[np.uint64]) -> None:
        """Start new episodes.

        Args:
            rows: which of them, shape (R,), int64.
            keys: the random numbers that decide all their draws, shape (R,), uint64.
        """
        self.restart_at_next_step(rows, keys)
        state = [array[rows] for array in self._state]
        shape = (len(rows), self.world.num_models) if self._continuous else (len(rows),)
        no_actions = np.zeros(shape, np.float32 if self._continuous else np.int64)
        self._kernel(*self.world.arrays, *state, no_actions)
        for array, updated in zip(self._state, state, strict=True):
            array[rows] = updated

    def restart_at_next_step(self, rows: NDArray[np.int64], keys: NDArray[np.uint64]) -> None:
        """Have the next step reset some episodes, whatever their actions; see `reset`."""
        self.finished[rows] = True
        self.counters[rows, arrays.KEY] = keys.view(np.int64)


def draw_key(generator: np.random.Generator) -> NDArray[np.uint64]:
    """Draw the number that decides all draws of one episode, shape (1,), uint64."""
    return generator.integers(0, 2**64, size=1, dtype=np.uint64)


def info_fields(counters: Any, amounts: Any) -> dict[str, Any]:
    """What ``info`` holds.

    Args:
        counters: the state's counters, with the column as first index.
        amounts: the state's amounts, with the column as first index.
    """
    return {
        "stage": counters[STAGE],
        "t": counters[QUERIES],
        "model": counters[MODEL],
        "score": amounts[STEP_SCORE],
        "cost": amounts[STEP_COST],
        "spend": amounts[SPEND],
        "oracle_score": amounts[ORACLE_SCORE],
        "regret": amounts[REGRET],
        "declined": counters[DECLINED],
        "invalid_actions": counters[INVALID],
        "activations": counters[ACTIVATIONS],
    }
