"""Commands that run agents: ``run`` and ``leaderboard``."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from stageroute_gym.cli.options import overrides_of, parse_seeds, split_names, with_problem_options
from stageroute_gym.cli.output import stdout_console
from stageroute_gym.errors import FieldError

Data = Annotated[
    str | None, typer.Option(metavar="FILE", help="Recorded outcomes, .parquet or .csv.")
]
Models = Annotated[
    str | None, typer.Option(metavar="FILE", help="Release list of the models in --data.")
]
Assignments = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="An option of the scenario's workload."),
]
EnvId = Annotated[
    str | None,
    typer.Option(
        "--env-id", metavar="ID", help="StageRoute-v0 or StageRouteContinuous-v0, the default."
    ),
]


@with_problem_options
def run(
    agent: Annotated[str, typer.Argument(help="Name of an agent, or module:Class.")],
    scenario: Annotated[str, typer.Option(help="Name of a scenario.")] = "routerbench",
    seeds: Annotated[str, typer.Option(help="10 (the first ten), 5:15 or 0,3,5.")] = "1",
    data: Data = None,
    models: Models = None,
    env_id: EnvId = None,
    assignments: Assignments = None,
    *,
    problem: dict[str, Any],
) -> None:
    """Run one agent on one scenario and print the books of each episode."""
    from rich.box import SIMPLE
    from rich.table import Table

    from stageroute_gym.evaluation import estimate, evaluate

    overrides = overrides_of(problem, data, models, assignments or ())
    rows = evaluate(agent, scenario, parse_seeds(seeds), env_id=env_id, **overrides)
    first = rows.row(0, named=True)
    table = Table(
        box=SIMPLE, title=f"{agent} on {scenario}, {first['env_id']}", title_justify="left"
    )
    columns = {
        "seed": "{:d}",
        "score": "{:,.1f}",
        "score_over_horizon_oracle": "{:.3f}",
        "regret": "{:,.1f}",
        "spend": "{:.4g}",
        "spend_over_budget": "{:.3f}",
        "unserved": "{:,d}",
        "invalid_share": "{:.1%}",
        "activations": "{:d}",
    }
    for column in columns:
        table.add_column(column.replace("_over_", " / ").replace("_", " "), justify="right")
    for row in rows.iter_rows(named=True):
        cells = [
            "-" if row[column] is None else form.format(row[column])
            for column, form in columns.items()
        ]
        table.add_row(*cells)
    console = stdout_console()
    console.print(table)
    mean = estimate(rows["score_over_horizon_oracle"])
    if mean.mean is not None and mean.half_width is not None:
        console.print(f"score / horizon oracle: {mean.mean:.4f} ± {mean.half_width:.4f} (95 %)")


@with_problem_options
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
            help="Names, or module:Class, with commas between or repeated; default: all installed.",
        ),
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(help="10 (the first ten), 5:15 or 0,3,5; default: the suite's.")
    ] = None,
    data: Data = None,
    models: Models = None,
    env_id: EnvId = None,
    assignments: Assignments = None,
    jobs: Annotated[
        int | None, typer.Option(help="Processes; default: one a core.", show_default=False)
    ] = None,
    out: Annotated[str, typer.Option(metavar="DIR", help="Folder to write to.")] = "results",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Remove the leaderboard that is in --out.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from an interrupted leaderboard in --out.")
    ] = False,
    *,
    problem: dict[str, Any],
) -> None:
    """Rank agents: run them on the same scenarios and seeds, in parallel."""
    from rich.console import Console

    from stageroute_gym.evaluation.leaderboard import run_leaderboard
    from stageroute_gym.evaluation.reporting import rich_table
    from stageroute_gym.evaluation.settings import Settings

    if data is not None and scenario is None:
        raise FieldError("data", data, "a scenario that reads it, such as --scenario recorded")
    settings = Settings.checked(
        agents=None if agent is None else split_names(agent),
        scenarios=None if scenario is None else split_names(scenario),
        suite=suite,
        seeds=None if seeds is None else parse_seeds(seeds),
        env_id=env_id,
        **overrides_of(problem, data, models, assignments or ()),
    )
    try:
        board = run_leaderboard(
            settings,
            out,
            jobs=jobs,
            overwrite=overwrite,
            resume=resume,
            console=Console(stderr=True),
        )
    except KeyboardInterrupt:
        message = f"interrupted: what has finished is kept in {out}; --resume goes on from there"
        print(message, file=sys.stderr)
        raise typer.Exit(130) from None
    console = stdout_console()
    for table in board.tables:
        console.print(rich_table(table))
    for line in (*board.notes, f"wrote {', '.join(str(file) for file in board.files)}"):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    for failure in board.failures:
        print(failure.details, end="", file=sys.stderr)
    for failure in board.failures:
        where = f"agent {failure.agent} on scenario {failure.scenario}"
        print(f"error: {where}: {failure.error}", file=sys.stderr)
    if board.failures:
        raise typer.Exit(1)
