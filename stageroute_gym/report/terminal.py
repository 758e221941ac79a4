"""Tables for a terminal or a pipe: no number is ever cut, and no name read as markup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stageroute_gym.report.tables import REFERENCES, ReportTable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

# A name is folded where it needs more than this and the terminal has no more.
_NARROWEST_NAME = 14


def print_table(console: Console, table: ReportTable) -> None:
    """Print a table; where it does not fit, without its last columns, which a line below names.

    Args:
        console: the terminal.
        table: the table.
    """
    count = len(table.columns)
    while count > 1 and not _fits(console, _rich_table(table, count)):
        count -= 1
    print_line(console, table.title, style="bold")
    console.print(_rich_table(table, count))
    left_out = table.columns[count:]
    if left_out:
        names = ", ".join(left_out)
        print_line(console, f"left out, for want of width: {names} (all are there in a pipe)")
    if table.references:
        print_line(console, f"below the line: {REFERENCES}")


def print_line(console: Console, text: str, style: str = "") -> None:
    """Print a text as it stands, broken by the terminal alone."""
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


def _fits(console: Console, table: Table) -> bool:
    from rich.measure import Measurement

    # Measured without a limit, since a measurement is cut to the width that it is given.
    unlimited = console.options.update(max_width=100_000)
    return Measurement.get(console, unlimited, table).minimum <= console.width


def _rich_table(table: ReportTable, count: int) -> Table:
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=SIMPLE)
    rows = (*table.rows, *table.references)
    for place, heading in enumerate(table.columns[:count]):
        widest = max((Text(row[place]).cell_len for row in rows), default=0)
        names = table.holds_names(heading)
        words = max(Text(word).cell_len for word in heading.split())
        shown.add_column(
            Text(heading),
            justify="left" if names else "right",
            overflow="fold",
            min_width=max(words, min(widest, _NARROWEST_NAME) if names else widest),
        )
    for place, row in enumerate(rows):
        last = bool(table.references) and place == len(table.rows) - 1
        shown.add_row(*(Text(cell) for cell in row[:count]), end_section=last)
    return shown
