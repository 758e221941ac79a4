"""The command ``verify``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from stageroute_gym.cli.options import Backend, Jobs, Patience
from stageroute_gym.cli.output import stdout_console


def verify(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A submission.")],
    sample: Annotated[int, typer.Option(help="Episodes of it to run again.")] = 26,
    fresh: Annotated[int, typer.Option(help="Fresh seeds a scenario; 0 for none.")] = 10,
    salt: Annotated[
        int | None,
        typer.Option(help="What sample and fresh seeds follow from, to repeat; default: drawn."),
    ] = None,
    jobs: Jobs = None,
    backend: Backend = "loky",
    patience: Patience = 600.0,
) -> None:
    """Run part of a submission again, and fresh seeds that it could not prepare for."""
    from stageroute_gym.evaluation.clusters import make_backend
    from stageroute_gym.evaluation.submissions import read_submission
    from stageroute_gym.evaluation.verification import verify as verify_submission
    from stageroute_gym.report.terminal import print_line, print_table
    from stageroute_gym.report.verification_tables import (
        LIMITS,
        conclusions,
        differences_table,
        luck_table,
    )

    submission = read_submission(file)
    found = verify_submission(
        submission,
        sample=sample,
        fresh=fresh,
        salt=salt,
        backend=make_backend(backend, jobs, patience),
    )
    for failure in found.failures:
        print(f"{failure.details}error: {failure}", file=sys.stderr)
    console = stdout_console()
    if found.differences:
        print_table(console, differences_table(found))
    if found.luck:
        print_table(console, luck_table(found))
    for line in (*found.remarks, *conclusions(submission, found), LIMITS):
        print_line(console, line)
    if not found.reproduced:
        raise typer.Exit(1)
