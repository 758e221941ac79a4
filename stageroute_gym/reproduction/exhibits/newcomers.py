"""Chart and table of the part ``newcomers``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stageroute_gym.report.tables import ReportTable
from stageroute_gym.reproduction.exhibits.cells import bounded
from stageroute_gym.reproduction.part import Chart, Measured, Table

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

_TITLES = {
    "max_deployed": "slots, M_max",
    "num_stages": "stages, K",
    "quality": "advantage (mean score)",
}


def charts(measured: Measured) -> list[Chart]:
    """The share of seeds in which the newcomer is adopted, over the stages since its arrival."""
    summary = measured.summary
    caption = (
        f"Share of {summary['seeds']} seeds in which a better model, which arrives together with "
        f"{summary['rivals']} poor ones, has for good reached {summary['wanted']:.0%} of its share "
        "in the stage oracle's plan, by the stages since its arrival (1: in its first stage). A "
        "line that ends below 100 % tells of seeds in which that never happened. Rows: entries."
    )
    chart = _curves(measured.tables["delays"], summary["rows"])
    return [Chart("newcomers", "Adopted, by the stages since the arrival", caption, chart)]


def tables(summary: Mapping[str, Any]) -> list[Table]:
    """Delays by factor and entry."""
    columns = (
        *("entry", "what varies", "value", "advantage", "adopted"),
        *("stages until then", "queries", "share served", "oracle's", "spend / budget"),
    )

    def cells(row: Mapping[str, Any]) -> tuple[str, ...]:
        delay = row["delay"]
        low, median, high = (_stages(delay[name]) for name in ("low", "median", "high"))
        queries = "never" if row["queries"] is None else f"{row['queries']:,.0f}"
        return (
            row["entry"],
            _TITLES[row["factor"]],
            f"{row['value']:g}",
            f"{row['advantage']:.3f}",
            f"{row['adopted']:.0%}",
            f"{median} ({low} to {high}) of {row['possible']}",
            queries,
            bounded(row["share"]),
            f"{row['oracle']:.3f}",
            f"{row['spend']['median']:.2f}",
        )

    rows = sorted(summary["rows"], key=lambda row: (row["entry"], row["factor"], row["value"]))
    notes = (
        f"Adopted: share of seeds in which the newcomer reached {summary['wanted']:.0%} of the "
        "stage oracle's share, and kept it; stages until then, 0 for its first one: median and "
        "quartiles over seeds; queries: the median in queries. "
        f"The newcomer costs as {summary['parent']} does and scores more by the advantage; "
        f"{summary['rivals']} others that arrive with it are poor. The "
        "value of the advantage is the share of queries on which it is as good as the best. Rule "
        "soft, since an episode that ends early adopts nothing.",
    )
    return [
        Table(
            ReportTable("how soon a better newcomer is adopted", columns, tuple(map(cells, rows))),
            notes,
        )
    ]


def _stages(value: float | None) -> str:
    return "never" if value is None else f"{value:g}"


def _curves(delays: pl.DataFrame, rows: list[dict[str, Any]]) -> alt.TopLevelMixin:
    import altair as alt

    reached: dict[str, list[dict[str, Any]]] = {factor: [] for factor in _TITLES}
    for row in rows:
        mine = delays.filter(factor=row["factor"], value=float(row["value"]), entry=row["entry"])
        known = mine["delay"].to_list()
        value = row["advantage"] if row["factor"] == "quality" else row["value"]
        for stage in range(row["possible"] + 1):
            adopted = sum(delay is not None and delay < stage for delay in known) / len(known)
            shown = {"value": f"{value:.2g}", "entry": row["entry"]}
            reached[row["factor"]].append({**shown, "stage": stage, "adopted": adopted})
    panels = [_panel(reached[factor], title) for factor, title in _TITLES.items()]
    return alt.hconcat(*panels).resolve_scale(color="independent")


def _panel(rows: list[dict[str, Any]], title: str) -> alt.FacetChart:
    import altair as alt

    values = list(
        dict.fromkeys(row["value"] for row in sorted(rows, key=lambda r: float(r["value"])))
    )
    return (
        alt.Chart({"values": rows})
        .mark_line(interpolate="step-after", size=1.8)
        .encode(
            x=alt.X(
                "stage:Q",
                title="stages since the arrival",
                axis=alt.Axis(grid=False, tickCount=4, format="d"),
            ),
            y=alt.Y(
                "adopted:Q",
                title="adopted",
                axis=alt.Axis(format="%", tickCount=4),
                scale=alt.Scale(domain=[0, 1]),
            ),
            color=alt.Color(
                "value:N",
                title=title,
                sort=values,
                scale=alt.Scale(domain=values),
                legend=alt.Legend(orient="top", columns=4),
            ),
        )
        .properties(width=190, height=120)
        .facet(row=alt.Row("entry:N", title=None))
        .resolve_scale(x="shared")
    )
