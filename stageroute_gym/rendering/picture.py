"""The picture of an episode: header, budget gauge, stages, one row a model, legend."""

from __future__ import annotations

import numpy as np
import pygame
from numpy.typing import NDArray

from stageroute_gym.rendering.colors import (
    ALARM,
    DEPLOYED,
    FAINT,
    INK,
    LEGEND,
    LIMIT,
    MONEY,
    OFFERED,
    PAPER,
    QUERIES,
    RULE,
    SCORE,
    SERVING,
    TRACK,
    Color,
)
from stageroute_gym.rendering.folding import folded_line, shown_models
from stageroute_gym.rendering.snapshot import Snapshot, usd
from stageroute_gym.simulator.world import World

WIDTH = 1000
MARGIN = 24
TOP = 172  # where the models' rows begin
FOOT = 72  # the last step and the legend
# More models than this do not fit on a screen; the others are folded into a line.
MOST_ROWS = 36

# Columns of a model's row: left edge and width.
NAME = (MARGIN + 22, 208)
STAGES = (262, 200)
TOKENS = (482, 70)
PULLS = (570, 110)
SCORES = (698, 120)
COSTS = (836, 140)


class Picture:
    """Draws the episodes of one world; a picture depends on the episode alone.

    Args:
        world: the world that the episodes play in.
    """

    def __init__(self, world: World) -> None:
        pygame.font.init()
        self._rows = min(world.num_models, MOST_ROWS)
        self._folds = world.num_models > MOST_ROWS
        # Even, as video formats want the height.
        self._row = 2 * max(10, min(20, 280 // self._rows))
        self.size = (WIDTH, TOP + self._row * (self._rows + self._folds) + FOOT)
        self._surface = pygame.Surface(self.size)
        self._title = pygame.font.Font(None, 32)
        self._text = pygame.font.Font(None, 20)
        self._small = pygame.font.Font(None, 17)
        self.enter(world)

    def enter(self, world: World) -> None:
        """Draw another world from now on, of the same models."""
        self._world = world
        self._highest_cost = float(world.mean_cost.max()) or 1.0

    def draw(self, shot: Snapshot) -> pygame.Surface:
        """The picture of an episode as it stands; the next call paints over it."""
        self._surface.fill(PAPER)
        self._header(shot)
        self._timeline(shot)
        self._budget(shot)
        self._captions()
        shown = shown_models(shot, self._rows)
        for place, model in enumerate(shown):
            self._model(shot, model, TOP + place * self._row)
        if self._folds:
            middle = TOP + self._rows * self._row + self._row // 2
            self._write(folded_line(shot, shown), NAME[0], middle, FAINT, self._text)
        self._footer(shot)
        return self._surface

    def _header(self, shot: Snapshot) -> None:
        self._write(f"Stage {shot.stage + 1} of {shot.num_stages}", MARGIN, 30, INK, self._title)
        words = {"route": "routing", "deploy": "choosing models", "over": "episode over"}
        self._write(words[shot.phase], MARGIN + 190, 32, FAINT, self._text)
        text = f"query {shot.query:,} of {shot.horizon:,}"
        self._write(text, WIDTH - MARGIN, 30, INK, self._title, anchor="right")
        books = f"mean score {shot.mean_score:.3f}   declined {shot.declined:,}"
        self._write(books, WIDTH // 2 + 30, 32, INK, self._text, anchor="center")

    def _timeline(self, shot: Snapshot) -> None:
        """The stages as cells, filled as far as the queries are consumed."""
        left, top, width, height = MARGIN, 56, WIDTH - 2 * MARGIN, 12
        self._box(left, top, width, height, TRACK)
        self._box(left, top, round(width * shot.elapsed), height, QUERIES)
        for bound in self._world.problem.stage_bounds[1:-1] / shot.horizon * width:
            self._box(left + round(bound), top, 1, height, PAPER)

    def _budget(self, shot: Snapshot) -> None:
        """Spend as a bar; the mark shows what an even pace would have spent by now."""
        left, top, width, height = MARGIN, 84, WIDTH - 2 * MARGIN, 20
        scale = max(1.0, shot.spent)
        within = round(width * min(shot.spent, 1.0) / scale)
        self._box(left, top, width, height, TRACK)
        self._box(left, top, within, height, MONEY)
        if shot.exhausted:
            beyond = max(4, round(width * shot.spent / scale) - within)
            self._box(left + min(within, width - beyond), top, beyond, height, ALARM)
        pace = left + min(width - 3, round(width * shot.elapsed / scale))
        self._box(pace, top - 4, 3, height + 8, LIMIT)
        text = f"budget: {usd(shot.spend)} of {usd(shot.total_budget)} spent ({shot.spent:.1%})"
        self._write(text, left, top + 36, INK, self._text)
        if shot.exhausted:
            left_over = shot.horizon - shot.query
            text = f"ran out with {left_over:,} queries to come" if left_over else "overspent"
            self._write(text, WIDTH // 2 + 30, top + 36, ALARM, self._text, anchor="center")
        text = f"even pace: {shot.elapsed:.1%}"
        self._write(text, WIDTH - MARGIN, top + 36, FAINT, self._text, anchor="right")

    def _captions(self) -> None:
        y = TOP - 16
        for text, (left, _) in (
            ("model", NAME),
            ("stages", STAGES),
            ("tokens", TOKENS),
            ("queries, cap", PULLS),
            ("mean score", SCORES),
            ("mean cost, USD", COSTS),
        ):
            self._write(text, left, y, FAINT, self._small)
        self._box(MARGIN, TOP - 6, WIDTH - 2 * MARGIN, 1, RULE)

    def _model(self, shot: Snapshot, model: int, top: int) -> None:
        middle = top + self._row // 2
        if model == shot.last_model:
            self._box(MARGIN - 10, top + 1, WIDTH - 2 * MARGIN + 20, self._row - 2, SERVING)
        color = INK if shot.available[model] else FAINT
        if shot.deployed[model]:
            pygame.draw.aacircle(self._surface, DEPLOYED, (MARGIN + 6, middle), 6)
        elif shot.available[model]:
            pygame.draw.aacircle(self._surface, OFFERED, (MARGIN + 6, middle), 6, 2)
        self._write(self._fit(shot.models[model], NAME[1]), NAME[0], middle, color, self._text)
        self._history(shot, model, middle)
        if shot.routing and shot.deployed[model]:
            full = float(shot.tokens[model]) / shot.burst
            self._bar(TOKENS, middle, full, LIMIT, f"{shot.tokens[model]:.0f}", 26)
        if shot.pulls[model]:
            served = float(shot.pulls[model])
            share = served / max(float(shot.pulls.sum()), 1.0)
            self._bar(PULLS, middle, share, QUERIES, f"{served:,.0f}", 50)
            cap = PULLS[0] + round((PULLS[1] - 50) * float(shot.throughput[model]))
            self._box(cap, middle - 8, 2, 16, LIMIT)
            score = float(shot.model_score[model])
            self._bar(SCORES, middle, score, SCORE, f"{score:.2f}", 38)
            cost = float(shot.model_cost[model])
            self._bar(COSTS, middle, cost / self._highest_cost, MONEY, usd(cost)[1:], 66)

    def _history(self, shot: Snapshot, model: int, middle: int) -> None:
        """A strip over the horizon: when the model was on offer, and when it was deployed.

        What lies ahead is not shown, as an agent does not know it either.
        """
        left, width = STAGES
        bounds = self._world.problem.stage_bounds / shot.horizon * width
        offered: NDArray[np.bool_] = self._world.schedule.available[:, model]
        height = max(8, self._row // 3)
        self._box(left, middle - height // 2, width, height, TRACK)
        for stage in range(shot.stage + 1):
            if not offered[stage]:
                continue
            begin, end = round(bounds[stage]), round(bounds[stage + 1])
            color = DEPLOYED if shot.history[stage, model] else OFFERED
            self._box(left + begin, middle - height // 2, max(1, end - begin), height, color)

    def _footer(self, shot: Snapshot) -> None:
        top = self.size[1] - FOOT + 6
        self._box(MARGIN, top, WIDTH - 2 * MARGIN, 1, RULE)
        self._write(f"last step: {shot.last_route}", MARGIN, top + 18, INK, self._text)
        left = MARGIN
        for color, words in LEGEND:
            self._box(left, top + 40, 12, 12, color)
            self._write(words, left + 17, top + 46, FAINT, self._small)
            left += 17 + self._small.size(words)[0] + 18

    def _bar(
        self, column: tuple[int, int], middle: int, share: float, color: Color, text: str, room: int
    ) -> None:
        """A bar of ``share`` of its column, less the ``room`` for the text to its right."""
        left, width = column
        length = width - room
        height = max(6, self._row // 3)
        self._box(left, middle - height // 2, length, height, TRACK)
        filled = round(length * min(1.0, max(0.0, share)))
        self._box(left, middle - height // 2, filled, height, color)
        self._write(text, left + length + 6, middle, INK, self._small)

    def _box(self, left: int, top: int, width: int, height: int, color: Color) -> None:
        if width > 0:
            pygame.draw.rect(self._surface, color, (left, top, width, height))

    def _fit(self, text: str, width: int) -> str:
        while len(text) > 3 and self._text.size(text)[0] > width:
            text = text.removesuffix("..")[:-1] + ".."
        return text

    def _write(
        self,
        text: str,
        x: int,
        middle: int,
        color: Color,
        font: pygame.font.Font,
        anchor: str = "left",
    ) -> None:
        image = font.render(text, True, color)
        left = {"left": x, "center": x - image.get_width() // 2, "right": x - image.get_width()}
        self._surface.blit(image, (left[anchor], middle - image.get_height() // 2))
