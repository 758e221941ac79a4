"""The tables of a leaderboard and of a run, whatever shows them, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stageroute_gym.evaluation.measures import BEHIND_FIRST, BY_KEY, MEASURES, OF_EPISODES, SCORE
from stageroute_gym.evaluation.oracle_values import MOST_QUERY_VARIABLES, service_note
from stageroute_gym.evaluation.ranking import IQM

if TYPE_CHECKING:
    import polars as pl

_NAMES = (
    "entry",
    "agent",
    "best parameters",
    "scenario",
    "stratum",
    "best other",
    "models: share of the queries served",
    "claim of the paper",
    "what was measured",
    "verdict",
    "setting",
    "chosen here",
    "what is known",
    "what was tried",
    "what came of it",
    "why dropped",
    "what varies",
    "instance",
    "against",
    "programme",
    "rival",
)
_RANKED = tuple(measure for measure in MEASURES if measure.ranked)
LEGEND = (
    "Rank: one more than the number of entries that are better beyond doubt (paired by seed, "
    "Student's t at 5 %, Holm's correction for all pairs); those that cannot be told apart share "
    "it, and in brackets is how far down an entry may stand. Means over seeds ± half of the 95 % "
    "interval, or medians (smallest to largest value). Behind the first: the difference of the "
    "score, paired by seed, not corrected."
)
OVERALL_LEGEND = (
    "Overall: the mean over scenarios of score / horizon oracle, for entries that ran in all, "
    "ranked by it, with intervals over seeds; interquartile mean: of all episodes, without their "
    "best and worst quarters, with a bootstrap interval stratified by scenario."
)
ORACLE_LEGEND = (
    "Stage oracle: b USD a query in each stage; pool oracle: the same without M_max; horizon "
    "oracle: one budget for the horizon; task oracle: that without M_max, and it knows each "
    "query's task; query oracle: in hindsight of the first seed, it knows every model's score and "
    f"cost on each query (- where that takes more than {MOST_QUERY_VARIABLES:,} variables)."
)
BUDGET_LEGEND = (
    "Area: under the score over the logarithm of the budget, as a share of the horizon oracle's. "
    "Saving: the share of the cost of serving all queries with the best model on offer that is "
    "saved where the curve reaches that model's score (- where it does not)."
)
OVER_BUDGET = "(!) spent more than the budget: the rule is soft, and its score is bought."
REFERENCES = "references, which know the truth and have no rank"


@dataclass(frozen=True)
class ReportTable:
    """A table to show.

    Attributes:
        title: its title.
        columns: headings.
        rows: cells.
        references: cells of a block of its own below.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    references: tuple[tuple[str, ...], ...] = ()

    def holds_names(self, column: str) -> bool:
        """Whether names stand below a heading, and not numbers."""
        return column in _NAMES


def report_tables(summary: dict[str, Any], timings: pl.DataFrame) -> list[ReportTable]:
    """One table a scenario, the overall ranking if there is one, and the oracles.

    Args:
        summary: what `stageroute_gym.evaluation.ranking.rank` returns, and ``oracles``: by scenario
            and oracle the expected score a query, or None.
        timings: columns ``scenario``, ``entry`` and those of the measures that it holds.
    """
    timed = {(row["scenario"], row["entry"]): row for row in timings.iter_rows(named=True)}
    columns = ["rank", "entry", *(measure.heading for measure in _RANKED)]
    columns.insert(columns.index(BY_KEY[SCORE].heading) + 1, "behind the first")
    tables = [
        ReportTable(
            _title(name, part),
            tuple(columns),
            tuple(_row(row, timed[name, row["entry"]]) for row in part["ranking"]),
            tuple(_row(row, timed[name, row["entry"]]) for row in part["references"]),
        )
        for name, part in summary["scenarios"].items()
    ]
    if summary["overall"] is not None:
        tables.append(_overall_table(summary["overall"]))
    tables += [_budget_table(curves) for curves in summary["sweeps"]]
    return [*tables, _oracle_table(summary["oracles"])]


def episodes_table(rows: pl.DataFrame) -> ReportTable:
    """The books of each episode of one entry on one scenario."""
    first = rows.row(0, named=True)
    listed = [measure for measure in OF_EPISODES if measure.listed]
    cells = tuple(
        (str(row["seed"]), *(measure.number(row[measure.key]) for measure in listed))
        for row in rows.iter_rows(named=True)
    )
    title = f"{first['entry']} on {first['scenario']}, {first['env_id']}"
    return ReportTable(title, ("seed", *(measure.heading for measure in listed)), cells)


def stages_table(rows: pl.DataFrame, seed: int) -> ReportTable:
    """How one episode went: the models of each stage, what they served, score and spend.

    Args:
        rows: as `stageroute_gym.evaluation.stages.stage_rows` describes them, of one entry.
        seed: the episode's.
    """
    columns = (
        *("stage", "queries", "served", "score", "stage oracle", "regret", "spend (USD)"),
        *("activations", "models: share of the queries served"),
    )
    cells = []
    for row in rows.filter(seed=seed).iter_rows(named=True):
        pairs = sorted(zip(row["pulls"], row["deployed"], strict=True), key=lambda p: -p[0])
        shares = ", ".join(f"{name} {pulls / row['queries']:.0%}" for pulls, name in pairs)
        cells.append(
            (
                str(row["stage"] + 1),
                f"{row['queries']:,}",
                f"{row['served']:,}",
                f"{row['score']:,.1f}",
                f"{row['oracle_score']:,.1f}",
                f"{row['regret']:,.1f}",
                f"{row['spend']:.4g}",
                str(row["activations"]),
                shares or "-",
            )
        )
    return ReportTable(f"stages of seed {seed}", columns, tuple(cells))


def notes(summary: dict[str, Any]) -> list[str]:
    """What explains the tables' columns and marks."""
    parts = [*summary["scenarios"].values()]
    rows = [row for part in parts for row in (*part["ranking"], *part["references"])]
    means = "; ".join(f"{m.heading}: {m.meaning}" for m in _RANKED)
    served = {name: service_note(values) for name, values in summary["service"].items()}
    return [
        *(f"{name}: {line}." for name, line in served.items() if line),
        *_trained(summary),
        LEGEND,
        f"{means[0].upper()}{means[1:]}.",
        *([OVERALL_LEGEND] if summary["overall"] is not None else []),
        *([BUDGET_LEGEND] if summary["sweeps"] else []),
        ORACLE_LEGEND,
        *([OVER_BUDGET] if any(row["over_budget"] for row in rows) else []),
    ]


def _trained(summary: dict[str, Any]) -> list[str]:
    """On which scenarios the trained ones of the entries were trained."""
    entries = summary["settings"]["entries"].values()
    return [
        f"{entry['label']}: trained on scenarios: {', '.join(entry['trained_on'])}."
        for entry in entries
        if entry["trained_on"]
    ]


def markdown(tables: Iterable[ReportTable], notes: Iterable[str]) -> str:
    """The tables, and notes below them, as Markdown."""
    parts = []
    for table in tables:
        lines = [f"**{_escaped(table.title)}**", "", _line(map(_escaped, table.columns))]
        lines.append(_line(":---" if table.holds_names(c) else "---:" for c in table.columns))
        lines += [_line(map(_escaped, row)) for row in table.rows]
        if table.references:
            lines.append(_line(["", f"*{REFERENCES}*", *[""] * (len(table.columns) - 2)]))
            lines += [_line(map(_escaped, row)) for row in table.references]
        parts.append("\n".join(lines))
    return "\n\n".join([*parts, *notes]) + "\n"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    """A text without Markdown's signs for tables and emphasis; names may hold any."""
    for sign in "\\|*`<[":
        text = text.replace(sign, f"\\{sign}")
    return text


def _title(name: str, part: dict[str, Any]) -> str:
    problem = part["problem"]
    episodes = max(row["episodes"] for row in (*part["ranking"], *part["references"]))
    return (
        f"{name} v{problem['scenario_version']}: {problem['horizon']:,} queries, "
        f"budget {problem['budget']:g} USD a query ({problem['budget_rule']}), {episodes} seeds"
    )


def _row(row: dict[str, Any], timing: dict[str, Any]) -> tuple[str, ...]:
    cells = [_rank(row), row["entry"]]
    for measure in _RANKED:
        if measure.table == "timings":
            cells.append(measure.number(timing[measure.key]))
            continue
        mark = " (!)" if measure.key == "spend_over_budget" and row["over_budget"] else ""
        cells.append(measure.cell(row[measure.key]) + mark)
        if measure.key == SCORE:
            first = row["rank"] is not None and row[BEHIND_FIRST]["mean"] == 0
            cells.append("-" if first else measure.cell(row[BEHIND_FIRST]))
    return tuple(cells)


def _rank(row: dict[str, Any]) -> str:
    if row["rank"] is None:
        return "-"
    low, high = row["ranks"]
    return str(low) if low == high else f"{low} (to {high})"


def _overall_table(overall: dict[str, Any]) -> ReportTable:
    score = BY_KEY[SCORE]

    def cells(row: dict[str, Any]) -> tuple[str, ...]:
        middle = row[IQM]
        low, high = score.number(middle["low"]), score.number(middle["high"])
        interval = "" if middle["low"] is None else f" ({low} to {high})"
        return (
            _rank(row),
            row["entry"],
            score.cell(row[SCORE]),
            f"{score.number(middle['mean'])}{interval}",
        )

    return ReportTable(
        f"overall: mean of {len(overall['scenarios'])} scenarios",
        ("rank", "entry", score.heading, "interquartile mean"),
        tuple(cells(row) for row in overall["ranking"]),
        tuple(cells(row) for row in overall["references"]),
    )


def _budget_table(curves: dict[str, Any]) -> ReportTable:
    """Score a query at each budget, best area first."""

    def cells(label: str, part: dict[str, Any]) -> tuple[str, ...]:
        area, saving = part["area"], part.get("saving")
        return (
            label,
            *(f"{score:.3f}" for score in part["score"]),
            "-" if area is None else f"{area:.3f}",
            "-" if saving is None else f"{saving:.1%}",
        )

    entries = sorted(curves["entries"].items(), key=lambda item: (-(item[1]["area"] or 0), item[0]))
    return ReportTable(
        f"{curves['scenario']}: score a query at budgets in USD a query",
        ("entry", *(f"{budget:g}" for budget in curves["budgets"]), "area", "saving"),
        (
            cells("horizon oracle", curves["oracle"]),
            *(cells(label, part) for label, part in entries),
        ),
    )


def _oracle_table(oracles: dict[str, dict[str, float | None]]) -> ReportTable:
    def shown(value: float | None, horizon: float | None) -> str:
        return f"{value / horizon:.3f}" if value is not None and horizon else "-"

    names = next(iter(oracles.values()))
    rows = tuple(
        (scenario, *(shown(value, values["horizon"]) for value in values.values()))
        for scenario, values in oracles.items()
    )
    return ReportTable("oracles: expected score / horizon oracle", ("scenario", *names), rows)
