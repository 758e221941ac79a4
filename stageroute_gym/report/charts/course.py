"""How it went over the queries: regret and spend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stageroute_gym.report.charts.parts import (
    LEGEND,
    BoardChart,
    apart,
    dash_of_kind,
    end_names,
    over_queries,
    sized,
)

if TYPE_CHECKING:
    import altair as alt

BAND_OPACITY = 0.16


def regret_chart() -> BoardChart:
    """Cumulative regret."""
    return BoardChart(
        "regret",
        "Regret over time",
        "Expected score behind the stage oracle, summed up over the queries so far: mean over "
        f"seeds with its 95 % interval; thin lines are update points. {LEGEND}",
        ("stages", "curves"),
        _over_time("regret", "cumulative regret (score)", ",~r"),
    )


def spend_chart() -> BoardChart:
    """Spend beside the budget's pace."""
    import altair as alt

    pace = (
        alt.Chart(alt.NamedData("pace"))
        .mark_line(size=1.5, opacity=0.8)
        .encode(x=over_queries(), y=alt.Y("spent:Q"), color=alt.value(alt.expr("paper.quiet")))
    )
    return BoardChart(
        "spend",
        "Spend over time",
        "Share of the horizon's budget spent so far: median over seeds with the range; the thin "
        "straight line is the budget's even pace. A line that ends early at 100 % has run out.",
        ("stages", "curves", "pace"),
        _over_time("spent", "budget spent", "%", pace, reach=1.0),
    )


def _over_time(
    value: str, title: str, form: str, *behind: alt.Chart, reach: float = 0.0
) -> alt.TopLevelMixin:
    """Lines of ``curves`` with their bands and names; ``reach`` is the top of what is behind."""
    import altair as alt

    y = alt.Y(f"{value}:Q", title=title, axis=alt.Axis(format=form, tickCount=6))
    updates = (
        alt.Chart(alt.NamedData("stages"))
        .mark_rule(size=1, opacity=0.7)
        .encode(x=over_queries("start"), color=alt.value(alt.expr("paper.line")))
    )
    curves = alt.Chart(alt.NamedData("curves"))
    color = alt.Color("color:N", scale=None)
    band = curves.mark_area(opacity=BAND_OPACITY).encode(
        x=over_queries(),
        y=alt.Y(f"{value}_low:Q", title=title),
        y2=f"{value}_high:Q",
        color=color,
        detail="entry:N",
    )
    line = curves.mark_line(size=2).encode(
        x=over_queries(), y=y, color=color, detail="entry:N", strokeDash=dash_of_kind()
    )
    dots = curves.mark_point(size=90, opacity=0, filled=True).encode(
        x=over_queries(),
        y=y,
        tooltip=[
            alt.Tooltip("entry:N"),
            alt.Tooltip("t:Q", title="query", format=","),
            *(
                alt.Tooltip(f"{value}{end}:Q", title=words, format=form.replace("~", ".4~"))
                for end, words in (("", title), ("_low", "from"), ("_high", "to"))
            ),
        ],
    )
    # What the axis spans: the bands, which one seed has not, and what is drawn behind.
    spanned = curves.transform_joinaggregate(
        last="max(t)", groupby=["entry"]
    ).transform_joinaggregate(
        line_top=f"max({value})",
        line_bottom=f"min({value})",
        band_top=f"max({value}_high)",
        band_bottom=f"min({value}_low)",
    )
    last = spanned.transform_calculate(
        top=f"max({reach}, datum.line_top, isValid(datum.band_top) ? datum.band_top : 0)",
        bottom="min(0, datum.line_bottom, isValid(datum.band_bottom) ? datum.band_bottom : 0)",
    )
    ends = apart(last.transform_filter("datum.t == datum.last"), value)
    return sized(alt.layer(updates, *behind, band, line, dots, *end_names(ends, value)))
