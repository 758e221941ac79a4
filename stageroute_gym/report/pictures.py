"""The page's charts as PNG or SVG, for papers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from stageroute_gym.errors import FieldError, closest
from stageroute_gym.extras import check_extra
from stageroute_gym.report.board_page import shown_first
from stageroute_gym.report.charts import BoardChart, board_charts
from stageroute_gym.report.charts.data import chart_tables
from stageroute_gym.report.charts.parts import PIXELS_AN_ENTRY
from stageroute_gym.report.results import Results
from stageroute_gym.report.theme import LIGHT, Theme
from stageroute_gym.writing import make_folder, write_atomically

if TYPE_CHECKING:
    import polars as pl

Format = Literal["png", "svg"]
FORMATS: tuple[Format, ...] = ("png", "svg")
WIDTH = 640
# Pixels of a PNG for each of the page's.
SCALE = 2.0


def check_entries(results: Results, entries: Sequence[str] | None) -> list[str]:
    """Entries to draw, each once.

    Args:
        results: what the leaderboard wrote.
        entries: labels; None takes those that the page shows first.

    Raises:
        FieldError: if there is none, or one is not on the leaderboard.
    """
    if entries is None:
        return shown_first(results.kinds)
    if not entries:
        raise FieldError("entries", list(entries), "at least one entry of the leaderboard")
    for label in entries:
        if label not in results.kinds:
            raise FieldError("entries", label, closest(label, results.kinds))
    return list(dict.fromkeys(entries))


def write_pictures(
    results: Results, folder: str | Path, form: Format, shown: Sequence[str]
) -> list[Path]:
    """Write each chart, of each scenario where it shows one.

    Charts of one entry show the first of ``shown``.

    Args:
        results: what the leaderboard wrote.
        folder: the folder to write to; made if it is absent.
        form: kind of file.
        shown: labels of the entries to draw, see `check_entries`.

    Returns:
        The files.

    Raises:
        FieldError: if the extra ``report`` is not installed, or a file cannot be written.
    """
    check_extra("report", form, str(folder))
    import vl_convert

    tables, written = chart_tables(results), []
    target = Path(folder)
    make_folder(target, field=form)
    for chart in board_charts(swept=bool(results.summary["sweeps"])):
        for name, scenario in _places(chart, results):
            drawn = filled(chart, tables, results, scenario, shown)
            parts = [chart.name, name] if name else [chart.name]
            path = target / f"{_file_name('-'.join(parts))}.{form}"
            title = " on ".join([*([shown[0]] if chart.of_entry else []), *parts[1:]])
            drawn["title"] = {"text": title, "fontSize": 12, "anchor": "start"}
            picture = (
                vl_convert.vegalite_to_png(drawn, scale=SCALE)
                if form == "png"
                else vl_convert.vegalite_to_svg(drawn).encode()
            )
            write_atomically(path, partial(_fill, picture), field=form)
            written.append(path)
    return written


def filled(
    chart: BoardChart,
    tables: Mapping[str, pl.DataFrame],
    results: Results,
    scenario: str,
    shown: Sequence[str],
    theme: Theme = LIGHT,
) -> dict[str, Any]:
    """A chart as Vega-Lite with its data, width and colours.

    Args:
        chart: the chart.
        tables: as `stageroute_gym.report.chart_data.chart_tables` returns them.
        results: what the leaderboard wrote.
        scenario: the scenario to show.
        shown: labels of the entries to show.
        theme: the colours.
    """
    import polars as pl

    colors, kinds = entry_colors(shown, results.kinds, theme), results.kinds
    entries = shown[:1] if chart.of_entry else shown
    datasets = {}
    for name in chart.tables:
        table = tables[name]
        if chart.of_scenario and "scenario" in table.columns:
            table = table.filter(scenario=scenario)
        if "entry" in table.columns:
            known = pl.col("entry").is_null() | pl.col("entry").is_in(entries)
            table = table.filter(known).with_columns(
                kind=pl.col("entry").replace_strict(kinds, default=None),
                color=pl.col("entry").replace_strict(colors, default=None),
            )
        datasets[name] = table.to_dicts()
    specification = chart.specification()
    if isinstance(specification["height"], int):
        specification["height"] = max(specification["height"], PIXELS_AN_ENTRY * len(shown))
    return {
        **specification,
        "width": WIDTH,
        "config": {**theme.vega_config(), "background": theme.back},
        "params": [
            {"name": "paper", "value": theme.variables()},
            {"name": "horizon", "value": results.horizons[scenario]},
        ],
        "datasets": datasets,
    }


def entry_colors(shown: Sequence[str], kinds: Mapping[str, str], theme: Theme) -> dict[str, str]:
    """Colour of each entry, as on the page.

    References, and entries beyond the colours there are, have the colour of what explains.
    """
    contenders = [label for label in shown if kinds[label] != "reference"]
    series = dict(zip(contenders, theme.series, strict=False))
    return {label: series.get(label, theme.quiet) for label in shown}


def _places(chart: BoardChart, results: Results) -> list[tuple[str, str]]:
    """What a chart is drawn of: the name to write, and the scenario whose rows to take."""
    if chart.of_sweep:
        return [(name, variants[0]) for name, variants in results.budget_sweeps.items()]
    if chart.of_scenario:
        return [(name, name) for name in results.scenarios]
    return [("", results.scenarios[0])]


def _fill(picture: bytes, path: Path) -> None:
    path.write_bytes(picture)


def _file_name(name: str) -> str:
    """A name for a file; scenarios may be called anything."""
    return "".join(sign if sign.isalnum() or sign in "._-" else "_" for sign in name)
