"""The command ``report``."""

from __future__ import annotations

from typing import Annotated

import typer

from stageroute_gym.cli.output import stdout_console


def report(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Folder of a leaderboard.")],
    png: Annotated[
        str | None, typer.Option(metavar="DIR", help="Write the charts as PNG to this folder, too.")
    ] = None,
    svg: Annotated[
        str | None, typer.Option(metavar="DIR", help="Write the charts as SVG to this folder, too.")
    ] = None,
    entries: Annotated[
        list[str] | None,
        typer.Option(
            "--entries",
            "--entry",
            help="Entries in the PNG or SVG, with commas between or repeated; charts of one entry "
            "show the first. Default: those that the page shows first.",
        ),
    ] = None,
) -> None:
    """Write the page of a leaderboard that has run, from its files: leaderboard.html in DIR."""
    from stageroute_gym.errors import FieldError
    from stageroute_gym.evaluation.entries import split_entries
    from stageroute_gym.extras import check_extra
    from stageroute_gym.report.board_page import write_board_page
    from stageroute_gym.report.pictures import FORMATS, check_entries, write_pictures
    from stageroute_gym.report.results import read_results
    from stageroute_gym.report.terminal import print_line

    check_extra("report", "dir", folder)
    results = read_results(folder)
    chosen = None if entries is None else [e for text in entries for e in split_entries(text)]
    if chosen is not None and png is None and svg is None:
        raise FieldError("entries", chosen, "entries of pictures, with --png or --svg")
    shown = check_entries(results, chosen)
    written = [write_board_page(results, folder, "dir")]
    for form, target in zip(FORMATS, (png, svg), strict=True):
        if target is not None:
            written += write_pictures(results, target, form, shown)
    print_line(stdout_console(), f"wrote {', '.join(str(path) for path in written)}")
