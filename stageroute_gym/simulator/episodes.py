"""Episodes in progress: what the single and the vector environment share."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.simulator import holding, kernels
from stageroute_gym.simulator.arrays import (
    ACTIVATIONS,
    DECLINED,
    INVALID,
    KEY,
    MODEL,
    ORACLE_SCORE,
    PHASE,
    QUERIES,
    REGRET,
    ROUTE,
    SPEND,
    STAGE,
    STEP_COST,
    STEP_SCORE,
    TOTAL_SCORE,
    EpisodeArrays,
    WorldArrays,
)
from stageroute_gym.simulator.observation import Observation, make_observation
from stageroute_gym.simulator.world import World


class Episodes:
    """``E`` episodes of one world, advanced together by one compiled kernel.

    Args:
        world: the world that all of them play in.
        num_envs: number of episodes ``E``.
        continuous: whether actions are shares, as in `StageRouteContinuous-v0`.

    Attributes:
        world: the world.
        num_envs: number of episodes.
        state: their state; only the kernels change it.
        step: applies one action to each episode, shape (E,), int64, or (E, N), float32.
    """

    def __init__(self, world: World, num_envs: int, *, continuous: bool) -> None:
        self.world = world
        self.num_envs = num_envs
        self.state = EpisodeArrays.start(world.arrays, num_envs)
        self._continuous = continuous
        self._bind()

    def _bind(self) -> None:
        self._kernel: Any = kernels.step_continuous if self._continuous else kernels.step_discrete
        self._hold: Any = holding.hold_continuous if self._continuous else holding.hold_discrete
        # A partial and not a method, which would cost a single environment another 2 %.
        self.step: Callable[[NDArray[Any]], None] = partial(
            self._kernel, *self.world.arrays, *self.state
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
        self._hold(self.world.arrays, self.state, actions, queries)

    def serve(self, server: Callable[[WorldArrays, EpisodeArrays], None]) -> None:
        """Have a compiled policy route in all episodes that share a world, one world after another.

        Args:
            server: advances the episodes that it is given, as far as it wants.
        """
        server(self.world.arrays, self.state)

    def reset(self, rows: NDArray[np.int64], keys: NDArray[np.uint64]) -> None:
        """Start new episodes.

        Args:
            rows: which of them, shape (R,), int64.
            keys: the random numbers that decide all their draws, shape (R,), uint64.
        """
        self.restart_at_next_step(rows, keys)
        state: list[NDArray[Any]] = [array[rows] for array in self.state]
        shape = (len(rows), self.world.num_models) if self._continuous else (len(rows),)
        no_actions = np.zeros(shape, np.float32 if self._continuous else np.int64)
        self._kernel(*self.world.arrays, *state, no_actions)
        arrays: tuple[NDArray[Any], ...] = self.state
        for array, updated in zip(arrays, state, strict=True):
            array[rows] = updated

    def restart_at_next_step(self, rows: NDArray[np.int64], keys: NDArray[np.uint64]) -> None:
        """Have the next step reset some episodes, whatever their actions; see `reset`."""
        self.state.finished[rows] = True
        self.state.counters[rows, KEY] = keys.view(np.int64)

    def observation(self, row: int) -> Observation:
        """The observation of one episode."""
        state = self.state
        return make_observation(
            state.fields[row].copy(), state.scalars[row].copy(), state.mask[row].copy()
        )

    def observations(self) -> Observation:
        """The observations of all, with a leading axis ``E``."""
        state = self.state
        return make_observation(
            state.fields.copy(), state.scalars.copy(), state.mask.copy(), batched=True
        )

    def deployed_sets(self, row: int) -> NDArray[np.bool_]:
        """The models of each stage of one episode, none from the current one on, shape (K, N)."""
        sets = np.zeros((self.world.schedule.num_stages, self.world.num_models + 1), np.bool_)
        for stage in range(self.state.counters[row, STAGE]):
            sets[stage, self.state.members[row, stage]] = True
        return sets[:, :-1]

    def info(self, row: int) -> dict[str, Any]:
        """The ``info`` of one episode."""
        return info_fields(self.state.counters[row].tolist(), self.state.amounts[row].tolist())

    def infos(self, selected: NDArray[np.bool_] | None = None) -> dict[str, NDArray[Any]]:
        """The ``info`` of all, shape (E,) each; with ``selected``, shape (E,), 0 for the others."""
        counters, amounts = self.state.counters.copy(), self.state.amounts.copy()
        if selected is not None:
            counters[~selected] = 0
            amounts[~selected] = 0.0
        return info_fields(counters.T, amounts.T)

    def scores(self) -> NDArray[np.float64]:
        """Score of each episode's last step, shape (E,), float64."""
        return self.state.amounts[:, STEP_SCORE].copy()

    def spend(self) -> NDArray[np.float64]:
        """USD that each episode has spent, shape (E,), float64."""
        return self.state.amounts[:, SPEND].copy()

    def queries(self) -> NDArray[np.int64]:
        """Queries that each episode has consumed, shape (E,), int64."""
        return self.state.counters[:, QUERIES].copy()

    def total_score(self, row: int) -> float:
        """Score of one episode so far."""
        return float(self.state.amounts[row, TOTAL_SCORE])

    def is_routing(self, row: int) -> bool:
        """Whether a query of that episode waits to be routed; models are being deployed else."""
        return bool(self.state.counters[row, PHASE] == ROUTE)

    def is_over(self, row: int) -> bool:
        """Whether that episode is over."""
        return bool(self.state.finished[row])


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
