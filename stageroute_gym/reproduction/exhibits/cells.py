"""Tables and figures that several parts of the reproduction show alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stageroute_gym.report.tables import ReportTable

# Labels of an axis of queries: the axis' own format calls 0 by the unit of the others, "0k".
THOUSANDS = "format(datum.value, '~s')"

SCORE_AND_SPEND = (
    "Cells: score / horizon oracle ± half of the 95 % interval over seeds, then the median of "
    "spend / budget."
)

REGRET_AND_SPEND = (
    "Cells: regret as a share of the stage oracle's score ± half of the 95 % interval over seeds, "
    "then the median of spend / budget; in the order of the mean score / horizon oracle. The "
    "interval is Student's t, which is too narrow where few seeds lose most."
)


def bounded(value: Mapping[str, float | None], digits: int = 3) -> str:
    """A mean with half of its interval; a dash where there is none.

    Args:
        value: ``mean``, ``low`` and ``high``.
        digits: decimals.
    """
    mean, high = value["mean"], value["high"]
    if mean is None:
        return "-"
    half = "" if high is None else f" ± {high - mean:,.{digits}f}"
    return f"{mean:z,.{digits}f}{half}"


def score_and_spend(row: Mapping[str, Any]) -> str:
    """A row of `stageroute_gym.reproduction.summing.entry_rows` as one cell."""
    return f"{bounded(row['score'])}, {row['spend']['median']:.2f}"


def regret_and_spend(row: Mapping[str, Any]) -> str:
    """Regret over the stage oracle's score and spend of such a row as one cell."""
    return f"{bounded(row['regret'])}, {row['spend']['median']:.2f}"


def by_entry(
    title: str,
    rows: Sequence[Mapping[str, Any]],
    column: Callable[[Mapping[str, Any]], str],
    cell: Callable[[Mapping[str, Any]], str] = score_and_spend,
) -> ReportTable:
    """A table with an entry a row, best mean score first, and references apart.

    Args:
        title: its title.
        rows: as `stageroute_gym.reproduction.summing.entry_rows` returns them.
        column: heading of the column that a row belongs to.
        cell: what stands there.
    """
    columns = list(dict.fromkeys(column(row) for row in rows))
    found = {(row["entry"], column(row)): row for row in rows}
    kinds = {str(row["entry"]): row["kind"] for row in rows}

    def mean(entry: str) -> float:
        scores = [found[entry, name]["score"]["mean"] for name in columns]
        return sum(scores) / len(scores)

    def block(entries: list[str]) -> tuple[tuple[str, ...], ...]:
        ordered = sorted(entries, key=lambda entry: (-mean(entry), entry))
        return tuple(
            (entry, f"{mean(entry):.3f}", *(cell(found[entry, name]) for name in columns))
            for entry in ordered
        )

    ranked = block([entry for entry, kind in kinds.items() if kind != "reference"])
    known = block([entry for entry, kind in kinds.items() if kind == "reference"])
    return ReportTable(title, ("entry", "mean score", *columns), ranked, known)
