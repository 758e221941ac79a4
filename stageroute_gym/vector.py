"""The native vector environments: many episodes of one scenario behind one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from stageroute_gym import scenarios
from stageroute_gym.checks import count
from stageroute_gym.context import AgentContext
from stageroute_gym.errors import FieldError
from stageroute_gym.problem import Problem
from stageroute_gym.scenarios import Scenario
from stageroute_gym.simulator.actions import action_space, model_numbers, model_weights
from stageroute_gym.simulator.arrays import EpisodeArrays, WorldArrays
from stageroute_gym.simulator.episodes import draw_key
from stageroute_gym.simulator.observation import Observation, observation_space
from stageroute_gym.simulator.seeded import SeededEpisodes, make_episodes
from stageroute_gym.simulator.world import World
from stageroute_gym.vector_input import (
    check_autoreset_mode,
    check_render_mode,
    rows_to_reset,
    seed_list,
)

if TYPE_CHECKING:
    from stageroute_gym.rendering import Renderer

Info = dict[str, NDArray[Any]]


class StageRouteVectorEnv(VectorEnv[Observation, NDArray[Any], NDArray[Any]]):
    """``E`` copies of `StageRoute-v0`, advanced by the same kernels as the single environment.

    Made by ``gymnasium.make_vec("StageRoute-v0", num_envs=E,
    vectorization_mode="vector_entry_point")``. Sub-environment ``i`` of a reset with ``seed=s``
    equals, to the bit, a single environment that was reset with ``seed=s + i``; in each autoreset
    mode it returns what Gymnasium's `SyncVectorEnv` does.

    Args:
        num_envs: number of environments ``E``, at least 1.
        scenario: as for `stageroute_gym.env.StageRouteEnv`, like the further arguments.
        render_mode: None, ``ansi`` or ``rgb_array``; a window shows one environment only.
        max_episode_steps: steps after which an episode is truncated; None for no limit. A decision
            that is held counts as one step.
        autoreset_mode: a `gymnasium.vector.AutoresetMode` or its value. ``NextStep``: an episode
            that is over starts anew at the next step, whose action it ignores. ``SameStep``: it
            starts anew at once, and ``final_obs`` and ``final_info`` tell how it ended.
            ``Disabled``: it has to be reset, see ``reset_mask`` of `reset`.

    Raises:
        FieldError: if an argument is not allowed.
        UnknownArgumentError: if there is no such argument.
    """

    metadata = {  # noqa: RUF012 - Gymnasium's attribute
        "render_modes": ["ansi", "rgb_array"],
        "render_fps": 30,
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }
    continuous: ClassVar[bool] = False

    def __init__(
        self,
        num_envs: int = 1,
        *,
        scenario: str | Scenario = "routerbench",
        render_mode: str | None = None,
        max_episode_steps: int | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        **overrides: Any,
    ) -> None:
        self.num_envs = count("num_envs", num_envs, 1)
        self.render_mode = check_render_mode(render_mode, self.metadata["render_modes"])
        self.max_episode_steps = (
            None if max_episode_steps is None else count("max_episode_steps", max_episode_steps, 1)
        )
        self.autoreset_mode: AutoresetMode = check_autoreset_mode(autoreset_mode)
        self.metadata = type(self).metadata | {"autoreset_mode": self.autoreset_mode}
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
        self._nobody = np.zeros(self.num_envs, np.bool_)
        # Gymnasium's infos tell with `_key` for which environments `key` holds.
        self._info_masks = [f"_{key}" for key in self._episodes.infos()]
        self._truncated = self._nobody
        self._steps: NDArray[np.int64] = np.zeros(self.num_envs, np.int64)
        self._generators: list[np.random.Generator] = []
        self._seeds: list[int] = []
        self._renderer: Renderer | None = None

    def __getstate__(self) -> dict[str, Any]:
        """The running episodes; a renderer does not survive a copy."""
        return self.__dict__ | {"_renderer": None}

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
        rows = rows_to_reset(options, self.num_envs, started=bool(self._generators))
        seeds = seed_list(seed, self.num_envs)
        self._seed(rows, seeds)
        self._restart(rows, seeds)
        if len(rows) == self.num_envs:
            return self._observe(), self._infos()
        selected = self._nobody.copy()
        selected[rows] = True
        return self._observe(), self._infos(selected)

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
        episodes, mode = self._episodes, self.autoreset_mode
        checked = self._checked(actions)
        over = episodes.state.finished | self._truncated
        anyone_over = np.count_nonzero(over)
        if anyone_over and mode is AutoresetMode.NEXT_STEP:
            rows = np.flatnonzero(over)
            self._enter_worlds(rows, [None] * self.num_envs)
            episodes.restart_at_next_step(rows, self._draw_keys(rows))
        elif anyone_over:
            raise ResetNeeded("an episode is over: reset it, with reset_mask in the options")
        advance(checked)
        rewards, terminated = self._rewards(), episodes.state.finished.copy()
        self._truncated = self._nobody
        if self.max_episode_steps is not None:
            self._steps = np.where(over, 0, self._steps + 1)
            self._truncated = self._steps >= self.max_episode_steps
        final = {}
        truncated = self._truncated.copy()
        if mode is AutoresetMode.SAME_STEP and np.count_nonzero(terminated | truncated):
            final = self._finish(terminated | truncated)
        return self._observe(), rewards, terminated, truncated, final | self._infos()

    def _finish(self, over: NDArray[np.bool_]) -> Info:
        """Start some episodes anew; how they ended, in Gymnasium's form."""
        rows = np.flatnonzero(over)
        shown: Any = self._observe()
        observations = np.full(self.num_envs, None, object)
        for row in rows.tolist():
            if isinstance(shown, dict):
                observations[row] = {name: values[row] for name, values in shown.items()}
            else:
                observations[row] = shown[row]
        final: dict[str, Any] = {
            "final_obs": observations,
            "_final_obs": over,
            "final_info": self._infos(over),
            "_final_info": over.copy(),
        }
        self._restart(rows, [None] * self.num_envs)
        return final

    def _restart(self, rows: NDArray[np.int64], seeds: list[int | None]) -> None:
        self._enter_worlds(rows, seeds)
        self._episodes.reset(rows, self._draw_keys(rows))
        self._steps[rows] = 0
        truncated = self._truncated.copy()
        truncated[rows] = False
        self._truncated = truncated

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
        return self._episodes.world.agent_context(
            continuous=self.continuous, per_seed=self.scenario.per_seed
        )

    def action_masks(self) -> NDArray[np.bool_]:
        """Which actions are allowed now, shape (E, N + 1), bool; the last column is PASS."""
        return self._episodes.state.mask.astype(np.bool_)

    def render(self) -> tuple[Any, ...] | None:
        """Each sub-environment as text or as an RGB array, shape (H, W, 3), uint8."""
        if self.render_mode is None:
            gym.logger.warn("render() needs a render_mode: pass one to gymnasium.make_vec()")
            return None
        if self._renderer is None:
            # Only here, since a renderer may load pygame.
            from stageroute_gym.rendering import make_renderer

            self._renderer = make_renderer(self.worlds[0], self.render_mode, self.metadata)
        pictures = []
        for row, world in enumerate(self.worlds):
            self._renderer.enter(world)
            pictures.append(self._renderer.render(self._episodes, row))
        return tuple(pictures)

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
        return self._episodes.scores()

    def _observe(self) -> Observation:
        return self._episodes.observations()

    def _infos(self, selected: NDArray[np.bool_] | None = None) -> Info:
        infos = self._episodes.infos(selected)
        mask = self._everyone if selected is None else selected
        infos.update(dict.fromkeys(self._info_masks, mask.copy()))
        return infos


# `VectorEnv` once more, since skrl looks for it among the direct bases.
class StageRouteContinuousVectorEnv(
    StageRouteVectorEnv, VectorEnv[Observation, NDArray[Any], NDArray[Any]]
):
    """``E`` copies of `StageRouteContinuous-v0`; see `StageRouteVectorEnv`."""

    continuous = True

    def serve(
        self, server: Callable[[WorldArrays, EpisodeArrays], None]
    ) -> tuple[Observation, NDArray[np.bool_], Info]:
        """Have a compiled policy take as many routing decisions as it wants, without Python.

        Args:
            server: called with the arrays of a world and of the episodes in it; it advances them by
                `stageroute_gym.simulator.kernels.advance_continuous`.

        Returns:
            Observations, which sub-environments are over, and the infos of the last decision.
        """
        self._episodes.serve(server)
        return self._observe(), self._episodes.state.finished.copy(), self._infos()

    def _checked(self, actions: Any) -> NDArray[Any]:
        return model_weights(actions, (self.num_envs, len(self.models)))
