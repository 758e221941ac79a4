"""The command ``tune``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from stageroute_gym.cli.options import Jobs, Patience, parse_seeds, split_names
from stageroute_gym.cli.output import stdout_console


def tune(
    agents: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[AGENT]...",
            help="Agents by name; default: all installed ones with parameters to tune.",
        ),
    ] = None,
    trials: Annotated[
        int, typer.Option(help="Settings that each agent tries, its defaults first.")
    ] = 20,
    suite: Annotated[str, typer.Option(help="Name of the suite to tune on.")] = "worlds-tune",
    seeds: Annotated[
        str | None, typer.Option(help="10 (the first ten), 5:15 or 0,3,5; default: the suite's.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the sampler.")] = 0,
    jobs: Jobs = None,
    patience: Patience = 600.0,
    out: Annotated[str, typer.Option(metavar="DIR", help="Folder to write to.")] = "tuning",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Remove the trials that are in --out.")
    ] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on from the trials in --out, with more of them or other agents."
        ),
    ] = False,
) -> None:
    """Tune agents' parameters, each with the same effort: worlds, seeds, sampler, trials."""
    from stageroute_gym.evaluation.backends import LocalProcesses
    from stageroute_gym.report.terminal import print_line, print_table
    from stageroute_gym.report.tuning_table import tuning_table
    from stageroute_gym.tuning.settings import TuningSettings
    from stageroute_gym.tuning.tuning import run_tuning

    backend = LocalProcesses(jobs, patience)
    settings = TuningSettings.checked(
        split_names(agents or ()),
        suite=suite,
        seeds=None if seeds is None else parse_seeds(seeds),
        trials=trials,
        seed=seed,
    )
    try:
        tuned = run_tuning(
            settings,
            out,
            backend=backend,
            resume=resume,
            overwrite=overwrite,
            told=lambda line: print(line, file=sys.stderr),
        )
    except KeyboardInterrupt:
        message = f"interrupted: what has finished is kept in {out}; --resume goes on from there"
        print(message, file=sys.stderr)
        raise typer.Exit(130) from None
    for remark in tuned.remarks:
        print(f"note: {remark}", file=sys.stderr)
    console = stdout_console()
    print_table(console, tuning_table(tuned.summary))
    print_line(console, f"written: trials.parquet, worlds.parquet and tuned.json in {out}")
    for name, error in tuned.failures.items():
        print(f"error: agent {name}: {error}", file=sys.stderr)
    if tuned.failures:
        raise typer.Exit(1)
