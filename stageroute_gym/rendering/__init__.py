"""Showing an episode: as text, as a picture, in a window."""

from __future__ import annotations

from typing import Any, Protocol

from stageroute_gym.rendering.text import TextRenderer
from stageroute_gym.simulator.episodes import Episodes
from stageroute_gym.simulator.world import World


class Renderer(Protocol):
    """What shows one of some episodes."""

    def enter(self, world: World) -> None:
        """Show another world from now on, of the same models."""

    def render(self, episodes: Episodes, row: int = 0) -> Any:
        """Show the episode of that row as it stands."""

    def close(self) -> None:
        """Give back what the renderer holds, such as a window."""


def make_renderer(world: World, render_mode: str, metadata: dict[str, Any]) -> Renderer:
    """The renderer for a mode.

    Args:
        world: the world that the episodes play in.
        render_mode: ``ansi`` for text, ``rgb_array`` for pictures, ``human`` for a window.
        metadata: the environment's; ``render_fps`` is the window's speed.

    Raises:
        DependencyNotInstalled: if pictures are wanted and pygame is missing.
    """
    if render_mode == "ansi":
        return TextRenderer(world)
    # Only here, since it loads pygame.
    from stageroute_gym.rendering.window import PictureRenderer, WindowRenderer

    if render_mode == "human":
        return WindowRenderer(world, metadata["render_fps"])
    return PictureRenderer(world)
