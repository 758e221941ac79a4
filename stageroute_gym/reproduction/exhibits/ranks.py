"""Chart and table of the part ``ranks``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stageroute_gym.report.tables import LEGEND, OVERALL_LEGEND, ReportTable
from stageroute_gym.reproduction.exhibits.cells import bounded
from stageroute_gym.reproduction.part import Chart, Measured, Table

if TYPE_CHECKING:
    import altair as alt

# Darker cells get light letters.
_LIGHT_FROM = 0.8


def charts(measured: Measured) -> list[Chart]:
    """Score of each entry on each scenario, with its ranks."""
    summary = measured.summary
    caption = (
        f"Suite {summary['suite']}, {summary['seeds']} seeds. Color: score / horizon oracle; "
        "numbers: the ranks that an entry may have among those without foresight. Best overall "
        "first; references, without ranks, last."
    )
    return [Chart("ranks", "Who stands where", caption, _matrix(summary))]


def tables(summary: Mapping[str, Any]) -> list[Table]:
    """The rank matrix."""
    names = summary["scenarios"]
    columns = ("entry", "overall", "mean score", "interquartile mean", *names)

    def cells(row: Mapping[str, Any]) -> tuple[str, ...]:
        middle = row["middle"]
        span = "" if middle["low"] is None else f" ({middle['low']:.3f} to {middle['high']:.3f})"
        own = (_cell(row["on"][name]) for name in names)
        return (
            row["entry"],
            _ranks(row["ranks"]),
            bounded(row["score"]),
            "-" if middle["mean"] is None else f"{middle['mean']:.3f}{span}",
            *own,
        )

    rows = [row for row in summary["entries"] if row["ranks"] is not None]
    known = [row for row in summary["entries"] if row["ranks"] is None]
    title = f"ranks on suite {summary['suite']}, {summary['seeds']} seeds"
    table = ReportTable(title, columns, tuple(map(cells, rows)), tuple(map(cells, known)))
    note = "Cells of scenarios: ranks, then the mean of score / horizon oracle."
    return [Table(table, (note, LEGEND, OVERALL_LEGEND))]


def _cell(on: Mapping[str, Any]) -> str:
    score = "-" if on["score"] is None else f"{on['score']:.3f}"
    return score if on["ranks"] is None else f"{_ranks(on['ranks'])}: {score}"


def _ranks(ranks: list[int] | None) -> str:
    if ranks is None:
        return "-"
    low, high = ranks
    return str(low) if low == high else f"{low}-{high}"


def _matrix(summary: Mapping[str, Any]) -> alt.TopLevelMixin:
    import altair as alt

    values = [
        {
            "entry": row["entry"],
            "scenario": name,
            "score": row["on"][name]["score"],
            "ranks": "" if row["ranks"] is None else _ranks(row["on"][name]["ranks"]),
        }
        for row in summary["entries"]
        for name in summary["scenarios"]
    ]
    base = alt.Chart({"values": values}).encode(
        x=alt.X(
            "scenario:N",
            title=None,
            sort=summary["scenarios"],
            axis=alt.Axis(orient="top", labelAngle=-40, ticks=False, domain=False),
        ),
        y=alt.Y(
            "entry:N",
            title=None,
            sort=[row["entry"] for row in summary["entries"]],
            axis=alt.Axis(labelLimit=230, ticks=False, domain=False),
        ),
        tooltip=["entry:N", "scenario:N", alt.Tooltip("score:Q", format=".3f"), "ranks:N"],
    )
    # One ramp for both papers, so that the letters stand out on each cell of it.
    color = alt.Color(
        "score:Q",
        title="score / horizon oracle",
        scale=alt.Scale(scheme="blues", domain=[0.3, 1.0], clamp=True),
        legend=alt.Legend(orient="bottom", direction="horizontal"),
    )
    letters = alt.condition(
        f"datum.score > {_LIGHT_FROM}", alt.value("#ffffff"), alt.value("#1b1f24")
    )
    rectangles = base.mark_rect().encode(color=color)
    numbers = base.mark_text(fontSize=10).encode(text="ranks:N", color=letters)
    return alt.layer(rectangles, numbers).properties(width={"step": 40}, height={"step": 18})
