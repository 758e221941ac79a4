from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from stageroute_gym.report.tables import ReportTable
from stageroute_gym.report.terminal import print_table

TABLE = ReportTable(
    "a [bold]title[/bold]",
    ("rank", "entry", "score / horizon oracle", "regret", "unserved", "µs / decision"),
    (
        ("1 (to 2)", "an-agent-of-a-long-name(gamma=0.05)", "1,397.812 ± 0.004", "12", "7", "1.2"),
        ("1 (to 2)", "[red]b[/red] [x]", "0.975 ± 0.005", "10,001 (9 to 12,345)", "8", "3,333.4"),
    ),
    (("-", "oracle", "0.989 ± 0.008", "3", "0", "9.9"),),
)  # fmt: skip


def shown(width: int) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    print_table(console, TABLE)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200, 10_000])
def test_no_number_is_cut_and_what_is_left_out_is_named(width: int) -> None:
    text = shown(width)
    table = "\n".join(line for line in text.splitlines() if not line.startswith("left out"))
    words = re.sub(r"\s+", " ", table)
    said = "".join(line for line in text.splitlines() if line.startswith("left out"))
    left_out = [column for column in TABLE.columns if column in said]
    count = len(TABLE.columns) - len(left_out)
    assert left_out == list(TABLE.columns[count:])
    assert bool(left_out) == (width <= 100)
    for row in (*TABLE.rows, *TABLE.references):
        for place, cell in enumerate(row):
            if place != 1:
                assert (f" {cell} " in words) == (place < count), (cell, width)
    assert max(len(line) for line in table.splitlines() if "know the truth" not in line) <= width


def test_names_are_no_markup() -> None:
    text = shown(10_000)
    assert "[red]b[/red] [x]" in text
    assert "a [bold]title[/bold]" in text
    assert "an-agent-of-a-long-name(gamma=0.05)" in text
