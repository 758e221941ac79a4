"""The command ``replay``: a log played again under other agents, beside what it did."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from stageroute_gym.cli.advise import LOGS, parse_columns
from stageroute_gym.cli.options import parse_seeds, with_problem_options
from stageroute_gym.cli.output import stdout_console

DEFAULT_AGENTS = "paced-route,stageroute,greedy-price,uniform"


@with_problem_options
def replay(
    file: Annotated[str, typer.Argument(help="A gateway's log, one model a request.")],
    agent: Annotated[
        list[str] | None,
        typer.Option(
            "--agents",
            "--agent",
            help=f"Entries, with commas between or repeated; default: {DEFAULT_AGENTS}.",
        ),
    ] = None,
    seeds: Annotated[str, typer.Option(help="5 (the first five), 5:10 or 0,3,5.")] = "5",
    source: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="GATEWAY", help="Which gateway wrote the log.", rich_help_panel=LOGS
        ),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=COLUMN",
            help="Column that holds id, time, model, cost, score, task or propensity.",
            rich_help_panel=LOGS,
        ),
    ] = None,
    scores: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Mean scores by task and model.", rich_help_panel=LOGS),
    ] = None,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Sort, and leave out bad requests.", rich_help_panel=LOGS),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
    *,
    problem: dict[str, Any],
) -> None:
    """Play a log again in its own order under other agents or another budget."""
    from stageroute_gym.advice.replay import replay as play_again
    from stageroute_gym.advice.replay import replay_problem
    from stageroute_gym.logs import Logged
    from stageroute_gym.report.replay_tables import replay_dict, replay_tables
    from stageroute_gym.report.terminal import print_line, print_table

    mapped = tuple(f"{name}={column}" for name, column in parse_columns(columns or ()).items())
    workload = Logged(
        data=file, source=source, columns=mapped, scores=scores, repair=repair, features="task"
    )
    checked, chosen = replay_problem(workload, problem)
    result = play_again(workload, checked, agent or [DEFAULT_AGENTS], parse_seeds(seeds))
    if as_json:
        print(json.dumps(replay_dict(result), indent=2))
        return
    console = stdout_console()
    for line in chosen:
        print_line(console, f"Left open, {line}.")
    for line in workload.notes(checked):
        print_line(console, line)
    print_line(
        console,
        "Assumed: what a model scores and costs on a request that another one served is drawn from "
        "the requests of the same task that it served.",
    )
    for table in replay_tables(result):
        console.print()
        print_table(console, table)
        if table.note:
            print_line(console, table.note)
