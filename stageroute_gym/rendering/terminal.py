"""An episode for a terminal, as `rich` draws it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stageroute_gym.rendering.colors import (
    ALARM,
    DEPLOYED,
    LEGEND,
    LIMIT,
    MONEY,
    OFFERED,
    QUERIES,
    SCORE,
    Color,
)
from stageroute_gym.rendering.folding import folded_line, shown_models
from stageroute_gym.rendering.snapshot import Snapshot, usd

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

GAUGE, STRIP, BAR, NAME = 40, 24, 10, 24
# Lines above and below the models.
_OTHER_LINES = 10
_FULL, _LIGHT, _MARK = "\N{FULL BLOCK}", "\N{LIGHT SHADE}", "\N{BOX DRAWINGS HEAVY VERTICAL}"
_DEPLOYED, _OFFERED = "\N{BLACK CIRCLE}", "\N{WHITE CIRCLE}"
_NO_COLOR_SIGNS = {"deployed": _DEPLOYED, "on offer": _OFFERED}
# Not drawn in a terminal: the row that served last is named below.
_UNUSED = ("served last",)


def episode_view(shot: Snapshot, title: str, height: int) -> RenderableType:
    """The episode as it stands.

    Args:
        shot: the episode.
        title: what plays, in a line.
        height: lines of the terminal; where they do not suffice, models are folded into one.
    """
    from rich.console import Group
    from rich.text import Text

    shown = shown_models(shot, max(1, height - _OTHER_LINES))
    words = {"route": "routing", "deploy": "choosing models", "over": "episode over"}
    return Group(
        Text(title, style="bold", overflow="ellipsis", no_wrap=True),
        Text(
            f"stage {shot.stage + 1} of {shot.num_stages}, {words[shot.phase]}   "
            f"query {shot.query:,} of {shot.horizon:,}"
        ),
        Text(
            f"mean score {shot.mean_score:.3f}   regret {shot.regret:,.1f}   "
            f"declined {shot.declined:,}"
        ),
        _budget(shot),
        _models(shot, shown),
        Text(folded_line(shot, shown), style="dim"),
        Text(f"last: {shot.last_route}", overflow="ellipsis", no_wrap=True),
        _legend(),
    )


def _budget(shot: Snapshot) -> Text:
    """Spend as a bar; the mark shows what an even pace would have spent by now."""
    from rich.text import Text

    filled = min(GAUGE, int(shot.spent * GAUGE))
    pace = min(GAUGE - 1, int(shot.elapsed * GAUGE))
    text = Text("budget ")
    for place in range(GAUGE):
        if place == pace:
            text.append(_MARK, _style(LIMIT))
        elif place < filled:
            text.append(_FULL, _style(MONEY))
        else:
            text.append(_LIGHT, "dim")
    text.append(f" {usd(shot.spend)} of {usd(shot.total_budget)} ({shot.spent:.1%})")
    if shot.exhausted:
        left = shot.horizon - shot.query
        words = f"  ran out with {left:,} queries to come" if left else "  overspent"
        text.append(words, _style(ALARM))
    return text


def _models(shot: Snapshot, shown: list[int]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("", width=1)
    table.add_column("model", max_width=NAME, no_wrap=True, overflow="ellipsis")
    for heading in ("stages", "queries", "score", "USD a query"):
        table.add_column(heading, no_wrap=True)
    served = max(float(shot.pulls.sum()), 1.0)
    dearest = float(shot.model_cost.max()) or 1.0
    for model in shown:
        sign, style = " ", "dim"
        if shot.deployed[model]:
            sign, style = _DEPLOYED, ""
        elif shot.available[model]:
            sign, style = _OFFERED, ""
        pulls = float(shot.pulls[model])
        score, cost = float(shot.model_score[model]), float(shot.model_cost[model])
        seen = pulls > 0
        table.add_row(
            Text(sign, _style(DEPLOYED if shot.deployed[model] else OFFERED)),
            Text(shot.models[model], style),
            _history(shot, model),
            _bar(pulls / served, QUERIES, f"{pulls:,.0f}") if seen else Text(),
            _bar(score, SCORE, f"{score:.2f}") if seen else Text(),
            _bar(cost / dearest, MONEY, usd(cost)[1:]) if seen else Text(),
        )
    return table


def _history(shot: Snapshot, model: int) -> Text:
    """When the model was deployed, over the horizon; several stages share a sign if need be."""
    from rich.text import Text

    width = min(STRIP, shot.num_stages)
    text = Text()
    for place in range(width):
        first = place * shot.num_stages // width
        last = (place + 1) * shot.num_stages // width
        if first > shot.stage:
            text.append(_LIGHT, "dim")
        elif shot.history[first:last, model].any():
            text.append(_FULL, _style(DEPLOYED))
        else:
            text.append("\N{MIDDLE DOT}", "dim")
    return text


def _bar(share: float, color: Color, words: str) -> Text:
    from rich.text import Text

    filled = round(BAR * min(1.0, max(0.0, share)))
    text = Text(_FULL * filled, _style(color))
    text.append(_LIGHT * (BAR - filled), "dim")
    return text.append(f" {words}")


def _legend() -> Text:
    from rich.text import Text

    text = Text(overflow="ellipsis", no_wrap=True)
    for color, words in LEGEND:
        if words not in _UNUSED:
            text.append(_NO_COLOR_SIGNS.get(words, _FULL), _style(color)).append(f" {words}  ")
    return text


def _style(color: Color) -> str:
    return f"rgb({color[0]},{color[1]},{color[2]})"
