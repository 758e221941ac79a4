"""Chart and table of the part ``shares``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stageroute_gym.report.tables import ReportTable
from stageroute_gym.reproduction.exhibits.cells import THOUSANDS, bounded
from stageroute_gym.reproduction.part import Chart, Measured, Table
from stageroute_gym.reproduction.parts.shares import ORACLE

if TYPE_CHECKING:
    import altair as alt
    import polars as pl


def charts(measured: Measured) -> list[Chart]:
    """Shares by model over the queries."""
    summary = measured.summary
    panels = [ORACLE, *(row["entry"] for row in _best_first(summary))]
    caption = (
        f"Share of each stage's queries that a model serves, mean over {summary['seeds']} seeds, "
        f"on {summary['scenario']}; blank where it serves none. First the plan of the stage "
        "oracle, which knows the means."
    )
    chart = _panels(measured.tables["shares"], panels)
    return [Chart("shares", "Which model serves what, over time", caption, chart)]


def tables(summary: Mapping[str, Any]) -> list[Table]:
    """How much of the routing each entry has in common with the oracle."""
    rows = tuple(
        (
            row["entry"],
            bounded(row["common"]),
            bounded(row["score"]),
            f"{row['spend']['median']:.3f}",
        )
        for row in _best_first(summary)
    )
    title = f"queries routed as the stage oracle would, on {summary['scenario']}"
    columns = ("entry", "as the oracle", "score / horizon oracle", "spend / budget")
    note = (
        "As the oracle: the sum over models of the smaller share of both, mean over stages, ± half "
        "of the 95 % interval over seeds. Spend: median. A low share need not cost score: other "
        "mixtures may be nearly as good."
    )
    return [Table(ReportTable(title, columns, rows), (note,))]


def _best_first(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    return sorted(summary["rows"], key=lambda row: (-row["common"]["mean"], row["entry"]))


def _panels(shares: pl.DataFrame, panels: list[str]) -> alt.TopLevelMixin:
    import altair as alt

    totals: dict[str, float] = {}
    for row in shares.filter(panel=ORACLE).iter_rows(named=True):
        totals[row["model"]] = totals.get(row["model"], 0.0) + row["share"]
    models = sorted(shares["model"].unique(), key=lambda model: (-totals.get(model, 0.0), model))
    return (
        alt.Chart({"values": shares.to_dicts()})
        .mark_rect()
        .encode(
            x=alt.X(
                "start:Q",
                title="query",
                axis=alt.Axis(labelExpr=THOUSANDS, grid=False, tickCount=4),
            ),
            x2="end:Q",
            y=alt.Y(
                "model:N",
                title=None,
                sort=models,
                axis=alt.Axis(labelLimit=150, ticks=False, domain=False),
            ),
            color=alt.Color(
                "share:Q",
                title="share of the stage's queries",
                scale=alt.Scale(domain=[0, 0.4], clamp=True),
                legend=alt.Legend(orient="top", direction="horizontal", format="%"),
            ),
            tooltip=["panel:N", "model:N", alt.Tooltip("share:Q", format=".1%")],
        )
        .properties(width=225, height={"step": 15})
        .facet(facet=alt.Facet("panel:N", title=None, sort=panels), columns=2)
        .resolve_axis(x="independent")
    )
