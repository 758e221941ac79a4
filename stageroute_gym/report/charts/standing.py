"""Where entries stand in the end: score over scenarios, score against cost, time."""

from __future__ import annotations

from typing import Any

from stageroute_gym.evaluation.measures import BY_KEY, SCORE
from stageroute_gym.report.charts.parts import (
    GAP,
    LEGEND,
    NAME_SIZE,
    ROOM,
    ROW,
    SHAPES,
    BoardChart,
    apart,
    dash_of_kind,
    pixels,
    sized,
)


def profile_chart() -> BoardChart:
    """Performance profiles over all scenarios."""
    import altair as alt

    score = BY_KEY[SCORE].heading
    curves = alt.Chart(alt.NamedData("profile"))
    x = alt.X(
        "score:Q",
        title=f"{score}, at least",
        scale=alt.Scale(zero=False, nice=False, range=pixels(ROOM)),
        # At phone width the labels of more ticks would touch.
        axis=alt.Axis(tickCount=alt.expr(f"ceil((width - {ROOM}) / 60)")),
    )
    color = alt.Color("color:N", scale=None)
    line = curves.mark_line(size=2, interpolate="step-before").encode(
        x=x,
        y=alt.Y("share:Q", title="share of runs", axis=alt.Axis(format="%")),
        color=color,
        detail="entry:N",
        strokeDash=dash_of_kind(),
    )
    # A line that ends at 0 beside the others cannot be named at its end: a column, best on top.
    column = (
        curves.transform_aggregate(
            reached="sum(share)",
            low="min(score)",
            high="max(score)",
            points="count()",
            color="min(color)",
            kind="min(kind)",
            groupby=["entry"],
        )
        .transform_calculate(
            # The area to the left of the line is the mean.
            mean="datum.low + datum.reached * (datum.high - datum.low) / (datum.points - 1)"
        )
        .transform_window(order="row_number()", sort=[alt.SortField("mean", "descending")])
        .transform_joinaggregate(names="count()")
        .transform_calculate(label_y=f"1 - (datum.order - 0.5) * min({GAP}, 1 / datum.names)")
    )
    key = column.mark_rule(size=2).encode(
        x=alt.value(alt.expr(f"width - {ROOM - 6}")),
        x2=alt.value(alt.expr(f"width - {ROOM - 24}")),
        y=alt.Y("label_y:Q"),
        color=color,
        strokeDash=dash_of_kind(),
    )
    names = column.mark_text(align="left", fontSize=NAME_SIZE, limit=ROOM - 30).encode(
        x=alt.value(alt.expr(f"width - {ROOM - 30}")), y=alt.Y("label_y:Q"), text="entry:N"
    )
    return BoardChart(
        "profile",
        "In how many runs an entry reaches a score",
        f"Share of the runs with at least that {score}, every scenario counting the same; further "
        f"to the right is better. {LEGEND}",
        ("profile",),
        sized(alt.layer(line, key, names)),
        of_scenario=False,
    )


def cost_chart() -> BoardChart:
    """Score against cost, with the oracle's frontier."""
    import altair as alt

    x = alt.X(
        "cost:Q",
        title="spend, USD for 1,000 queries (logarithmic)",
        scale=alt.Scale(type="log", nice=False, padding=12, range=pixels(ROOM)),
        axis=alt.Axis(format="~g", grid=False, tickCount=5),
    )
    y = alt.Y("score:Q", title="score a query", scale=alt.Scale(zero=False))
    quiet = alt.value(alt.expr("paper.quiet"))
    frontier = alt.Chart(alt.NamedData("points")).transform_filter("datum.entry === null")
    line = frontier.mark_line(size=2).encode(x=x, y=y, color=quiet)
    end = (
        frontier.transform_joinaggregate(last="max(cost)")
        .transform_filter("datum.cost == datum.last")
        .transform_aggregate(cost="max(cost)", score="max(score)")
        .mark_text(align="left", dx=6, dy=-8, fontSize=NAME_SIZE, text="horizon oracle")
        .encode(x=x, y=y, color=quiet)
    )
    budget = alt.Chart(alt.NamedData("budget"))
    rule = budget.mark_rule(strokeDash=[4, 3]).encode(x=x, color=quiet)
    word = budget.mark_text(align="right", dx=-5, dy=4, baseline="top", fontSize=NAME_SIZE).encode(
        x=x, y=alt.value(0), text=alt.value("budget"), color=quiet
    )
    both = alt.Chart(alt.NamedData("points"))
    points = both.transform_filter("datum.entry !== null")
    dots = points.mark_point(size=80, filled=True, opacity=1).encode(
        x=x,
        y=y,
        color=alt.Color("color:N", scale=None),
        shape=alt.Shape(
            "kind:N",
            scale=alt.Scale(domain=list(SHAPES), range=list(SHAPES.values())),
            legend=None,
        ),
        tooltip=[
            alt.Tooltip("entry:N"),
            alt.Tooltip("cost:Q", title="USD for 1,000 queries", format=".4~g"),
            alt.Tooltip("score:Q", title="score a query", format=".4f"),
        ],
    )
    near = both.transform_joinaggregate(top="max(score)", bottom="min(score)")
    near = near.transform_filter("datum.entry !== null")
    # Names are kept apart where points lie one above the other: no twentieth of a decade between.
    along: list[Any] = [alt.SortField("cost")]
    near = (
        near.transform_window(before="lag(cost)", sort=along)
        .transform_calculate(further="datum.before > 0 && datum.cost > 1.12 * datum.before ? 1 : 0")
        .transform_window(column="sum(further)", sort=along, frame=[None, 0])
    )
    names = apart(near, "score", ("column",))
    # On a rim of paper, as lines pass below them.
    placed = names.encode(x=x, y=alt.Y("label_y:Q"), text="entry:N")
    text: dict[str, Any] = {"align": "left", "dx": 9, "fontSize": NAME_SIZE, "limit": ROOM - 14}
    name = placed.mark_text(**text)
    rim = placed.mark_text(**text, stroke=alt.expr("paper.back"), strokeWidth=4, strokeJoin="round")
    return BoardChart(
        "cost",
        "Score against cost",
        "Means over seeds, beside the most that can be expected for the money: the horizon oracle "
        "at other budgets. Circles: learners, squares: baselines, diamonds: references.",
        ("budget", "points"),
        sized(alt.layer(line, rule, word, end, rim, dots, name)),
    )


def time_chart() -> BoardChart:
    """Time of a decision."""
    import altair as alt

    times = alt.Chart(alt.NamedData("times"))
    y = alt.Y(
        "entry:N",
        title=None,
        sort=alt.SortField("microseconds"),
        axis=alt.Axis(labelLimit=ROOM, ticks=False, domain=False),
    )
    x = alt.X(
        "microseconds:Q",
        title="microseconds for one decision (logarithmic)",
        scale=alt.Scale(type="log", padding=16, range=pixels(32)),
        axis=alt.Axis(format="~g", grid=False, tickCount=4),
    )
    dots = times.mark_point(size=80, filled=True, opacity=1).encode(
        x=x, y=y, color=alt.Color("color:N", scale=None)
    )
    words = times.mark_text(align="left", dx=8, fontSize=NAME_SIZE).encode(
        x=x, y=y, text=alt.Text("microseconds:Q", format=".3~r")
    )
    return BoardChart(
        "time",
        "Time a decision",
        "Time of the agent for one decision in one environment, within its batch of episodes; "
        "depends on the machine.",
        ("times",),
        alt.layer(dots, words).properties(height=alt.Step(ROW)),
    )
