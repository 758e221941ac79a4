"""The page of a leaderboard: what can be concluded, the tables, and the charts that follow them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from stageroute_gym.evaluation.storage import PAGE
from stageroute_gym.extras import check_extra
from stageroute_gym.report.charts import board_charts
from stageroute_gym.report.charts.data import chart_tables
from stageroute_gym.report.charts.parts import PIXELS_AN_ENTRY
from stageroute_gym.report.conclusions import conclusions, failures, leaders_table
from stageroute_gym.report.page import render
from stageroute_gym.report.results import Results
from stageroute_gym.report.tables import ReportTable, notes, report_tables
from stageroute_gym.writing import write_text

if TYPE_CHECKING:
    import polars as pl

# Switched on when the page opens: the best of those that are ranked, and of the references.
CONTENDERS_ON, REFERENCES_ON = 5, 1


def write_board_page(results: Results, folder: str | Path, field: str = "out") -> Path:
    """Write the page of a leaderboard to its folder; returns the file.

    Args:
        results: what the leaderboard wrote.
        folder: the folder.
        field: name of the option that holds the folder, for errors.

    Raises:
        FieldError: if the extra ``report`` is not installed, or the file cannot be written.
    """
    check_extra("report", field, str(folder))
    path = Path(folder) / PAGE
    write_text(path, board_page(results), field=field)
    return path


def board_page(results: Results) -> str:
    """The page as HTML."""
    summary = results.summary
    charts = board_charts(swept=bool(summary["sweeps"]))
    kinds, names = results.kinds, results.scenarios
    tables = report_tables(summary, results.timings)
    scenario_tables, others = tables[: len(names)], tables[len(names) :]
    overall = others.pop(0) if summary["overall"] is not None else None
    content = {
        "entries": [{"label": label, "kind": kind} for label, kind in kinds.items()],
        "on": shown_first(kinds),
        "scenarios": names,
        "horizons": results.horizons,
        "pixelsAnEntry": PIXELS_AN_ENTRY,
        "tables": {name: packed(table) for name, table in chart_tables(results).items()},
        "charts": [
            {
                "name": chart.name,
                "tables": chart.tables,
                "ofScenario": chart.of_scenario,
                "ofEntry": chart.of_entry,
                "specification": chart.specification(),
            }
            for chart in charts
        ],
    }
    return render(
        "leaderboard",
        content,
        title=_title(results),
        lead=conclusions(summary),
        quiet=_settings(results),
        failures=failures(summary),
        leaders=leaders_table(summary) if len(names) > 1 else None,
        overall=overall,
        scenarios=list(zip(names, scenario_tables, strict=True)),
        kinds=kinds,
        others=others,
        notes=notes(summary),
        charts_of_all=[chart for chart in charts if not chart.of_scenario],
        charts_of_scenario=[chart for chart in charts if chart.of_scenario and not chart.of_entry],
        charts_of_entry=[chart for chart in charts if chart.of_entry],
        cells=_cells,
    )


def shown_first(kinds: dict[str, str]) -> list[str]:
    """Labels of the entries that are switched on at first.

    Args:
        kinds: kind of each entry, by its label, the best first.
    """
    references = [label for label, kind in kinds.items() if kind == "reference"]
    contenders = [label for label, kind in kinds.items() if kind != "reference"]
    return contenders[:CONTENDERS_ON] + references[:REFERENCES_ON]


def packed(table: pl.DataFrame) -> dict[str, Any]:
    """A table as JSON-native columns; what repeats is written once.

    Returns:
        ``rows`` (their number) and ``columns``: by name, either ``values``; or ``levels`` and
        ``codes`` (numbers of levels); or ``levels`` and ``runs`` (codes and how often each follows
        in a row, in turns).
    """
    import polars as pl

    columns: dict[str, Any] = {}
    for column in table:
        if column.dtype != pl.String:
            columns[column.name] = {"values": _short(column.to_list())}
            continue
        levels = column.unique(maintain_order=True).to_list()
        code = {level: place for place, level in enumerate(levels)}
        codes = [code[value] for value in column.to_list()]
        runs: list[int] = []
        for value in codes:
            if runs and runs[-2] == value:
                runs[-1] += 1
            else:
                runs += [value, 1]
        coded = {"runs": runs} if len(runs) < len(codes) else {"codes": codes}
        columns[column.name] = {"levels": levels, **coded}
    return {"rows": len(table), "columns": columns}


def _short(values: list[Any]) -> list[Any]:
    """Whole numbers without their ".0"."""
    return [int(v) if isinstance(v, float) and v.is_integer() else v for v in values]


def _cells(table: ReportTable) -> list[tuple[tuple[str, ...], bool]]:
    """Rows with whether each is a reference's."""
    return [(row, False) for row in table.rows] + [(row, True) for row in table.references]


def _title(results: Results) -> str:
    names = results.scenarios
    where = names[0] if len(names) == 1 else f"{len(names)} scenarios"
    return f"Leaderboard: {len(results.kinds)} entries on {where}"


def _settings(results: Results) -> list[str]:
    settings = results.summary["settings"]
    seeds = settings["seeds"]
    return [
        f"{len(seeds)} seeds ({min(seeds)} to {max(seeds)}), stageroute-gym {settings['version']}. "
        "Ranked by score over what the horizon oracle expects."
    ]
