"""The command ``leaderboard``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stageroute_gym.cli.options import (
    Backend,
    EnvId,
    Jobs,
    Patience,
    parse_seeds,
    split_names,
    with_scenario_options,
)
from stageroute_gym.cli.output import stdout_console
from stageroute_gym.errors import FieldError

if TYPE_CHECKING:
    from stageroute_gym.evaluation.entries import Entry


@with_scenario_options
def leaderboard(
    suite: Annotated[
        str | None, typer.Option(help="Name of a suite; quick unless --scenario is given.")
    ] = None,
    scenario: Annotated[
        list[str] | None, typer.Option(help="Name of a scenario; may be repeated.")
    ] = None,
    agent: Annotated[
        list[str] | None,
        typer.Option(
            "--agents",
            "--agent",
            help="Agents, module:Class or files, with commas between or repeated; with parameters "
            "as 'stageroute(gamma=0.05)', with a label as 'wide=stageroute(gamma=0.5)'; "
            "default: all installed but those that need a file.",
        ),
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(help="10 (the first ten), 5:15 or 0,3,5; default: the suite's.")
    ] = None,
    env_id: EnvId = None,
    jobs: Jobs = None,
    backend: Backend = "loky",
    patience: Patience = 600.0,
    out: Annotated[str, typer.Option(metavar="DIR", help="Folder to write to.")] = "results",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Remove the leaderboard that is in --out.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from an interrupted leaderboard in --out.")
    ] = False,
    add: Annotated[
        bool,
        typer.Option(
            "--add",
            help="Add agents or seeds to the one in --out, which keeps its own; the other options "
            "as it had them.",
        ),
    ] = False,
    *,
    overrides: dict[str, Any],
) -> None:
    """Rank agents: run them on the same scenarios and seeds, in parallel."""
    from rich.console import Console

    from stageroute_gym.evaluation.clusters import make_backend
    from stageroute_gym.evaluation.leaderboard import run_leaderboard
    from stageroute_gym.evaluation.storage import ResultsFolder
    from stageroute_gym.evaluation.trials import LeaderboardSettings, kept_entries
    from stageroute_gym.report.board import show, write_page, write_tables

    if "data" in overrides and scenario is None:
        raise FieldError(
            "data", overrides["data"], "a scenario that reads it, such as --scenario recorded"
        )
    workers = make_backend(backend, jobs, patience)
    chosen_seeds = None if seeds is None else parse_seeds(seeds)
    entries: Sequence[str | Entry] | None = agent
    if add:
        kept = ResultsFolder(out).settings()
        entries = kept_entries(kept) if agent is None else agent
        chosen_seeds = kept["seeds"] if chosen_seeds is None else chosen_seeds
    settings = LeaderboardSettings.checked(
        agents=entries,
        scenarios=None if scenario is None else split_names(scenario),
        suite=suite,
        seeds=chosen_seeds,
        env_id=env_id,
        **overrides,
    )
    for chosen in settings.scenarios:
        for note in chosen.notes():
            print(f"note: {chosen.name}: {note}", file=sys.stderr)
    try:
        board = run_leaderboard(
            settings,
            out,
            backend=workers,
            overwrite=overwrite,
            resume=resume,
            add=add,
            console=Console(stderr=True),
        )
    except KeyboardInterrupt:
        message = f"interrupted: what has finished is kept in {out}; --resume goes on from there"
        print(message, file=sys.stderr)
        raise typer.Exit(130) from None
    for remark in board.remarks:
        print(f"note: {remark}", file=sys.stderr)
    show(stdout_console(), board, [*write_tables(board, out), *write_page(board, out)])
    for failure in board.failures:
        print(failure.details, end="", file=sys.stderr)
    for failure in board.failures:
        print(f"error: {failure}", file=sys.stderr)
    if board.failures:
        print(
            f"what has finished is kept in {out}; --resume runs only what failed", file=sys.stderr
        )
        raise typer.Exit(1)
