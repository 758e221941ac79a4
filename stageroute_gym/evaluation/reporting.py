"""The tables of a leaderboard, for the terminal and as Markdown; both from the same cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stageroute_gym.evaluation.ranking import RANKED_BY

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table

_COLUMNS = (
    "rank",
    "agent",
    "score / horizon oracle",
    "behind the first",
    "regret",
    "spend / budget",
    "unserved",
    "forbidden",
    "µs / decision",
)
_NAMES = ("agent", "scenario")
_OVERALL_COLUMNS = ("rank", "agent", "score / horizon oracle")
LEGEND = (
    "Means over seeds ± half of the 95 % interval. Behind the first: the difference of that score, "
    "paired by seed. Regret: score behind the stage oracle, over "
    "the horizon; unserved: queries declined or never reached; forbidden: share of actions that "
    "the mask forbids; µs / decision: of the agent."
)
# The query oracle's programme then takes about five seconds.
MOST_QUERY_VARIABLES = 500_000
ORACLE_LEGEND = (
    "Stage oracle: b USD a query in each stage; pool oracle: the same without M_max; horizon "
    "oracle: one budget for the horizon; task oracle: that without M_max, and it knows each "
    "query's task; query oracle: in hindsight of the first seed, it knows every model's score and "
    f"cost on each query (- where that takes more than {MOST_QUERY_VARIABLES:,} variables)."
)
OVER_BUDGET = "(!) spent more than the budget: the rule is soft, and its score is bought."


@dataclass(frozen=True)
class ReportTable:
    """A table to show.

    Attributes:
        title: its title.
        columns: headings; below ``agent`` and ``scenario`` stand names, below the others numbers.
        rows: cells.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def report_tables(summary: dict[str, Any], timings: pl.DataFrame) -> list[ReportTable]:
    """One table a scenario, the overall ranking if there is one, and the oracles.

    Args:
        summary: what `stageroute_gym.evaluation.ranking.rank` returns, and ``oracles``: by scenario
            and oracle the expected score a query, or None.
        timings: columns ``scenario``, ``agent``, ``agent_microseconds``.
    """
    speed = {
        (scenario, agent): microseconds
        for scenario, agent, microseconds in timings.select(
            "scenario", "agent", "agent_microseconds"
        ).iter_rows()
    }
    tables = [
        ReportTable(
            _title(name, part),
            _COLUMNS,
            tuple(_row(entry, speed[name, entry["agent"]]) for entry in part["ranking"]),
        )
        for name, part in summary["scenarios"].items()
    ]
    if summary["overall"]:
        rows = tuple(
            (str(entry["rank"]), entry["agent"], _number(entry[RANKED_BY], 3))
            for entry in summary["overall"]
        )
        title = f"overall: mean of {len(summary['scenarios'])} scenarios"
        tables.append(ReportTable(title, _OVERALL_COLUMNS, rows))
    return [*tables, _oracle_table(summary["oracles"])]


def _oracle_table(oracles: dict[str, dict[str, float | None]]) -> ReportTable:
    def shown(value: float | None, horizon: float | None) -> str:
        return f"{value / horizon:.3f}" if value is not None and horizon else "-"

    names = next(iter(oracles.values()))
    rows = tuple(
        (scenario, *(shown(value, values["horizon"]) for value in values.values()))
        for scenario, values in oracles.items()
    )
    return ReportTable("oracles: expected score / horizon oracle", ("scenario", *names), rows)


def rich_table(table: ReportTable) -> Table:
    """The table for a terminal."""
    from rich.box import SIMPLE
    from rich.table import Table

    shown = Table(box=SIMPLE, title=table.title, title_justify="left", title_style="bold")
    for place, column in enumerate(table.columns):
        # Where the terminal is narrow, lines break between words, never inside.
        words = " ".join([column, *(row[place] for row in table.rows)]).split()
        left = column in _NAMES
        shown.add_column(
            column, justify="left" if left else "right", min_width=max(map(len, words))
        )
    for row in table.rows:
        shown.add_row(*row)
    return shown


def markdown(tables: list[ReportTable], notes: list[str]) -> str:
    """The tables, and notes below them, as Markdown."""
    parts = []
    for table in tables:
        lines = [f"**{table.title}**", "", f"| {' | '.join(table.columns)} |"]
        marks = [":---" if column in _NAMES else "---:" for column in table.columns]
        lines.append(f"| {' | '.join(marks)} |")
        lines += [f"| {' | '.join(row)} |" for row in table.rows]
        parts.append("\n".join(lines))
    return "\n\n".join([*parts, *notes]) + "\n"


def notes(summary: dict[str, Any]) -> list[str]:
    """What explains the tables' columns and marks."""
    entries = [e for part in summary["scenarios"].values() for e in part["ranking"]]
    marked = any(entry["over_budget"] for entry in entries)
    return [LEGEND, ORACLE_LEGEND, *([OVER_BUDGET] if marked else [])]


def _title(name: str, part: dict[str, Any]) -> str:
    problem = part["problem"]
    episodes = max(entry["episodes"] for entry in part["ranking"])
    return (
        f"{name} v{problem['scenario_version']}: {problem['horizon']:,} queries, "
        f"budget {problem['budget']:g} USD a query ({problem['budget_rule']}), {episodes} seeds"
    )


def _row(entry: dict[str, Any], microseconds: float) -> tuple[str, ...]:
    mark = " (!)" if entry["over_budget"] else ""
    return (
        str(entry["rank"]),
        entry["agent"],
        _number(entry[RANKED_BY], 3),
        _number(entry["behind_first"], 3) if entry["rank"] > 1 else "-",
        _number(entry["regret"], 0),
        _number(entry["spend_over_budget"], 3) + mark,
        _number(entry["unserved"], 0),
        f"{entry['invalid_share']['mean']:.1%}",
        f"{microseconds:.1f}",
    )


def _number(value: dict[str, Any], digits: int) -> str:
    """Mean and half-width of an estimate; a dash where there is no value."""
    if value["mean"] is None:
        return "-"
    mean = f"{value['mean']:,.{digits}f}"
    if value["high"] is None:
        return mean
    return f"{mean} ± {value['high'] - value['mean']:,.{digits}f}"
