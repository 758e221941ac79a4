"""Score against the budget, where a leaderboard sweeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stageroute_gym.report.charts.parts import (
    LEGEND,
    NAME_SIZE,
    ROOM,
    BoardChart,
    apart,
    dash_of_kind,
    end_names,
    pixels,
    sized,
)

if TYPE_CHECKING:
    pass


def budget_chart() -> BoardChart:
    """Score against the budget, beside the oracle's and the best single model's."""
    import altair as alt

    x = alt.X(
        "cost:Q",
        title="budget, USD for 1,000 queries (logarithmic)",
        scale=alt.Scale(type="log", nice=False, range=pixels(ROOM)),
        axis=alt.Axis(format="~g", grid=False, tickCount=5),
    )
    y = alt.Y("score:Q", title="score a query", scale=alt.Scale(zero=False))
    quiet, color = alt.value(alt.expr("paper.quiet")), alt.Color("color:N", scale=None)
    both = alt.Chart(alt.NamedData("budgets"))
    entries = both.transform_filter("datum.entry !== null")
    oracle = (
        both.transform_filter("datum.entry === null")
        .mark_line(size=2)
        .encode(x=x, y=y, color=quiet)
    )
    single = alt.Chart(alt.NamedData("single"))
    rule = single.mark_rule(strokeDash=[4, 3]).encode(
        x=alt.value(0), x2=alt.value(alt.expr(f"width - {ROOM}")), y=y, color=quiet
    )
    word = single.mark_text(align="left", dx=4, dy=-6, fontSize=NAME_SIZE).encode(
        x=alt.value(0), y=y, text=alt.value("best single model"), color=quiet
    )
    line = entries.mark_line(size=2).encode(
        x=x, y=y, color=color, detail="entry:N", strokeDash=dash_of_kind()
    )
    dots = entries.mark_point(size=45, filled=True, opacity=1).encode(
        x=x,
        y=y,
        color=color,
        tooltip=[
            alt.Tooltip("entry:N"),
            alt.Tooltip("cost:Q", title="budget, USD for 1,000 queries", format=".4~g"),
            alt.Tooltip("score:Q", title="score a query", format=".4f"),
        ],
    )
    # The oracle's end is named as an entry's is, so that the names stay apart.
    ends = (
        both.transform_joinaggregate(top="max(score)", bottom="min(score)", last="max(cost)")
        .transform_filter("datum.cost === datum.last")
        .transform_calculate(
            entry="datum.entry === null ? 'best plan' : datum.entry",
            color="datum.entry === null ? paper.quiet : datum.color",
        )
    )
    return BoardChart(
        "budget",
        "Score against the budget",
        "Means over seeds at each budget of the sweep; the best plan is the horizon oracle's. "
        "Dashed across: the best model on offer, if "
        f"it served all queries, whatever the budget. {LEGEND}",
        ("budgets", "single"),
        sized(alt.layer(rule, word, oracle, line, dots, *end_names(apart(ends, "score"), "score"))),
        of_sweep=True,
    )
