"""The command ``rank``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from stageroute_gym.cli.output import stdout_console


def rank(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="DIR...", help="Folders of leaderboards, files of submissions."),
    ],
    out: Annotated[str, typer.Option(metavar="DIR", help="Folder to write to.")] = "ranking",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Remove the leaderboard that is in --out.")
    ] = False,
) -> None:
    """Rank several leaderboards, as from several machines, and submissions together."""
    from stageroute_gym.evaluation.merging import merge_leaderboards
    from stageroute_gym.report.board import show, write_page, write_tables

    board = merge_leaderboards(sources, out, overwrite=overwrite)
    for remark in board.remarks:
        print(f"note: {remark}", file=sys.stderr)
    show(stdout_console(), board, [*write_tables(board, out), *write_page(board, out)])
