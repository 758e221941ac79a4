"""Which models an entry deployed and what they served, beside the stage oracle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from stageroute_gym.report.charts.model_data import MODELS_DRAWN
from stageroute_gym.report.charts.parts import ROW, BoardChart, by_model, over_queries, ramp_legend

if TYPE_CHECKING:
    import altair as alt

_ARRIVES, _LEAVES = "\N{BLACK RIGHT-POINTING TRIANGLE}", "\N{MULTIPLICATION SIGN}"


def queries_chart() -> BoardChart:
    """What each model served, the entry's and the oracle's."""
    import altair as alt

    def band(table: str, offset: float, ramp: str, title: str) -> alt.Chart:
        return (
            alt.Chart(alt.NamedData(table))
            .mark_bar(height=ROW * 0.42, yOffset=offset)
            .encode(
                x=over_queries("start", room=0),
                x2="end:Q",
                y=by_model(),
                color=alt.Color(
                    "share:Q",
                    scale=alt.Scale(type="sqrt", domain=[0, 1], range=ramp),
                    legend=ramp_legend(title),
                ),
                tooltip=[
                    alt.Tooltip("model:N"),
                    alt.Tooltip("start:Q", title="from query", format=","),
                    alt.Tooltip("end:Q", title="to query", format=","),
                    alt.Tooltip("share:Q", title=title, format=".1%"),
                ],
            )
        )

    offered = (
        alt.Chart(alt.NamedData("offers"))
        .mark_bar(height=ROW * 0.84)
        .encode(
            x=over_queries("start", room=0),
            x2="end:Q",
            y=by_model(),
            color=alt.value(alt.expr("paper.band")),
        )
    )
    chart = alt.layer(
        offered,
        band("cells", -ROW * 0.21, "heatmap", "this entry"),
        band("plans", ROW * 0.21, "ramp", "stage oracle"),
    ).resolve_scale(color="independent")
    return BoardChart(
        "queries",
        "Queries by model over time",
        "Share of each stage's queries that a model served, mean over seeds: in each row the "
        "entry's above, the stage oracle's below. Shaded: the model was on offer.",
        ("offers", "cells", "plans"),
        chart.properties(height=alt.Step(ROW)),
        of_entry=True,
    )


def deployed_chart() -> BoardChart:
    """Which models were deployed, with arrivals and withdrawals."""
    import altair as alt

    offers = alt.Chart(alt.NamedData("offers"))
    lane = offers.mark_rule(size=2).encode(
        x=over_queries("start", room=0),
        x2="end:Q",
        y=by_model(),
        color=alt.value(alt.expr("paper.quiet")),
    )
    sets = (
        alt.Chart(alt.NamedData("cells"))
        .transform_filter(f"datum.place < {MODELS_DRAWN}")
        .mark_bar(height=12)
        .encode(
            x=over_queries("start", room=0),
            x2="end:Q",
            y=by_model(),
            color=alt.Color(
                "deployed:Q",
                scale=alt.Scale(domain=[0, 1], range="heatmap"),
                legend=ramp_legend("share of seeds"),
            ),
            tooltip=[
                alt.Tooltip("model:N"),
                alt.Tooltip("start:Q", title="from query", format=","),
                alt.Tooltip("end:Q", title="to query", format=","),
                alt.Tooltip("deployed:Q", title="deployed, share of seeds", format=".0%"),
            ],
        )
    )

    def mark(
        field: str, sign: str, words: str, align: Literal["left", "right"], dx: int
    ) -> alt.Chart:
        return (
            offers.transform_filter(f"isValid(datum.{field})")
            .mark_text(text=sign, fontSize=14, fontWeight="bold", align=align, dx=dx)
            .encode(
                x=over_queries(field, room=0),
                y=by_model(),
                tooltip=[
                    alt.Tooltip("model:N"),
                    alt.Tooltip(f"{field}:Q", title=words, format=","),
                ],
            )
        )

    return BoardChart(
        "deployed",
        "Deployed models over time",
        "Bars: deployed, the stronger the more seeds. Thin lines: on offer. "
        f"{_ARRIVES} arrives, {_LEAVES} is withdrawn.",
        ("offers", "cells"),
        alt.layer(
            lane,
            sets,
            mark("arrives", _ARRIVES, "arrives", "right", -1),
            mark("leaves", _LEAVES, "is withdrawn", "left", 2),
        ).properties(height=alt.Step(ROW)),
        of_entry=True,
    )
