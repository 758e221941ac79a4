"""The command ``rank``."""

from __future__ import annotations

from typing import Annotated

import typer

from stageroute_gym.cli.output import stdout_console


def rank(
    sources: Annotated[
        list[str], typer.Argument(metavar="DIR...", help="Folders of finished leaderboards.")
    ],
    out: Annotated[str, typer.Option(metavar="DIR", help="Folder to write to.")] = "ranking",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Remove the leaderboard that is in --out.")
    ] = False,
) -> None:
    """Rank the results of several leaderboards, as from several machines, together."""
    from stageroute_gym.evaluation.merging import merge_leaderboards
    from stageroute_gym.report.board import show, write_tables

    board = merge_leaderboards(sources, out, overwrite=overwrite)
    show(stdout_console(), board, write_tables(board, out))
