"""A page that works offline: words, tables and charts in one HTML file.

The JavaScript that draws the charts is in the file, so that it needs nothing from elsewhere.
Colours follow the reader's light or dark setting.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stageroute_gym.errors import FieldError
from stageroute_gym.extras import check_extra
from stageroute_gym.report.tables import REFERENCES, ReportTable
from stageroute_gym.report.theme import DARK, FONT, LIGHT
from stageroute_gym.writing import write_text

if TYPE_CHECKING:
    import altair as alt

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, eq=False)
class Section:
    """A part of a page.

    Attributes:
        title: its heading.
        text: paragraphs.
        chart: a chart; None for none.
        table: a table below it; None for none.
        marked: number of the table's row to mark; None for none.
        note: a sentence at the end; may be empty.
    """

    title: str
    text: tuple[str, ...] = ()
    chart: alt.TopLevelMixin | None = None
    table: ReportTable | None = None
    marked: int | None = None
    note: str = ""


def check_page(path: str | Path, field: str = "html") -> None:
    """Refuse a page that could not be written, before any work is done for it.

    Args:
        path: the file.
        field: name of the option that holds the path, for errors.

    Raises:
        FieldError: if what makes pages is not installed, the path does not end in ``.html``, or its
            folder is absent.
    """
    check_extra("report", field, str(path))
    file = Path(path)
    if file.suffix.lower() not in (".html", ".htm"):
        raise FieldError(field, str(path), "a file that ends in .html")
    if not file.parent.is_dir():
        raise FieldError(field, str(path), "a file in a folder that exists")


def write_page(
    path: str | Path,
    title: str,
    lead: Sequence[str],
    quiet: Sequence[str],
    sections: Sequence[Section],
    field: str = "html",
) -> None:
    """Write a page.

    Args:
        path: the file; one that is there is replaced.
        title: its heading.
        lead: the sentences that matter most.
        quiet: what is needed to read them right.
        sections: its parts.
        field: name of the option that holds the path, for errors.

    Raises:
        FieldError: as `check_page`, or if the file cannot be written.
    """
    check_page(path, field)
    write_text(path, render_page(title, lead, quiet, sections), field=field)


def render_page(
    title: str, lead: Sequence[str], quiet: Sequence[str], sections: Sequence[Section]
) -> str:
    """The page as HTML; see `write_page`."""
    charts = {
        f"chart-{place}": section.chart.to_dict()
        for place, section in enumerate(sections, 1)
        if section.chart is not None
    }
    content = {"charts": charts} if charts else None
    shown = {"title": title, "lead": lead, "quiet": quiet, "sections": sections}
    return render("page", content, references=REFERENCES, **shown)


def render(template: str, content: dict[str, Any] | None, **shown: Any) -> str:
    """A page as HTML.

    Args:
        template: name of a template that extends ``base``.
        content: what its scripts read, JSON-native; None where there is nothing to draw.
        shown: what the templates show: ``title``, ``lead`` and ``quiet`` (sentences), and more.
    """
    import jinja2
    import vl_convert
    from markupsafe import Markup

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=True
    )
    papers = {name: theme.to_dict() for name, theme in (("light", LIGHT), ("dark", DARK))}
    # Inside a script no entity is resolved: only an end tag there has to be kept apart.
    library = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;") if content else ""
    packed = json.dumps({"papers": papers, **(content or {})}, separators=(",", ":"))
    return environment.get_template(f"{template}.html.jinja").render(
        **shown,
        light=LIGHT,
        dark=DARK,
        font=FONT,
        content=Markup(packed.replace("<", r"\u003c")) if content else "",
        library=Markup(library.replace("</script", r"<\/script")),
    )
