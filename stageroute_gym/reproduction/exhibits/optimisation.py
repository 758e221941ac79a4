"""Charts and tables of the part ``optimisation``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stageroute_gym.report.tables import ReportTable
from stageroute_gym.reproduction.part import Chart, Measured, Table

if TYPE_CHECKING:
    import altair as alt


def charts(measured: Measured) -> list[Chart]:
    """Time against N and M_max, and memory."""
    times, memory = measured.timings["times"], measured.timings["memory"]
    base = measured.summary["base"]
    found = [
        Chart(
            "optimisation-times",
            "Time of the two programmes",
            "Microseconds for one programme, by solver: scipy makes a new model each time, HiGHS "
            "and Gurobi keep one and get its numbers changed. RouteOPT over N deployed models; "
            f"DeployOPT over N models with M_max = {base['slots']}, and with M_max slots over "
            f"N = {base['models']}. Scarce slots: small and unequal caps, so that the relaxation "
            "is not the solution and sets have to be searched. Of this machine; the fastest of "
            "several rounds.",
            _times(times, base),
        )
    ]
    known = [row for row in memory if row["mebibytes"] is not None]
    if known:
        found.append(
            Chart(
                "optimisation-memory",
                "Memory of StageRoute",
                "Peak of a process that plays StageRoute, beyond imports and compiled code, "
                "against the number of models.",
                _memory(known),
            )
        )
    return found


def tables(summary: Mapping[str, Any]) -> list[Table]:
    """How often the programmes run, and whether the solvers agree."""
    counts = tuple(
        (
            row["scenario"],
            *(f"{row[name]:,}" for name in ("models", "slots", "RouteOPT", "DeployOPT")),
        )
        for row in summary["episodes"]
    )
    columns = ("scenario", "N", "M_max", "RouteOPT in an episode", "DeployOPT in an episode")
    agreement = summary["agreement"]
    solvers = list(dict.fromkeys(name for row in agreement for name in row["differences"]))
    rows = tuple(
        (
            row["programme"],
            f"{row['models']:,}",
            str(row["slots"]),
            str(row["cases"]),
            *(_power(row["differences"].get(name)) for name in solvers),
        )
        for row in agreement
    )
    notes = (
        "Largest relative difference of the optimal values from those of the project's own "
        "methods, as a power of ten. Times and memory depend on the machine: they are in the "
        "charts, and in the folder timings.",
    )
    missing = tuple(f"{name} is not installed." for name in summary["missing"])
    return [
        Table(ReportTable("how often the two programmes run", columns, counts)),
        Table(
            ReportTable(
                "agreement of the solvers",
                ("programme", "N", "M_max", "programmes", *solvers),
                rows,
            ),
            (*notes, *missing),
        ),
    ]


def _power(power: int | None) -> str:
    return "below 1e-12" if power is None else f"below 1e{power}"


def _times(times: Sequence[Mapping[str, Any]], base: Mapping[str, int]) -> alt.TopLevelMixin:
    import altair as alt

    route = [row for row in times if row["programme"] == "RouteOPT"]
    deploy = [row for row in times if row["programme"] == "DeployOPT"]
    scarce = [row for row in times if row["programme"] == "DeployOPT, scarce slots"]
    panels = (
        ("RouteOPT, N deployed", "models", route),
        ("DeployOPT, N", "models", [row for row in deploy if row["slots"] == base["slots"]]),
        ("DeployOPT, M_max", "slots", [row for row in deploy if row["models"] == base["models"]]),
        ("DeployOPT, scarce slots, N", "models", scarce),
    )
    solvers = list(dict.fromkeys(row["solver"] for row in times))
    color = alt.Color(
        "solver:N",
        title=None,
        sort=solvers,
        scale=alt.Scale(domain=solvers),
        legend=alt.Legend(orient="top", symbolOpacity=1),
    )
    drawn: list[Any] = [
        alt.Chart({"values": rows})
        .mark_line(size=1.8, point=True)
        .encode(
            x=_axis(title, field, rows),
            y=alt.Y(
                "microseconds:Q",
                title=None if place else "µs a programme",
                scale=alt.Scale(type="log", domain=[0.5, 1e6]),
                axis=alt.Axis(format="~s", values=[10**power for power in range(7)]),
            ),
            color=color,
        )
        .properties(width=150, height=180)
        for place, (title, field, rows) in enumerate(panels)
    ]
    return alt.hconcat(*drawn)


def _memory(rows: Sequence[Mapping[str, Any]]) -> alt.TopLevelMixin:
    import altair as alt

    return (
        alt.Chart({"values": list(rows)})
        .mark_line(size=1.8, point=True)
        .encode(
            x=_axis("N", "models", rows),
            y=alt.Y("mebibytes:Q", title="MiB", axis=alt.Axis(tickCount=5)),
        )
        .properties(width=300, height=160)
    )


def _axis(title: str, field: str, rows: Sequence[Mapping[str, Any]]) -> alt.X:
    import altair as alt

    return alt.X(
        f"{field}:Q",
        title=title,
        scale=alt.Scale(type="log", nice=False, padding=8),
        axis=alt.Axis(
            values=sorted({row[field] for row in rows}), format="~r", grid=False, labelOverlap=True
        ),
    )
