"""Chart and tables of the part ``worlds``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stageroute_gym.report.strata_tables import STRATA_LEGEND, Standing, tables_of
from stageroute_gym.reproduction.part import Chart, Measured, Table

if TYPE_CHECKING:
    import altair as alt


def charts(measured: Measured) -> list[Chart]:
    """The entry's lead over the best other one, stratum by stratum."""
    summary = measured.summary
    caption = (
        f"{summary['entry']} less the best other entry of the stratum, paired by world, with 95 % "
        f"intervals that are not corrected for the number of strata; {summary['worlds']} worlds of "
        f"suite {summary['suite']}, {summary['env_id']}. Right of 0: ahead. Intervals are cut at "
        "-1 and 1."
    )
    return [Chart("strata", "Where the lead is, and where not", caption, _leads(summary))]


def tables(summary: Mapping[str, Any]) -> list[Table]:
    """Entries over worlds, one against each other one, and in each stratum."""
    overall, rivals, strata = tables_of(Standing.from_dict(summary))
    where = f"Suite {summary['suite']}, {summary['env_id']}, {summary['seeds']} seeds."
    return [
        Table(overall, (where[0].upper() + where[1:],)),
        Table(rivals),
        Table(strata, (STRATA_LEGEND,)),
    ]


def _leads(summary: Mapping[str, Any]) -> alt.TopLevelMixin:
    import altair as alt

    values: list[dict[str, Any]] = [
        {
            "stratum": f"{row.respect}: {row.level}",
            "mean": row.difference.mean,
            "low": row.difference.mean - (row.difference.half_width or 0.0),
            "high": row.difference.mean + (row.difference.half_width or 0.0),
            "rival": row.rival,
        }
        for row in Standing.from_dict(summary).strata
        if row.difference.mean is not None
    ]
    names = [str(value["stratum"]) for value in values]
    base = alt.Chart({"values": values}).encode(
        y=alt.Y("stratum:N", title=None, sort=names, axis=alt.Axis(labelLimit=230)),
        tooltip=["stratum:N", "rival:N", alt.Tooltip("mean:Q", format="+.3f")],
    )
    title = "difference in score / horizon oracle"
    widest = max((abs(float(v[end])) for v in values for end in ("low", "high")), default=1.0)
    scale = alt.Scale(domain=[-min(widest, 1.0), min(widest, 1.0)], clamp=True)
    zero = alt.Chart({"values": [{"at": 0}]}).mark_rule(strokeDash=[4, 3]).encode(x="at:Q")
    spans = base.mark_rule(size=2).encode(x=alt.X("low:Q", title=title, scale=scale), x2="high:Q")
    dots = base.mark_point(filled=True, opacity=1, size=45).encode(x="mean:Q")
    return alt.layer(zero, spans, dots).properties(height={"step": 18})
