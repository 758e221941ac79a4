"""A finished leaderboard: its tables in the terminal and in a file, and its page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stageroute_gym.evaluation.storage import PAGE, TABLES
from stageroute_gym.extras import absent_module, needed
from stageroute_gym.report.board_page import write_board_page
from stageroute_gym.report.results import read_results
from stageroute_gym.report.tables import markdown, notes, report_tables
from stageroute_gym.report.terminal import print_line, print_table
from stageroute_gym.writing import write_text

if TYPE_CHECKING:
    from rich.console import Console

    from stageroute_gym.evaluation.leaderboard import Leaderboard


def write_tables(board: Leaderboard, out: str | Path) -> list[Path]:
    """Write a leaderboard's tables as Markdown to its folder; the files written.

    Raises:
        FieldError: if the file cannot be written.
    """
    if board.timings is None:
        return []
    path = Path(out) / TABLES
    tables = report_tables(board.summary, board.timings)
    write_text(path, markdown(tables, notes(board.summary)), field="out")
    return [path]


def write_page(board: Leaderboard, out: str | Path) -> list[Path]:
    """Write a leaderboard's page to its folder, if the extra ``report`` is installed; the files.

    Raises:
        FieldError: if the file cannot be written.
    """
    if board.timings is None or absent_module("report") is not None:
        return []
    return [write_board_page(read_results(out, "out"), out)]


def show(console: Console, board: Leaderboard, written: list[Path]) -> None:
    """Print a leaderboard's tables, what explains them, and which files there are."""
    if board.timings is not None:
        for table in report_tables(board.summary, board.timings):
            print_table(console, table)
        for line in notes(board.summary):
            print_line(console, line)
    print_line(console, f"wrote {', '.join(str(file) for file in [*board.files, *written])}")
    if absent_module("report") is not None:
        words = f"{PAGE}, a page with charts, needs {needed('report')}; then stageroute report"
        print_line(console, words)
