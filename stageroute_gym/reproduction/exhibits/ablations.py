"""Tables of the part ``ablations``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stageroute_gym.report.tables import ReportTable
from stageroute_gym.reproduction.exhibits.cells import bounded
from stageroute_gym.reproduction.part import Chart, Measured, Table

HUNDREDTHS = 100.0


def charts(measured: Measured) -> list[Chart]:
    """None: the tables show it all."""
    return []


def tables(summary: Mapping[str, Any]) -> list[Table]:
    """A table for each agent: what its parts are worth on each scenario."""
    agents = dict.fromkeys(row["agent"] for row in summary["rows"])
    return [_table(agent, summary) for agent in agents]


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


def _cell(value: Mapping[str, float | None]) -> str:
    scaled = {key: None if each is None else each * HUNDREDTHS for key, each in value.items()}
    shown = bounded(scaled, 1)
    return shown if shown.startswith("-") else f"+{shown}"
