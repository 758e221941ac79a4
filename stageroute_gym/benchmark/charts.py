"""The growth section as one chart: a panel for each factor, time above memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from stageroute_gym.benchmark.growth import COLUMNS, FACTORS
from stageroute_gym.benchmark.section import Section

if TYPE_CHECKING:
    import altair as alt

COLORS = ("#4c78a8", "#f58518", "#54a24b")
WIDTH, HEIGHT = 210, 190
DECADES = [10.0**power for power in range(-3, 7)]
# 1,000,000 would not fit below a panel, and 4.096k is no number that anyone knows.
NUMBERS = "format(datum.value, datum.value && datum.value % 1000 == 0 ? '~s' : ',')"


def growth_chart(growth: Section) -> alt.VConcatChart:
    """Microseconds and MiB over each factor, on logarithmic axes.

    Args:
        growth: what `stageroute_gym.benchmark.growth.measure` returned.
    """
    import altair as alt

    *times, memory = COLUMNS
    records = growth.records()
    long = [
        {"factor": r["factor"], "value": r["value"], "what": name, "microseconds": r[name]}
        for r in records
        for name in times
    ]
    known = [r for r in records if r[memory] is not None]
    color = alt.Color(
        "what:N",
        title=None,
        sort=times,
        scale=alt.Scale(domain=times, range=list(COLORS)),
        legend=alt.Legend(orient="top", direction="horizontal"),
    )
    panels = [
        _panel(alt, long, factor, "microseconds", "µs for one environment", place == 0).encode(
            color=color
        )
        for place, factor in enumerate(FACTORS)
    ]
    rows = [alt.hconcat(*panels).resolve_scale(y="shared")]
    if known:
        below = [
            _panel(alt, known, factor, memory, "MiB beyond the imports", place == 0, "linear")
            for place, factor in enumerate(FACTORS)
        ]
        rows.append(alt.hconcat(*below).resolve_scale(y="shared"))
    return (
        alt.vconcat(*rows)
        .properties(title="How time and memory grow")
        .configure_title(anchor="start", fontSize=16)
        .configure_axis(labelFontSize=11, titleFontSize=12, gridColor="#e6e6e6")
        .configure_legend(labelFontSize=12)
        .configure_view(stroke=None)
    )


def write_chart(growth: Section, folder: Path) -> list[Path]:
    """Write the chart as a page and as a picture.

    Args:
        growth: the growth section.
        folder: where to.
    """
    chart = growth_chart(growth)
    page, picture = folder / "bench.html", folder / "bench.png"
    chart.save(page, inline=True)
    chart.save(picture, scale_factor=2.0)
    return [page, picture]


def _panel(
    alt: Any,
    records: list[dict[str, Any]],
    factor: str,
    column: str,
    title: str,
    first: bool,
    scale: str = "log",
) -> Any:
    """Lines over one factor; only the first panel of a row has a titled vertical axis."""
    chosen = [record for record in records if record["factor"] == factor]
    marks = {"values": DECADES} if scale == "log" else {"tickCount": 5}
    values = sorted({record["value"] for record in chosen})
    return (
        alt.Chart(alt.Data(values=chosen), width=WIDTH, height=HEIGHT)
        .mark_line(point=True)
        .encode(
            x=alt.X(
                "value:Q",
                title=factor,
                scale=alt.Scale(type="log", nice=False, padding=12),
                axis=alt.Axis(values=values, labelExpr=NUMBERS, labelOverlap=True, grid=False),
            ),
            y=alt.Y(
                f"{column}:Q",
                title=title if first else None,
                scale=alt.Scale(type=scale),
                axis=alt.Axis(labels=first, ticks=first, domain=first, labelExpr=NUMBERS, **marks),
            ),
        )
    )
