"""Tables of the part ``ablations``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stageroute_gym.report.tables import ReportTable
from stageroute_gym.reproduction.exhibits.cells import bounded
from stageroute_gym.reproduction.part import Chart, Measured, Table

HUNDREDTHS = 100.0
_VERDICTS = {"ahead": "helps", "behind": "harms", "-": "-"}


def charts(measured: Measured) -> list[Chart]:
    """None: the tables show it all."""
    return []


def tables(summary: Mapping[str, Any]) -> list[Table]:
    """Two tables for each agent: what its parts are worth on each scenario, and over worlds."""
    agents = dict.fromkeys(row["agent"] for row in summary["rows"])
    worlds = summary["worlds"]
    return [
        *(_table(agent, summary) for agent in agents),
        *(_over_worlds(found, worlds) for found in worlds["agents"]),
    ]


def _table(agent: str, summary: Mapping[str, Any]) -> Table:
    mine = [row for row in summary["rows"] if row["agent"] == agent]
    parts = list(dict.fromkeys(row["entry"] for row in mine))
    worth = {(row["entry"], row["scenario"]): row["ahead"] for row in mine}
    rows = tuple(
        (name, *(_cell(worth[part, name]) for part in parts)) for name in summary["scenarios"]
    )
    note = (
        f"Score / horizon oracle of {agent} less that of the entry, in hundredths, paired by "
        f"seed, ± half of the 95 % interval, {summary['seeds']} seeds: what is above 0 speaks for "
        "the part."
    )
    return Table(
        ReportTable(f"what the parts of {agent} are worth", ("scenario", *parts), rows), (note,)
    )


def _over_worlds(found: Mapping[str, Any], worlds: Mapping[str, Any]) -> Table:
    agent, number = found["agent"]["entry"], worlds["number"]
    rows = tuple(
        (
            *_standing(row),
            _cell(row["worth"]),
            _range(row["worth_middle"], HUNDREDTHS, "+z.1f"),
            _VERDICTS[row["verdict"]],
            f"{row['changed']} of {number}",
        )
        for row in found["without"]
    )
    columns = (
        *("entry", "interquartile mean", "mean", "worst 5 %", "worth"),
        *("interquartile mean of the worth", "verdict", "worlds with another score"),
    )
    title = f"what the parts of {agent} are worth over {number} random worlds"
    note = (
        f"Suite {worlds['suite']}, {worlds['seeds']} seeds; the unit is the world. Score / horizon "
        "oracle: its interquartile mean over worlds with a bootstrap interval, its mean, and that "
        f"of the worst 5 % of worlds. Worth: {agent} less the entry, in hundredths, paired by "
        "world, ± half of the 95 % interval. Helps, harms: beyond doubt by Student's t at 5 % "
        "after Holm's correction for all parts. Where the score is the same in all worlds, none of "
        "them has what the part is for."
    )
    whole = (*_standing(found["agent"]), "", "", "", "")
    return Table(ReportTable(title, columns, (whole, *rows)), (note,))


def _standing(row: Mapping[str, Any]) -> tuple[str, ...]:
    middle = _range({**row, "mean": row["middle"]}, 1.0, ".3f")
    return (row["entry"], middle, f"{row['mean']:.3f}", f"{row['worst']:.3f}")


def _range(value: Mapping[str, Any], scale: float, form: str) -> str:
    """A mean with the ends of its interval; without them where there is none."""
    mean, low, high = (value[key] for key in ("mean", "low", "high"))
    if low is None:
        return f"{mean * scale:{form}}"
    return f"{mean * scale:{form}} ({low * scale:{form}} to {high * scale:{form}})"


def _cell(value: Mapping[str, float | None]) -> str:
    scaled = {key: None if each is None else each * HUNDREDTHS for key, each in value.items()}
    shown = bounded(scaled, 1)
    return shown if shown.startswith("-") else f"+{shown}"
