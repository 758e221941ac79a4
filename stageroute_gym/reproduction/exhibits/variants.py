"""Charts and tables of the part ``variants``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stageroute_gym.evaluation.tuned import SUFFIX
from stageroute_gym.reproduction.exhibits.cells import SCORE_AND_SPEND, by_entry
from stageroute_gym.reproduction.judging import STAGEROUTE
from stageroute_gym.reproduction.part import Chart, Measured, Table

if TYPE_CHECKING:
    import altair as alt

_GROUPS = ("StageRoute", "other agents", "references")
_OWN = (STAGEROUTE, f"{STAGEROUTE}{SUFFIX}")


def charts(measured: Measured) -> list[Chart]:
    """The score of each variant on each scenario."""
    seeds = measured.summary["seeds"]
    return [
        Chart(
            "variants",
            "What the open choices are worth",
            f"Score / horizon oracle, mean over {seeds} seeds with its 95 % interval, best mean "
            "over the scenarios first.",
            _dots(measured.summary["rows"]),
        )
    ]


def tables(summary: Mapping[str, Any]) -> list[Table]:
    """Score and spend of each variant on each scenario."""
    title = "StageRoute's open choices: score and spend"
    return [
        Table(by_entry(title, summary["rows"], lambda row: row["scenario"]), (SCORE_AND_SPEND,))
    ]


def _group(row: Mapping[str, Any]) -> str:
    if row["agent"] in _OWN:
        return _GROUPS[0]
    return _GROUPS[2] if row["kind"] == "reference" else _GROUPS[1]


def _dots(rows: list[dict[str, Any]]) -> alt.TopLevelMixin:
    import altair as alt

    values = [
        {"scenario": row["scenario"], "entry": row["entry"], "spend": row["spend"]["median"]}
        | {"score": row["score"]["mean"], "low": row["score"]["low"], "high": row["score"]["high"]}
        | {"group": _group(row)}
        for row in rows
    ]
    ordered = by_entry("", rows, lambda row: row["scenario"])
    y = alt.Y(
        "entry:N",
        title=None,
        sort=[row[0] for row in (*ordered.references, *ordered.rows)],
        axis=alt.Axis(labelLimit=230, ticks=False, domain=False),
    )
    scale, axis = alt.Scale(zero=False), alt.Axis(format=".2f", tickCount=4)
    x = alt.X("score:Q", title="score / horizon oracle", scale=scale, axis=axis)
    base = alt.Chart().encode(y=y)
    color = alt.Color(
        "group:N",
        title=None,
        scale=alt.Scale(domain=list(_GROUPS)),
        legend=alt.Legend(orient="top", symbolOpacity=1),
    )
    bars = base.mark_rule(size=2).encode(
        x=alt.X("low:Q", title="score / horizon oracle"), x2="high:Q", color=color
    )
    dots = base.mark_point(filled=True, size=50, opacity=1).encode(
        x=x,
        color=color,
        tooltip=["entry:N", *(alt.Tooltip(f"{k}:Q", format=".3f") for k in ("score", "spend"))],
    )
    return (
        alt.layer(bars, dots, data={"values": values})
        .properties(width=165, height={"step": 17})
        .facet(column=alt.Column("scenario:N", title=None, sort=list(ordered.columns[2:])))
        .resolve_scale(x="independent")
    )
