"""The page of a reproduction, and its charts as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from stageroute_gym.report.page import Section, render_page
from stageroute_gym.report.theme import LIGHT
from stageroute_gym.reproduction.claims import choices_table, claims_table
from stageroute_gym.reproduction.folder import ReproductionFolder
from stageroute_gym.reproduction.manifest import Part
from stageroute_gym.reproduction.markdown import command_of, results_of
from stageroute_gym.reproduction.part import Chart, Table
from stageroute_gym.writing import write_atomically, write_text

PAGE = "reproduction.html"
SCALE = 2.0


def write_report(parts: Sequence[Part], folder: ReproductionFolder) -> list[Path]:
    """Write the PNG of each chart and the page, from all parts that are done; the files.

    Args:
        parts: the parts of the manifest, in their order.
        folder: the folder.

    Raises:
        FieldError: if a file cannot be written.
    """
    done = [(part, found) for part in parts if (found := folder.read(part)) is not None]
    written, sections = [], []
    for part, measured in done:
        charts = list(part.showing().charts(measured))
        written += [_write_picture(folder.of(part) / f"{each.name}.png", each) for each in charts]
        tables = list(part.showing().tables(measured.summary))
        sections += _sections(part, charts, tables, quick=folder.quick)
    results = results_of(parts, folder)
    sections.insert(0, _of_table(claims_table(results)))
    sections.append(_of_table(choices_table()))
    lead = [
        "What the paper's experiments and theory come to here. Every figure was computed by the "
        "command beside it; nothing was typed."
    ]
    quiet = [
        "Li & Li, Near-Optimal Online Deployment and Routing for Streaming LLMs, ICLR 2026, "
        "arXiv 2506.17254. No code by the authors is public; this is not by them."
    ]
    path = folder.path / PAGE
    write_text(path, render_page("StageRoute, reproduced", lead, quiet, sections), field="out")
    return [*written, path]


def picture(chart: Chart) -> bytes:
    """A chart as PNG, on light paper."""
    import vl_convert

    drawn: dict[str, Any] = chart.chart.to_dict()
    drawn["config"] = {**LIGHT.vega_config(), "background": LIGHT.back}
    if drawn.get("width") == "container":
        drawn["width"] = 640
    return bytes(vl_convert.vegalite_to_png(drawn, scale=SCALE))


def _write_picture(path: Path, chart: Chart) -> Path:
    write_atomically(path, partial(_fill, picture(chart)), field="out")
    return path


def _fill(content: bytes, path: Path) -> None:
    path.write_bytes(content)


def _sections(
    part: Part, charts: Sequence[Chart], tables: Sequence[Table], *, quick: bool
) -> list[Section]:
    """A part's sections; the first says what it is about and what ran it."""
    command = f"By: {command_of([part.name], quick=quick, data=part.needs_data)}"
    about = (part.about, command) if part.about else (command,)
    sections = [Section(part.title, about)]
    sections += [Section(each.title, (each.caption,), each.chart) for each in charts]
    return [*sections, *(_of_table(each) for each in tables)]


def _of_table(table: Table) -> Section:
    title = table.table.title
    return Section(title[0].upper() + title[1:], table=table.table, note=" ".join(table.notes))
