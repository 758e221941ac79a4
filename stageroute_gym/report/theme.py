"""Colours of pages and charts, for light and for dark paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

FONT = 'system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif'


@dataclass(frozen=True)
class Theme:
    """The colours of one kind of paper.

    Attributes:
        back: the paper.
        text: what is read.
        quiet: what explains it.
        line: rules and grids.
        band: areas behind, such as a row that is pointed at.
        accent: what is marked.
        warn: what went wrong.
        series: as far apart as a search found for eyes without red, without green and with all
            three kinds of cones, each with a contrast of at least 3 to the paper.
        ramps: from the colour of nothing to that of all, for the agent's and the oracle's share.
    """

    back: str
    text: str
    quiet: str
    line: str
    band: str
    accent: str
    warn: str
    series: tuple[str, ...]
    ramps: tuple[tuple[str, str], tuple[str, str]]

    def variables(self) -> dict[str, str]:
        """The colours that a style sheet needs, by name."""
        names = ("back", "text", "quiet", "line", "band", "accent", "warn")
        return {name: getattr(self, name) for name in names}

    def to_dict(self) -> dict[str, Any]:
        """All that scripts draw with, JSON-native."""
        return {**self.variables(), "series": list(self.series), "config": self.vega_config()}

    def vega_config(self) -> dict[str, Any]:
        """Vega-Lite's configuration in these colours."""
        return {
            "background": "transparent",
            "font": FONT,
            "axis": {
                "labelColor": self.quiet,
                "titleColor": self.quiet,
                "gridColor": self.line,
                "domainColor": self.line,
                "tickColor": self.line,
                "titleFontWeight": "normal",
            },
            "legend": {
                "labelColor": self.text,
                "titleColor": self.quiet,
                "titleFontWeight": "normal",
            },
            "title": {"color": self.text},
            "header": {"labelColor": self.text, "titleColor": self.quiet},
            "view": {"stroke": None},
            "range": {
                "category": list(self.series),
                "heatmap": list(self.ramps[0]),
                "ramp": list(self.ramps[1]),
            },
            "text": {"color": self.text},
            "rule": {"color": self.quiet},
        }


LIGHT = Theme(
    back="#ffffff",
    text="#1b1f24",
    quiet="#5a636e",
    line="#d8dde3",
    band="#f4f6f8",
    accent="#2f6fb0",
    warn="#9a4a00",
    series=("#0072b2", "#d55e00", "#2ea677", "#770c44", "#7c6bfa", "#5c3f00", "#fa0357", "#0207fb"),
    ramps=(("#e3edf6", "#00497a"), ("#fbe9dc", "#a34400")),
)
DARK = Theme(
    back="#14171b",
    text="#e4e7eb",
    quiet="#9aa4b0",
    line="#333a43",
    band="#1d2127",
    accent="#7db4ee",
    warn="#f0a860",
    series=("#4aa8e8", "#f08a3c", "#43e09c", "#d51673", "#e1c706", "#9608f4", "#725cd5", "#507231"),
    ramps=(("#1c2b3a", "#8fd0ff"), ("#33241a", "#ffb27a")),
)
