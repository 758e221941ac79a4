"""Charts and tables of the part ``regret``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stageroute_gym.reproduction.exhibits.cells import (
    REGRET_AND_SPEND,
    SCORE_AND_SPEND,
    THOUSANDS,
    by_entry,
    regret_and_spend,
)
from stageroute_gym.reproduction.part import Chart, Measured, Table

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

WIDTH, HEIGHT = 118, 120


def charts(measured: Measured) -> list[Chart]:
    """Regret and spend over the queries."""
    drawn, seeds = measured.summary["drawn"], measured.summary["seeds"]
    curves = measured.tables["curves"]
    return [
        Chart(
            "regret",
            "Cumulative regret",
            "Expected score behind the stage oracle, summed up over the queries: mean over "
            f"{seeds} seeds with its 95 % interval. Columns: budget, USD for 1,000 queries; rows: "
            "what happens when it is spent. Below 0 an entry has overspent (soft), or saved early "
            "to spend late.",
            _grid(curves, drawn, "regret", "regret (score)", "~s"),
        ),
        Chart(
            "spend",
            "Spend beside regret",
            f"Share of the horizon's budget spent so far: median over {seeds} seeds with the "
            "range. Under the rule hard an episode ends at 100 %.",
            _grid(curves, drawn, "spent", "budget spent", "%"),
        ),
    ]


def tables(summary: Mapping[str, Any]) -> list[Table]:
    """Score and regret of each entry at each budget, each beside spend, for each rule."""
    rows = summary["rows"]
    rules = dict.fromkeys(row["rule"] for row in rows)
    return [table for rule in rules for table in _of_rule(rows, rule)]


def _grid(
    curves: pl.DataFrame, drawn: list[str], value: str, title: str, form: str
) -> alt.TopLevelMixin:
    import altair as alt
    import polars as pl

    rows = curves.filter(pl.col("entry").is_in(drawn)).with_columns(
        (pl.col("budget") * 1000).round_sig_figs(4)
    )
    x = alt.X(
        "t:Q",
        title="query",
        scale=alt.Scale(nice=False),
        axis=alt.Axis(labelExpr=THOUSANDS, grid=False, tickCount=3),
    )
    y = alt.Y(f"{value}:Q", title=title, axis=alt.Axis(format=form, tickCount=5))
    color = alt.Color(
        "entry:N",
        title=None,
        sort=drawn,
        scale=alt.Scale(domain=drawn),
        legend=alt.Legend(orient="top", columns=4, labelLimit=220, symbolOpacity=1),
    )
    base = alt.Chart().encode(x=x, color=color)
    band = base.mark_area(opacity=0.15).encode(
        y=alt.Y(f"{value}_low:Q", title=title), y2=f"{value}_high:Q"
    )
    line = base.mark_line(size=1.8).encode(
        y=y,
        tooltip=[
            "entry:N",
            alt.Tooltip("t:Q", format=","),
            alt.Tooltip(f"{value}:Q", format=".4~s"),
        ],
    )
    columns = [f"{value}{end}" for end in ("", "_low", "_high")]
    kept = rows.select("budget", "rule", "entry", "t", *columns)
    return (
        alt.layer(band, line, data={"values": kept.to_dicts()})
        .properties(width=WIDTH, height=HEIGHT)
        .facet(
            column=alt.Column("budget:O", title="budget, USD for 1,000 queries"),
            row=alt.Row("rule:N", title="rule"),
        )
        .resolve_scale(y="independent")
    )


def _of_rule(rows: list[dict[str, Any]], rule: str) -> list[Table]:
    mine = [row for row in rows if row["rule"] == rule]
    ending = f"at budgets for 1,000 queries, rule {rule}"

    def budget(row: Mapping[str, Any]) -> str:
        return f"{row['budget'] * 1000:.4g} USD"

    return [
        Table(by_entry(f"score and spend {ending}", mine, budget), (SCORE_AND_SPEND,)),
        Table(
            by_entry(f"regret and spend {ending}", mine, budget, regret_and_spend),
            (REGRET_AND_SPEND,),
        ),
    ]
