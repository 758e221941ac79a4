"""The command ``submit``."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from stageroute_gym.cli.options import Backend, Jobs, Patience
from stageroute_gym.errors import FieldError


def submit(
    entry: Annotated[
        str, typer.Argument(help="An agent, module:Class or file; or 'agent(parameter=value)'.")
    ],
    suite: Annotated[str, typer.Option(help="Name of a suite.")] = "core",
    out: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="File to write, *.submission; SUITE.submission if none."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file that is there.")
    ] = False,
    jobs: Jobs = None,
    backend: Backend = "loky",
    patience: Patience = 600.0,
) -> None:
    """Run one agent on a suite, and write what came of it to a file that others can verify."""
    from pathlib import Path

    from stageroute_gym.evaluation import submissions
    from stageroute_gym.evaluation.clusters import make_backend

    path = Path(f"{suite}{submissions.SUFFIX}" if out is None else out)
    if not submissions.is_submission(path):
        raise FieldError("out", str(path), f"a file that ends in {submissions.SUFFIX}")
    if path.exists() and not overwrite:
        raise FieldError("out", str(path), "a file that is not there yet, or --overwrite")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise FieldError("out", str(path), "a file in a folder that can be written to")
    outcome = submissions.submit(entry, suite, backend=make_backend(backend, jobs, patience))
    if not isinstance(outcome, submissions.Submission):
        for failure in outcome:
            print(f"{failure.details}error: {failure}", file=sys.stderr)
        raise typer.Exit(1)
    submissions.write_submission(outcome, path)
    print(
        f"wrote {path}: {outcome.entry['label']} on suite {outcome.suite.name} "
        f"v{outcome.suite.version}, {len(outcome.episodes)} episodes"
    )
