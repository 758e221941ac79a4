"""Charts and tables of the part ``sensitivity``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stageroute_gym.report.tables import ReportTable
from stageroute_gym.reproduction.exhibits.cells import bounded, score_and_spend
from stageroute_gym.reproduction.part import Chart, Measured, Table

if TYPE_CHECKING:
    import altair as alt

_TITLES = {
    "max_deployed": "slots, M_max",
    "num_stages": "stages, K",
    "budget": "budget b, USD for 1,000 queries",
    "throughput": "throughput, alpha",
    "deployment_cost": "cost of a deployment, USD",
    "feedback_delay": "delay of feedback, queries",
    "feedback_rate": "share of scores that come back",
    "failure_rate": "share of calls that fail",
    "pool": "models in the pool, N",
    "arrivals": "models that arrive later",
    "gamma": "StageRoute's gamma",
}


def charts(measured: Measured) -> list[Chart]:
    """Score against each factor, a panel each."""
    summary = measured.summary
    return [
        Chart(
            "sensitivity",
            "Score against each setting",
            f"Score / horizon oracle of that setting on {summary['scenario']}, mean over "
            f"{summary['seeds']} seeds with its 95 % interval; all other settings as they are. "
            "Vertical line: the scenario's own value.",
            _panels(summary),
        )
    ]


def tables(summary: Mapping[str, Any]) -> list[Table]:
    """How far each factor moves the score, and all cells."""
    rows = tuple(
        (
            _title(row["factor"]),
            row["entry"],
            f"{row['low']:.3f} at {_shown(row['factor'], row['low_at'])}",
            f"{row['high']:.3f} at {_shown(row['factor'], row['high_at'])}",
            bounded(row["difference"]),
            "-" if row["elasticity"] is None else bounded(row["elasticity"]),
        )
        for row in summary["ranges"]
    )
    columns = ("what varies", "entry", "lowest score", "highest score", "difference", "elasticity")
    notes = (
        "Score / horizon oracle, which knows the setting too; difference: of the highest and the "
        "lowest, paired by seed, with half of its 95 % interval, which looks at the extremes and "
        "so says too much of small ones. Elasticity: the slope of the score against the value on "
        "log-log axes, values of 0 left out.",
    )
    ranges = Table(ReportTable("how far each setting moves the score", columns, rows), notes)
    return [ranges, *(_cells(summary, factor) for factor in _factors(summary))]


def _cells(summary: Mapping[str, Any], factor: str) -> Table:
    mine = [row for row in summary["rows"] if row["factor"] == factor]
    values = list(dict.fromkeys(row["value"] for row in mine))
    found = {(row["entry"], row["value"]): row for row in mine}
    rows = tuple(
        (entry, *(score_and_spend(found[entry, value]) for value in values))
        for entry in dict.fromkeys(row["entry"] for row in mine)
    )
    columns = ("entry", *(_shown(factor, value) for value in values))
    return Table(ReportTable(f"score and spend by {_title(factor)}", columns, rows))


def _title(factor: str) -> str:
    return _TITLES.get(factor, factor)


def _scaled(factor: str, value: float) -> float:
    return value * 1000 if factor == "budget" else value


def _shown(factor: str, value: float) -> str:
    return f"{_scaled(factor, value):g}"


def _factors(summary: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(row["factor"] for row in summary["rows"]))


def _panels(summary: Mapping[str, Any]) -> alt.TopLevelMixin:
    import altair as alt

    names = list(dict.fromkeys(row["entry"] for row in summary["rows"]))
    panels: list[Any] = []
    for place, factor in enumerate(_factors(summary)):
        rows = [row for row in summary["rows"] if row["factor"] == factor]
        base = summary["base"].get(factor)
        panels.append(_panel(rows, factor, names, base, first=place % 3 == 0))
    return alt.concat(*panels, columns=3).resolve_scale(color="shared")


def _panel(
    rows: Sequence[Mapping[str, Any]],
    factor: str,
    names: Sequence[str],
    base: float | None,
    *,
    first: bool,
) -> alt.TopLevelMixin:
    import altair as alt

    values = [
        {
            "value": _scaled(factor, row["value"]),
            "entry": row["entry"],
            "score": row["score"]["mean"],
            "low": row["score"]["low"],
            "high": row["score"]["high"],
        }
        for row in rows
    ]
    title = "score / horizon oracle" if first else None
    scale = alt.Scale(zero=False, nice=True)
    marks = sorted({row["value"] for row in values})
    x_scale = alt.Scale(type="log", nice=False, padding=6)
    if marks[0] == 0:
        # Linear up to the smallest value above 0, logarithmic from there on.
        linear = min(marks[1:], default=1.0)
        x_scale = alt.Scale(type="symlog", constant=linear, nice=False, padding=6)
    x = alt.X(
        "value:Q",
        title=_title(factor),
        scale=x_scale,
        axis=alt.Axis(values=marks, format="~r", grid=False, labelOverlap=True),
    )
    y = alt.Y("score:Q", title=title, scale=scale, axis=alt.Axis(format=".2f", tickCount=4))
    color = alt.Color(
        "entry:N",
        title=None,
        sort=list(names),
        scale=alt.Scale(domain=list(names)),
        legend=alt.Legend(orient="top", columns=5, labelLimit=220, symbolOpacity=1),
    )
    chart = alt.Chart({"values": values}).encode(x=x, color=color)
    band = chart.mark_area(opacity=0.15).encode(
        y=alt.Y("low:Q", title=title, scale=scale), y2="high:Q"
    )
    line = chart.mark_line(size=1.8, point=alt.OverlayMarkDef(size=18)).encode(y=y)
    layers: list[alt.Chart] = [band, line]
    if base is not None:
        own = alt.Chart({"values": [{"value": _scaled(factor, base)}]})
        layers.insert(0, own.mark_rule(strokeDash=[2, 3]).encode(x=x))
    return alt.layer(*layers).properties(width=190, height=130)
