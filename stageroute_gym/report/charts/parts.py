"""What the charts of a leaderboard share: axes, and names that stay apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import altair as alt

HEIGHT = 320
# Of a chart with names at the ends of its lines, at least this for each.
PIXELS_AN_ENTRY = 22
# Pixels to the right of a plot, for the names at the ends of its lines.
ROOM = 124
# Of a plot's range, the least distance between two names.
GAP = 0.058
# Pixels: letters of names in a plot, and a row of a chart by model or entry.
NAME_SIZE, ROW = 11, 20
DASHES = {"learner": [1, 0], "baseline": [7, 3], "reference": [2, 3]}
SHAPES = {"learner": "circle", "baseline": "square", "reference": "diamond"}
LEGEND = "Lines: solid for learners, dashed for baselines, dotted for references."


@dataclass(frozen=True, eq=False)
class BoardChart:
    """One chart.

    Attributes:
        name: what files and page elements are called after.
        title: heading.
        text: what is drawn, in a sentence or two.
        tables: names of the tables that it draws.
        chart: the specification, without width.
        of_scenario: whether it shows one scenario; all of them otherwise.
        of_entry: whether it shows one entry; all that are switched on otherwise.
        of_sweep: whether it shows all budgets of the scenario's sweep.
    """

    name: str
    title: str
    text: str
    tables: tuple[str, ...]
    chart: alt.TopLevelMixin
    of_scenario: bool = True
    of_entry: bool = False
    of_sweep: bool = False

    def specification(self) -> dict[str, Any]:
        """The chart as Vega-Lite, without data, width and colours."""
        specification: dict[str, Any] = self.chart.to_dict()
        for key in ("config", "$schema"):
            specification.pop(key, None)
        # The height is the plot's own; only the width is what there is.
        specification["autosize"] = {"type": "fit-x", "contains": "padding"}
        return specification


def over_queries(field: str = "t", room: int = ROOM) -> alt.X:
    """An axis of queries that leaves ``room`` pixels to the right of the plot."""
    import altair as alt

    return alt.X(
        f"{field}:Q",
        title="query",
        scale=alt.Scale(domain=[0, alt.expr("horizon")], nice=False, range=pixels(room)),
        axis=alt.Axis(format=",d", grid=False, tickCount=5, labelOverlap=True, labelSeparation=8),
    )


def by_model() -> alt.Y:
    """A row for each model, in the order of their places."""
    import altair as alt

    return alt.Y(
        "model:N",
        title=None,
        sort=alt.EncodingSortField("place", op="min"),
        scale=alt.Scale(paddingInner=0.15),
        axis=alt.Axis(labelLimit=ROOM, ticks=False, domain=False),
    )


def ramp_legend(title: str) -> alt.Legend:
    """A legend of shares, above the plot."""
    import altair as alt

    return alt.Legend(
        title=title,
        orient="top",
        direction="horizontal",
        format="%",
        gradientLength=64,
        values=[0, 0.5, 1],
    )


def dash_of_kind() -> alt.StrokeDash:
    """Lines dashed by the entry's kind."""
    import altair as alt

    scale = alt.Scale(domain=list(DASHES), range=list(DASHES.values()))
    return alt.StrokeDash("kind:N", scale=scale, legend=None)


def pixels(room: int) -> list[Any]:
    """Pixels from the left to ``room`` before the right."""
    import altair as alt

    return [0, alt.expr(f"width - {room}")]


def apart(chart: alt.Chart, value: str, groups: tuple[str, ...] = ()) -> alt.Chart:
    """Rows with ``label_y``: ``value``, moved so far that two names do not overlap.

    From below, each is moved up to a distance above the one before it, then all of them down by the
    mean of that, and those that would leave what is drawn back into it. The distance is `GAP`, or
    what there is for each. Needs ``top`` and ``bottom`` of what is drawn.
    """
    import altair as alt

    order: list[Any] = [alt.SortField(value), alt.SortField("entry")]
    by: list[Any] = list(groups)
    lowest = "datum.bottom + (datum.order - 1) * datum.gap"
    highest = "datum.top - (datum.names - datum.order) * datum.gap"
    return (
        chart.transform_joinaggregate(names="count()", groupby=by)
        .transform_calculate(gap=f"(datum.top - datum.bottom || 1) * min({GAP}, 1 / datum.names)")
        .transform_window(order="row_number()", sort=order, groupby=by)
        .transform_calculate(least=f"datum.{value} - datum.order * datum.gap")
        .transform_window(reached="max(least)", sort=order, frame=[None, 0], groupby=by)
        .transform_calculate(raised="datum.reached + datum.order * datum.gap")
        .transform_calculate(moved=f"datum.raised - datum.{value}")
        .transform_joinaggregate(shift="mean(moved)", groupby=by)
        .transform_calculate(
            label_y=f"max({lowest}, min(datum.raised - datum.shift, {highest}))",
        )
    )


def end_names(ends: alt.Chart, value: str) -> tuple[alt.Chart, alt.Chart]:
    """The names at the right of lines, and what ties them to the lines' ends."""
    import altair as alt

    tie = ends.mark_rule(size=1, opacity=0.6).encode(
        x=alt.value(alt.expr(f"width - {ROOM}")),
        x2=alt.value(alt.expr(f"width - {ROOM - 12}")),
        y=alt.Y(f"{value}:Q"),
        y2="label_y:Q",
        color=alt.Color("color:N", scale=None),
    )
    name = ends.mark_text(align="left", fontSize=NAME_SIZE, limit=ROOM - 16).encode(
        x=alt.value(alt.expr(f"width - {ROOM - 15}")), y=alt.Y("label_y:Q"), text="entry:N"
    )
    return tie, name


def sized(chart: alt.LayerChart | alt.FacetChart) -> alt.TopLevelMixin:
    """A chart of the common height."""
    return chart.properties(height=HEIGHT)
