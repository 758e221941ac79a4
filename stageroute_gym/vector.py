"""The native vector environments: many episodes of one scenario behind one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar, TypeGuard

import numpy as np
from gymnasium import spaces
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from stageroute_gym import scenarios
from stageroute_gym.context import AgentContext
from stageroute_gym.errors import FieldError
from stageroute_gym.problem import Problem
from stageroute_gym.scenarios import Scenario
from stageroute_gym.simulator import arrays
from stageroute_gym.simulator.actions import action_space, model_numbers, model_weights
from stageroute_gym.simulator.episodes import draw_key, info_fields
from stageroute_gym.simulator.observation import Observation, make_observation, observation_space
from stageroute_gym.simulator.seeded import SeededEpisodes, make_episodes
from stageroute_gym.simulator.world import World

Info = dict[str, NDArray[Any]]


class StageRouteVectorEnv(VectorEnv[Observation, NDArray[Any], NDArray[Any]]):
    """``E`` copies of `StageRoute-v0`, advanced by the same kernels as the single environment.

    Made by ``gymnasium.make_vec("StageRoute-v0", num_envs=E,
    vectorization_mode="vector_entry_point")``. Sub-environment ``i`` of a reset with ``seed=s``
    equals, to the bit, a single environment that was reset with ``seed=s + i``. An episode that is
    over starts anew at the next step, whose action it ignores (autoreset mode NEXT_STEP).

    Args:
        num_envs: number of environments ``E``, at least 1.
        scenario: as for `stageroute_gym.env.StageRouteEnv`, like the further arguments.

    Raises:
        FieldError: if an argument is not allowed.
    """

    metadata = {  # noqa: RUF012 - Gymnasium's attribute
        "autoreset_mode": AutoresetMode.NEXT_STEP
    }
    continuous: ClassVar[bool] = False

    def __init__(
        self, num_envs: int = 1, *, scenario: str | Scenario = "routerbench", **overrides: Any
    ) -> None:
        if not _is_integer(num_envs) or num_envs < 1:
            raise FieldError("num_envs", num_envs, "an integer of at least 1")
        self.num_envs = int(num_envs)
        self.scenario: Scenario = scenarios.get(scenario, **overrides)
        self.problem: Problem = self.scenario.problem
        self._episodes = make_episodes(
            self.scenario.world,
            self.num_envs,
            per_seed=self.scenario.per_seed,
            continuous=self.continuous,
        )
        world = self._episodes.world
        self.models: tuple[str, ...] = world.table.models
        self.cost_bounds: tuple[float, float] = world.cost_bounds
        self.single_observation_space: spaces.Dict = observation_space(world)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.single_action_space = action_space(len(self.models), continuous=self.continuous)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._everyone = np.ones(self.num_envs, np.bool_)
        # Gymnasium's infos tell with `_key` for which environments `key` holds.
        shown = info_fields(self._episodes.counters.T, self._episodes.amounts.T)
        self._info_masks = [f"_{key}" for key in shown]
        self._generators: list[np.random.Generator] = []
        self._seeds: list[int] = []

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Observation, Info]:
        """Start new episodes.

        Args:
            seed: ``s`` seeds sub-environment ``i`` with ``s + i``; a sequence seeds each with its
                own entry; None goes on with the generators as they are.
            options: ``reset_mask``, shape (E,), bool, limits the reset to some sub-environments.

        Raises:
            FieldError: if a seed or the mask is not allowed; nothing is reset then.
        """
        rows = self._rows_to_reset(options)
        seeds = self._seed_list(seed)
        self._seed(rows, seeds)
        self._enter_worlds(rows, seeds)
        self._episodes.reset(rows, self._draw_keys(rows))
        selected = np.zeros(self.num_envs, np.bool_)
        selected[rows] = True
        return self._observe(), self._infos(selected, partial=len(rows) < self.num_envs)

    def step(
        self, actions: NDArray[Any]
    ) -> tuple[Observation, NDArray[Any], NDArray[Any], NDArray[Any], Info]:
        """Apply one decision in every sub-environment, or reset those that are over.

        Args:
            actions: shape (E,), integer, or (E, N), float, for the continuous environment.

        Raises:
            InvalidAction: if an action is not allowed; no sub-environment has moved then.
        """
        return self._advance(actions, self._episodes.step)

    def hold(
        self, actions: NDArray[Any], queries: int
    ) -> tuple[Observation, NDArray[Any], NDArray[Any], NDArray[Any], Info]:
        """As `step`, but each routing decision holds for up to ``queries`` queries.

        See `stageroute_gym.simulator.episodes.Episodes.hold`; rewards, and scores and costs in the
        infos, are sums over these queries.

        Args:
            actions: as for `step`.
            queries: how many queries a routing decision holds for, at least 1.

        Raises:
            InvalidAction: if an action is not allowed; no sub-environment has moved then.
        """
        return self._advance(actions, partial(self._episodes.hold, queries=queries))

    def _advance(
        self, actions: Any, advance: Callable[[NDArray[Any]], None]
    ) -> tuple[Observation, NDArray[Any], NDArray[Any], NDArray[Any], Info]:
        """As `step`, with ``advance`` to apply checked actions to the episodes."""
        if not self._generators:
            raise FieldError("step", "before reset", "a call of reset() first")
        episodes = self._episodes
        checked = self._checked(actions)
        if np.count_nonzero(episodes.finished):
            over = np.flatnonzero(episodes.finished)
            self._enter_worlds(over, [None] * self.num_envs)
            episodes.restart_at_next_step(over, self._draw_keys(over))
        advance(checked)
        return (
            self._observe(),
            self._rewards(),
            episodes.finished.copy(),
            np.zeros(self.num_envs, np.bool_),
            self._infos(self._everyone.copy()),
        )

    @property
    def world(self) -> World:
        """The world of all sub-environments.

        Raises:
            FieldError: if each of several plays in a world of its own.
        """
        if self.scenario.per_seed and self.num_envs > 1:
            allowed = (
                "one whose episodes share a world; `worlds` has that of each sub-environment, and "
                "`Scenario.of_seed` makes a scenario of one seed's world"
            )
            raise FieldError("scenario", self.scenario.name, allowed)
        return self._episodes.world

    @property
    def worlds(self) -> tuple[World, ...]:
        """The world of each sub-environment's episode."""
        if isinstance(self._episodes, SeededEpisodes):
            return tuple(self._episodes.worlds)
        return (self._episodes.world,) * self.num_envs

    @property
    def agent_context(self) -> AgentContext:
        """What an agent for this environment may know."""
        return self.world.agent_context(continuous=self.continuous)

    def action_masks(self) -> NDArray[np.bool_]:
        """Which actions are allowed now, shape (E, N + 1), bool; the last column is PASS."""
        return self._episodes.masks.astype(np.bool_)

    @property  # type: ignore[misc]
    def np_random(self) -> tuple[np.random.Generator, ...]:  # type: ignore[override]
        """The sub-environments' generators."""
        return tuple(self._generators)

    @property
    def np_random_seed(self) -> tuple[int, ...]:  # type: ignore[override]
        """The seeds of the sub-environments' generators."""
        return tuple(self._seeds)

    def _checked(self, actions: Any) -> NDArray[Any]:
        return model_numbers(actions, (self.num_envs,), len(self.models))

    def _rows_to_reset(self, options: dict[str, Any] | None) -> NDArray[np.int64]:
        mask = (options or {}).get("reset_mask")
        if mask is None:
            return np.arange(self.num_envs)
        allowed = f"a bool array of shape ({self.num_envs},) with at least one True"
        fits = isinstance(mask, np.ndarray) and mask.shape == (self.num_envs,)
        if not fits or mask.dtype != np.bool_ or not mask.any():
            raise FieldError("options['reset_mask']", mask, allowed)
        if not self._generators and not mask.all():
            raise FieldError("options['reset_mask']", mask, "all True at the first reset")
        return np.flatnonzero(mask)

    def _seed_list(self, seed: int | Sequence[int | None] | None) -> list[int | None]:
        if seed is None:
            return [None] * self.num_envs
        allowed = f"an integer >= 0, or a list of {self.num_envs} such integers or None"
        if _is_integer(seed):
            seeds: list[int | None] = [int(seed) + i for i in range(self.num_envs)]
        elif isinstance(seed, (list, tuple, np.ndarray)):
            seeds = list(seed)
        else:
            raise FieldError("seed", seed, allowed)
        if len(seeds) != self.num_envs:
            raise FieldError("seed", seed, allowed)
        if not all(entry is None or (_is_integer(entry) and entry >= 0) for entry in seeds):
            raise FieldError("seed", seed, allowed)
        return [None if entry is None else int(entry) for entry in seeds]

    def _seed(self, rows: NDArray[np.int64], seeds: list[int | None]) -> None:
        if not self._generators:
            fresh = [seeding.np_random(seed) for seed in seeds]
            self._generators = [generator for generator, _ in fresh]
            self._seeds = [seed for _, seed in fresh]
            return
        for row in rows.tolist():
            if seeds[row] is not None:
                self._generators[row], self._seeds[row] = seeding.np_random(seeds[row])

    def _enter_worlds(self, rows: NDArray[np.int64], seeds: list[int | None]) -> None:
        if isinstance(self._episodes, SeededEpisodes):
            chosen = rows.tolist()
            generators = [self._generators[row] for row in chosen]
            self._episodes.enter(rows, [seeds[row] for row in chosen], generators)

    def _draw_keys(self, rows: NDArray[np.int64]) -> NDArray[np.uint64]:
        return np.concatenate([draw_key(self._generators[row]) for row in rows.tolist()])

    def _rewards(self) -> NDArray[np.float64]:
        return self._episodes.amounts[:, arrays.STEP_SCORE].copy()

    def _observe(self) -> Observation:
        episodes = self._episodes
        return make_observation(
            episodes.fields.copy(), episodes.scalars.copy(), episodes.masks.copy(), batched=True
        )

    def _infos(self, selected: NDArray[np.bool_], *, partial: bool = False) -> Info:
        counters, amounts = self._episodes.counters.copy(), self._episodes.amounts.copy()
        if partial:
            counters[~selected] = 0
            amounts[~selected] = 0.0
        infos = info_fields(counters.T, amounts.T)
        infos.update(dict.fromkeys(self._info_masks, selected))
        return infos


class StageRouteContinuousVectorEnv(StageRouteVectorEnv):
    """``E`` copies of `StageRouteContinuous-v0`; see `StageRouteVectorEnv`."""

    continuous = True

    def _checked(self, actions: Any) -> NDArray[Any]:
        return model_weights(actions, (self.num_envs, len(self.models)))


def _is_integer(value: Any) -> TypeGuard[int]:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)
