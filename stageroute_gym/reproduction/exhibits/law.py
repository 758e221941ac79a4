"""Charts and tables of the part ``law``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stageroute_gym.report.tables import ReportTable
from stageroute_gym.reproduction.part import Chart, Measured, Table

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

_TERM_COLUMNS = 3
_LINE_WIDTH = 172  # four panels fit the page
_FACTORS = {"num_stages": "K", "max_deployed": "M_max", "models": "N"}
_TERMS_NOTE = (
    "On noise an agent that never finds the good model loses the gap times T (1 - 1 / M_max), so "
    "that small M_max grow by more than the power; on discovery with N models N / M_max - 1 sets "
    "have to be missed, which falls and grows by more than the power where it is small."
)
_LINE = (
    "Regret, waiting included, over all horizons: mean over seeds. Dashed: what no agent's "
    "expectation is below, where it is known."
)


def charts(measured: Measured) -> list[Chart]:
    """Regret against T, the slopes, each term by itself, and the other agents."""
    means, summary = measured.tables["means"], measured.summary
    return [
        Chart(
            "law-lines",
            "Regret against T",
            f"{_LINE} StageRoute with the published gamma is locked out of the best model "
            "for good in some seeds, and loses linearly there.",
            _lines(means.filter(section="lines")),
        ),
        Chart(
            "law-slopes",
            "Slopes on log-log axes",
            f"Slope of regret against T from T = {summary['tail']:,} on, or over the last two "
            "horizons where there are fewer, with its 95 % interval over paired seeds. Ticks: the "
            "exponent expected, on stationary arrivals the largest that the theory allows. What "
            "leaves the plot is drawn at its edge.",
            _slopes(summary["lines"]),
        ),
        Chart(
            "law-terms",
            "Each term of the bound by itself",
            "Regret of StageRoute, with gamma in the order of the theory, against one factor at "
            "one T; above each the slope measured, with its 95 % interval. Dashed: the exponent "
            "that the term has, through the first point.",
            _terms(summary["terms"]),
        ),
        Chart(
            "law-others",
            "Others on the same instances",
            f"{_LINE} K = T^(1/3).",
            _lines(means.filter(section="others")),
        ),
        Chart(
            "law-gaps",
            "The hardest gap",
            "Regret over sqrt(M_max K T) on the instance noise, against the factor of its gap "
            "sqrt(M_max K / T): gaps of another order are easier.",
            _gaps(summary["gaps"]),
        ),
    ]


def tables(summary: Mapping[str, Any]) -> list[Table]:
    """Slopes of all lines, of the other agents, and of the terms."""
    tail = f"T from {summary['tail']:,}"
    notes = (
        "Slope: of the mean regret against T on log-log axes, with its 95 % interval (jackknife "
        "over seeds, paired over T). Expected: what the instance's dominant term and its floor "
        "grow as, up to logarithms; on stationary arrivals an upper bound. Waiting apart: the same "
        "over all T of regret by the stage oracle, which waits for newcomers too. A dash: a mean "
        "that is not above 0.",
    )
    columns = (
        *("instance", "K", "entry", "expected", "slope, all T", f"slope, {tail}"),
        *("waiting apart", "regret at the end", "no agent below", "T there", "seeds"),
    )
    found = tuple(_cells(row) for row in summary["lines"])
    others = tuple(_cells(row) for row in summary["others"])
    last = (*columns[:5], "slope, last two T", *columns[6:])
    terms = ("instance", "against", "expected", "slope", "values", "regret")
    rows = tuple(
        (
            row["instance"],
            _FACTORS[row["factor"]],
            f"{row['expected']:+.2f}",
            _slope(row["slope"]),
            ", ".join(f"{value:g}" for value in row["values"]),
            ", ".join(f"{mean:,.0f}" for mean in row["means"]),
        )
        for row in summary["terms"]
    )
    return [
        Table(ReportTable("slopes of regret against T", columns, found), notes),
        Table(ReportTable("others on the hard instances", last, others), notes),
        Table(ReportTable("each term of the bound by itself", terms, rows), (_TERMS_NOTE,)),
    ]


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    floor = row["unavoidable"]
    return (
        row["instance"],
        row["rule"],
        row["entry"],
        f"{'' if row['hard'] else 'at most '}{row['expected']:.2f}",
        _slope(row["slope"]),
        _slope(row["tail"]),
        _slope(row["own"]) if row["own"] != row["slope"] else "the same",
        f"{row['end']['mean']:,.0f}",
        f"{floor:,.0f}" if floor else "-",
        f"{row['end_horizon']:,}",
        str(row["seeds"]),
    )


def _slope(found: Mapping[str, float | None]) -> str:
    if found["mean"] is None:
        return "-"
    if found["low"] is None:
        return f"{found['mean']:.2f}"
    return f"{found['mean']:.3f} ({found['low']:.3f} to {found['high']:.3f})"


def _entry_colors(names: Sequence[str]) -> alt.Color:
    import altair as alt

    return alt.Color(
        "entry:N",
        title=None,
        sort=list(names),
        scale=alt.Scale(domain=list(names)),
        legend=alt.Legend(orient="top", labelLimit=220, symbolOpacity=1),
    )


def _horizon_axis(horizons: Sequence[int]) -> alt.X:
    import altair as alt

    return alt.X(
        "horizon:Q",
        title="T",
        scale=alt.Scale(type="log", nice=False),
        axis=alt.Axis(
            format=".2~s", values=list(horizons), grid=False, labelOverlap=True, labelSeparation=4
        ),
    )


def _lines(means: pl.DataFrame) -> alt.TopLevelMixin:
    import altair as alt
    import polars as pl

    rows = means.with_columns(total=pl.col("mean_regret") + pl.col("waiting"))
    names = rows["entry"].unique(maintain_order=True).to_list()
    kept = ("entry", "horizon", "total", "unavoidable")
    y = alt.Y(
        "total:Q",
        title="regret",
        scale=alt.Scale(type="log"),
        axis=alt.Axis(format="~s", values=[10**power for power in range(9)]),
    )
    rules = rows["rule"].unique(maintain_order=True).to_list()
    # Hard instances, which all rules have, come first, so that columns stand below each other.
    seen = rows.group_by("instance", maintain_order=True).agg(pl.col("rule").n_unique())
    instances = seen.sort("rule", descending=True, maintain_order=True)["instance"].to_list()
    lines: list[Any] = []
    for rule in rules:
        panels: list[Any] = []
        for instance in instances:
            mine = rows.filter(pl.col("total") > 0, instance=instance, rule=rule).select(kept)
            if mine.is_empty():
                continue
            x = _horizon_axis(mine["horizon"].unique().sort().to_list())
            base = alt.Chart({"values": mine.to_dicts()}).encode(x=x)
            line = base.mark_line(size=1.8, point=alt.OverlayMarkDef(size=22)).encode(
                y=y,
                color=_entry_colors(names),
                tooltip=["entry:N", alt.Tooltip("horizon:Q", format=","), "total:Q"],
            )
            floor = base.mark_line(size=1.2, strokeDash=[4, 3], opacity=0.8).encode(
                y=alt.Y("unavoidable:Q", title="regret"), color=alt.value("#808890")
            )
            known = bool((mine["unavoidable"] > 0).all())
            panel = alt.layer(*([floor] if known else []), line)
            panel = panel.properties(width=_LINE_WIDTH, height=140)
            panels.append(panel.properties(title=_heading(f"{instance}, K = {rule}")))
        lines.append(alt.hconcat(*panels))
    return alt.vconcat(*lines).resolve_scale(color="shared")


def _heading(text: str) -> alt.TitleParams:
    import altair as alt

    return alt.TitleParams(text, fontSize=10, anchor="start")


def _slopes(lines: Sequence[Mapping[str, Any]]) -> alt.TopLevelMixin:
    import altair as alt

    values = [
        {
            "where": f"{row['instance']}, K = {row['rule']}, {row['entry']}",
            "entry": row["entry"],
            "expected": row["expected"],
            "slope": row["tail"]["mean"],
            "low": row["tail"]["low"],
            "high": row["tail"]["high"],
        }
        for row in lines
        if row["tail"]["mean"] is not None
    ]
    names = list(dict.fromkeys(row["entry"] for row in values))
    scale = alt.Scale(domain=[0, 1.5], clamp=True, nice=False)
    axis = alt.Axis(values=[0, 1 / 3, 1 / 2, 2 / 3, 5 / 6, 1, 1.5], format=".2f")
    y = alt.Y(
        "where:N",
        title=None,
        sort=[row["where"] for row in values],
        axis=alt.Axis(labelLimit=330, ticks=False, domain=False),
    )
    base = alt.Chart({"values": values}).encode(y=y, color=_entry_colors(names))
    bars = base.mark_rule(size=2).encode(
        x=alt.X("low:Q", title="slope", scale=scale, axis=axis), x2="high:Q"
    )
    dots = base.mark_point(filled=True, size=45, opacity=1).encode(x=alt.X("slope:Q"))
    wanted = base.mark_tick(thickness=2, size=14).encode(
        x=alt.X("expected:Q"), color=alt.value("#808890")
    )
    return alt.layer(wanted, bars, dots).properties(width=430, height={"step": 17})


def _terms(terms: Sequence[Mapping[str, Any]]) -> alt.TopLevelMixin:
    import altair as alt

    panels = []
    for place, term in enumerate(terms):
        first, start = term["values"][0], term["means"][0]
        rows = [
            {"value": value, "regret": mean, "law": start * (value / first) ** term["expected"]}
            for value, mean in zip(term["values"], term["means"], strict=True)
        ]
        x = alt.X(
            "value:Q",
            title=_FACTORS[term["factor"]],
            scale=alt.Scale(type="log", nice=False, padding=8),
            axis=alt.Axis(values=term["values"], grid=False),
        )
        y = alt.Y(
            "regret:Q",
            title="regret" if place % _TERM_COLUMNS == 0 else None,
            scale=alt.Scale(type="log"),
            axis=alt.Axis(format="~s", tickCount=4),
        )
        base = alt.Chart({"values": rows}).encode(x=x)
        law = base.mark_line(strokeDash=[4, 3], size=1.2).encode(
            y=alt.Y("law:Q"), color=alt.value("#808890")
        )
        line = base.mark_line(size=1.8, point=True).encode(y=y)
        title = f"{term['instance']}, slope {_slope(term['slope'])}"
        panels.append(
            alt.layer(law, line).properties(
                width=210,
                height=150,
                title=_heading(title),
            )
        )
    return alt.concat(*panels, columns=_TERM_COLUMNS)


def _gaps(gaps: Sequence[Mapping[str, Any]]) -> alt.TopLevelMixin:
    import altair as alt

    values = [
        {"difficulty": row["difficulty"], "entry": row["entry"], **row["regret"]} for row in gaps
    ]
    names = list(dict.fromkeys(row["entry"] for row in values))
    base = alt.Chart({"values": values}).encode(
        x=alt.X(
            "difficulty:Q",
            title="gap over sqrt(M_max K / T)",
            scale=alt.Scale(type="log", nice=False),
            axis=alt.Axis(values=[0.1, 0.25, 0.5, 1, 2, 3, 6], format="~r", grid=False),
        ),
        color=_entry_colors(names),
    )
    band = base.mark_area(opacity=0.15).encode(
        y=alt.Y("low:Q", title="regret over sqrt(M_max K T)"), y2="high:Q"
    )
    line = base.mark_line(size=1.8, point=True).encode(y=alt.Y("mean:Q"))
    return alt.layer(band, line).properties(width=380, height=200)
