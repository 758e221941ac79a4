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
    listed: Annotated[bool, typer.Option("--list", help="Print the parts and end.")] = False,
    jobs: Jobs = None,
) -> None:
    """Run the paper's experiments and theory, with charts and a page; goes on where it was."""
    from rich.console import Console

    from stageroute_gym.evaluation.clusters import make_backend
    from stageroute_gym.report.page import check_extra
    from stageroute_gym.reproduction.folder import ReproductionFolder, as_json
    from stageroute_gym.reproduction.manifest import chosen_parts, read_manifest
    from stageroute_gym.reproduction.markdown import MARKDOWN, RESULTS, render, results_of
    from stageroute_gym.reproduction.page import write_report
    from stageroute_gym.reproduction.running import plan, run_parts
    from stageroute_gym.writing import write_text

    parts = read_manifest(manifest, quick=quick)
    chosen = chosen_parts(parts, names or [])
    if listed:
        for part in chosen:
            print(f"{part.name}: {part.title}")
        return
    target = out if out is not None else "reproduction-quick" if quick else "reproduction"
    folder = ReproductionFolder(target, quick=quick)
    folder.check()
    check_extra("out", target)
    backend = make_backend("loky", jobs, 600.0)
    planned = plan(chosen)
    folder.prepare()
    try:
        failures = run_parts(
            planned, folder, backend=backend, console=Console(stderr=True), tell=_tell
        )
    except KeyboardInterrupt:
        _tell(f"interrupted: what has finished is kept in {target}; the same command goes on")
        raise typer.Exit(130) from None
    results = results_of(list(parts.values()), folder)
    write_text(folder.path / RESULTS, as_json(results), field="out")
    write_text(folder.path / MARKDOWN, render(results), field="out")
    pictures = write_report(list(parts.values()), folder)
    files = [folder.path / RESULTS, folder.path / MARKDOWN, *pictures]
    print(f"wrote {', '.join(str(path) for path in files)}")
    for failure in failures:
        print(f"error: {failure}", file=sys.stderr)
    if failures:
        raise typer.Exit(1)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
