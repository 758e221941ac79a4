"""Pictures of an episode, as arrays or in a window; needs pygame."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium.error import DependencyNotInstalled
from numpy.typing import NDArray

from stageroute_gym.errors import FieldError
from stageroute_gym.extras import needed
from stageroute_gym.rendering.snapshot import take
from stageroute_gym.simulator.episodes import Episodes
from stageroute_gym.simulator.world import World

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
try:
    import pygame
except ImportError as error:
    raise DependencyNotInstalled(f"pictures need {needed('render')}") from error

# After the check, since it needs pygame itself.
from stageroute_gym.rendering.picture import Picture

if TYPE_CHECKING:
    from pygame import Surface


class PictureRenderer:
    """Pictures for the mode ``rgb_array``.

    Args:
        world: the world that the episodes play in.
    """

    def __init__(self, world: World) -> None:
        self._picture = Picture(world)

    def enter(self, world: World) -> None:
        """Show another world from now on, of the same models."""
        self._picture.enter(world)

    def render(self, episodes: Episodes, row: int = 0) -> NDArray[np.uint8]:
        """An episode as it stands, shape (H, W, 3), uint8."""
        surface = self._picture.draw(take(episodes, row))
        return np.ascontiguousarray(pygame.surfarray.array3d(surface).swapaxes(0, 1))

    def close(self) -> None:
        """There is nothing to give back."""


class WindowRenderer:
    """A window for the mode ``human``.

    Args:
        world: the world that the episodes play in.
        fps: pictures a second, at most.
    """

    def __init__(self, world: World, fps: int) -> None:
        self._picture = Picture(world)
        self._fps = fps
        self._clock: Any = pygame.time.Clock()
        self._window: Surface | None = None

    def enter(self, world: World) -> None:
        """Show another world from now on, of the same models."""
        self._picture.enter(world)

    def render(self, episodes: Episodes, row: int = 0) -> None:
        """Show an episode as it stands.

        Raises:
            FieldError: if there is no display to open a window on.
            KeyboardInterrupt: if the user has closed the window, or pressed escape in it.
        """
        if self._window is None:
            self._window = _open_window(self._picture.size)
        self._window.blit(self._picture.draw(take(episodes, row)), (0, 0))
        if any(_closes(event) for event in pygame.event.get()):
            self.close()
            raise KeyboardInterrupt("the window was closed")
        pygame.display.flip()
        self._clock.tick(self._fps)

    def close(self) -> None:
        """Close the window."""
        if self._window is not None:
            pygame.display.quit()
            self._window = None


def _closes(event: pygame.event.Event) -> bool:
    escaped = event.type == pygame.KEYDOWN and event.key == pygame.K_ESCAPE
    return event.type == pygame.QUIT or escaped


def _open_window(size: tuple[int, int]) -> Surface:
    allowed = "a display to open a window on ({}), or the mode 'rgb_array' or 'ansi'"
    try:
        pygame.display.init()
    except pygame.error as error:
        raise FieldError("render_mode", "human", allowed.format(error)) from error
    # Without a display SDL draws into memory, unless it was told to, where nobody sees it.
    driver = pygame.display.get_driver()
    if driver in ("offscreen", "dummy") and "SDL_VIDEODRIVER" not in os.environ:
        pygame.display.quit()
        raise FieldError("render_mode", "human", allowed.format("none was found; is DISPLAY set?"))
    pygame.display.set_caption("StageRoute")
    return pygame.display.set_mode(size)
