"""An episode as text."""

from __future__ import annotations

from stageroute_gym.rendering.snapshot import Snapshot, take, usd
from stageroute_gym.simulator.episodes import Episodes
from stageroute_gym.simulator.world import World

BAR = 40
NAME = 32


class TextRenderer:
    """Some twenty lines of text for the mode ``ansi``.

    Args:
        world: the world that the episodes play in.
    """

    def __init__(self, world: World) -> None:
        self._width = min(NAME, max(len(name) for name in (*world.table.models, "model")))

    def enter(self, world: World) -> None:
        """There is nothing to change: the episodes tell all that is shown."""

    def render(self, episodes: Episodes, row: int = 0) -> str:
        """An episode as it stands; ``*`` marks what is deployed, ``-`` what is not on offer."""
        shot = take(episodes, row)
        lines = [
            f"stage {shot.stage + 1}/{shot.num_stages}  {shot.phase}  "
            f"query {shot.query:,}/{shot.horizon:,}  mean score {shot.mean_score:.3f}  "
            f"declined {shot.declined:,}",
            f"budget [{_gauge(shot)}] {usd(shot.spend)} of {usd(shot.total_budget)} "
            f"({shot.spent:.1%} spent, {shot.elapsed:.1%} of the queries)",
            f"  {'model':{self._width}}  tokens   pulls  score  cost",
            *(self._line(shot, model) for model in range(len(shot.models))),
            f"last: {shot.last_route}",
        ]
        return "\n".join(lines)

    def close(self) -> None:
        """There is nothing to give back."""

    def _line(self, shot: Snapshot, model: int) -> str:
        mark = "*" if shot.deployed[model] else " " if shot.available[model] else "-"
        name = shot.models[model]
        name = name if len(name) <= self._width else name[: self._width - 2] + ".."
        serving = shot.routing and shot.deployed[model]
        tokens = f"{shot.tokens[model]:6.1f}" if serving else " " * 6
        seen = ""
        if shot.pulls[model]:
            seen = f"{shot.model_score[model]:6.3f}  {usd(float(shot.model_cost[model]))}"
        return f"{mark} {name:{self._width}}  {tokens} {shot.pulls[model]:7,.0f} {seen}".rstrip()


def _gauge(shot: Snapshot) -> str:
    """A bar of the spend; ``|`` marks where an even pace would be."""
    filled = min(BAR, int(shot.spent * BAR))
    bar = list("#" * filled + "." * (BAR - filled))
    bar[min(BAR - 1, int(shot.elapsed * BAR))] = "|"
    return "".join(bar)
