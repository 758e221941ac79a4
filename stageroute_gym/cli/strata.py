"""The command ``strata``."""

from __future__ import annotations

from typing import Annotated

import typer

from stageroute_gym.cli.output import stdout_console


def strata(
    source: Annotated[
        str, typer.Argument(metavar="DIR", help="Folder of a finished leaderboard over worlds.")
    ],
    entry: Annotated[
        str | None,
        typer.Option(help="Label of the entry to break down; default: the first of all worlds."),
    ] = None,
) -> None:
    """Show a leaderboard over random worlds by stratum: budget, models, horizon, costs, scores."""
    from stageroute_gym.report.results import read_results
    from stageroute_gym.report.strata_tables import STRATA_LEGEND, strata_tables
    from stageroute_gym.report.terminal import print_line, print_table

    console = stdout_console()
    for table in strata_tables(read_results(source), entry):
        print_table(console, table)
    print_line(console, STRATA_LEGEND)
