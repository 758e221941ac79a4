"""The files of a finished leaderboard, read for a report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.storage import (
    ORACLES,
    RESULTS,
    STAGES,
    TIMINGS,
    read_table,
)
from stageroute_gym.evaluation.summary import WRITE_AGAIN, read_summary

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, eq=False)
class Results:
    """What a leaderboard wrote.

    Attributes:
        summary: ``leaderboard.json``: settings, ranking, oracles.
        episodes: ``results.parquet``, see `stageroute_gym.evaluation.books.episode_rows`.
        stages: ``stages.parquet``, see `stageroute_gym.evaluation.stages.stage_rows`.
        oracles: ``oracles.parquet``, see `stageroute_gym.evaluation.oracle_plans.oracle_rows`.
        timings: ``timings.parquet``.
    """

    summary: dict[str, Any]
    episodes: pl.DataFrame
    stages: pl.DataFrame
    oracles: pl.DataFrame
    timings: pl.DataFrame

    @property
    def scenarios(self) -> list[str]:
        """Names of the scenarios, in their order."""
        return list(self.summary["scenarios"])

    @property
    def horizons(self) -> dict[str, int]:
        """Queries of an episode, by the scenario's name."""
        parts = self.summary["scenarios"]
        return {name: part["problem"]["horizon"] for name, part in parts.items()}

    @property
    def budget_sweeps(self) -> dict[str, list[str]]:
        """Names of the scenarios that are one at several budgets, by that one's name."""
        return {curves["scenario"]: curves["variants"] for curves in self.summary["sweeps"]}

    @property
    def kinds(self) -> dict[str, str]:
        """Kind of each entry, by its label, in the order of their ranking."""
        parts = [self.summary["overall"], *self.summary["scenarios"].values()]
        return {
            row["entry"]: row["kind"]
            for part in parts
            if part is not None
            for row in (*part["ranking"], *part["references"])
        }


def read_results(folder: str | Path, field: str = "dir") -> Results:
    """Read what a leaderboard wrote to a folder.

    Args:
        folder: the folder.
        field: name of the argument that holds it, for errors.

    Raises:
        FieldError: if a file is absent or cannot be read, or no entry has finished.
    """
    path = Path(folder)
    summary = read_summary(path, field)
    tables = [_table(path, name, field) for name in (RESULTS, STAGES, ORACLES, TIMINGS)]
    return Results(summary, *tables)


def _table(path: Path, name: str, field: str) -> pl.DataFrame:
    import polars as pl

    if not (path / name).is_file():
        raise FieldError(field, str(path), f"a folder with {name}; {WRITE_AGAIN}")
    try:
        return read_table(path / name)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise FieldError(field, str(path), f"a readable {name}; {error}") from error
