"""Episodes of which each plays in a world of its own, drawn by its seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.errors import FieldError
from stageroute_gym.simulator.arrays import EpisodeArrays, WorldArrays
from stageroute_gym.simulator.episodes import Episodes
from stageroute_gym.simulator.world import World

# Worlds that an episode without a seed of its own is drawn from.
_WORLD_SEEDS = 2**63


class SeededEpisodes(Episodes):
    """State of ``E`` episodes in ``E`` worlds of one shape.

    Each episode is advanced by itself, by the same kernels: about four microseconds an episode and
    step more than `Episodes` takes.

    Args:
        draw_world: the world of a seed.
        num_envs: number of episodes ``E``.
        continuous: as for `Episodes`.

    Attributes:
        worlds: the world of each episode; that of seed 0 until it has been entered.
    """

    def __init__(
        self, draw_world: Callable[[int], World], num_envs: int, *, continuous: bool
    ) -> None:
        self._draw_world = draw_world
        self.worlds: list[World] = [draw_world(0)] * num_envs
        super().__init__(self.worlds[0], num_envs, continuous=continuous)

    def _bind(self) -> None:
        super()._bind()
        self._rows = [
            EpisodeArrays._make(array[row : row + 1] for array in self.state)
            for row in range(self.num_envs)
        ]
        self.step = self._step

    def __getstate__(self) -> dict[str, Any]:
        """All but the compiled kernel and views of the state."""
        return {k: v for k, v in super().__getstate__().items() if k != "_rows"}

    def enter(
        self,
        rows: NDArray[np.int64],
        seeds: Sequence[int | None],
        generators: Sequence[np.random.Generator],
    ) -> None:
        """Move some episodes to other worlds, before they are reset.

        Args:
            rows: which of them, shape (R,), int64.
            seeds: the seed of each one's world; None draws one.
            generators: the random numbers of each of the ``R``, for that.

        Raises:
            FieldError: if a world has other models or another number of features.
        """
        for row, seed, generator in zip(rows.tolist(), seeds, generators, strict=True):
            drawn = int(generator.integers(_WORLD_SEEDS)) if seed is None else seed
            world = self._draw_world(drawn)
            _check_alike(world, self.worlds[0], drawn)
            self.worlds[row] = world
        self.world = self.worlds[0]

    def _step(self, actions: NDArray[Any]) -> None:
        for row, world in enumerate(self.worlds):
            self._kernel(*world.arrays, *self._rows[row], actions[row : row + 1])

    def hold(self, actions: NDArray[Any], queries: int) -> None:
        """As `Episodes.hold`."""
        for row, world in enumerate(self.worlds):
            self._hold(world.arrays, self._rows[row], actions[row : row + 1], queries)

    def serve(self, server: Callable[[WorldArrays, EpisodeArrays], None]) -> None:
        """As `Episodes.serve`."""
        for row, world in enumerate(self.worlds):
            server(world.arrays, self._rows[row])

    def reset(self, rows: NDArray[np.int64], keys: NDArray[np.uint64]) -> None:
        """As `Episodes.reset`, each in the world that it has entered last."""
        self.restart_at_next_step(rows, keys)
        shape = (1, self.world.num_models) if self._continuous else (1,)
        no_actions = np.zeros(shape, np.float32 if self._continuous else np.int64)
        for row in rows.tolist():
            self._kernel(*self.worlds[row].arrays, *self._rows[row], no_actions)


def make_episodes(
    draw_world: Callable[[int], World], num_envs: int, *, per_seed: bool, continuous: bool
) -> Episodes:
    """Episodes that share a world, or each in one of its own.

    Args:
        draw_world: the world of a seed.
        num_envs: number of episodes ``E``.
        per_seed: whether the worlds of two seeds differ.
        continuous: as for `Episodes`.
    """
    if per_seed:
        return SeededEpisodes(draw_world, num_envs, continuous=continuous)
    return Episodes(draw_world(0), num_envs, continuous=continuous)


def _check_alike(world: World, first: World, seed: int) -> None:
    """Raise if a seed's world has another shape than the others, so that spaces would differ."""
    if world.table.models != first.table.models:
        allowed = f"those of every seed, {first.table.models}"
        raise FieldError(f"models of the world of seed {seed}", world.table.models, allowed)
    size, expected = world.table.features.shape[1], first.table.features.shape[1]
    if size != expected:
        raise FieldError(f"features of the world of seed {seed}", size, f"{expected}, as in others")
