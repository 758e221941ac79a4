"""The command ``stageroute reproduce``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from stageroute_gym.cli.options import Jobs


def reproduce(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PART...]", help="Parts of the manifest; default: all."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="The smaller settings: a few minutes in all.")
    ] = False,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Folder to write to, and to go on in; default: reproduction, or "
            "reproduction-quick.",
            show_default=False,
        ),
    ] = None,
    manifest: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Another manifest (TOML); default: the one shipped."),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Recorded outcomes, for the parts that need some; see --list."
        ),
    ] = None,
    rendered: Annotated[
        str | None,
        typer.Option(
            "--render",
            metavar="FILE",
            help="Only print RESULTS.md from the results.json of a reproduction.",
        ),
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="Print the parts and end.")] = False,
    jobs: Jobs = None,
) -> None:
    """Run the paper's experiments and theory, with charts and a page; goes on where it was."""
    from rich.console import Console

    from stageroute_gym.reproduction.manifest import read_manifest
    from stageroute_gym.reproduction.markdown import read_results, render
    from stageroute_gym.reproduction.reproducing import reproduce as run

    if listed:
        for part in read_manifest(manifest, quick=quick).values():
            print(f"{part.name}: {part.title}{' (needs --data)' if part.needs_data else ''}")
        return
    if rendered is not None:
        print(render(read_results(rendered)), end="")
        return
    target = out if out is not None else "reproduction-quick" if quick else "reproduction"
    try:
        done = run(
            names or [],
            target,
            quick=quick,
            manifest=manifest,
            data=data,
            jobs=jobs,
            console=Console(stderr=True),
            tell=_tell,
        )
    except KeyboardInterrupt:
        _tell(f"interrupted: what has finished is kept in {target}; the same command goes on")
        raise typer.Exit(130) from None
    print(f"wrote {', '.join(str(path) for path in done.files)}")
    for failure in done.failures:
        print(f"error: {failure}", file=sys.stderr)
    if done.failures:
        raise typer.Exit(1)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
