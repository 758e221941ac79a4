"""The command ``replay``: a log played again under other agents, beside what it did."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from stageroute_gym.cli.log_options import (
    Columns,
    PriceOf,
    Prices,
    Repair,
    Scores,
    Source,
    column_pairs,
)
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
    source: Source = None,
    columns: Columns = None,
    scores: Scores = None,
    repair: Repair = False,
    prices: Prices = None,
    price_of: PriceOf = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
    *,
    problem: dict[str, Any],
) -> None:
    """Play a log again in its own order under other agents or another budget."""
    from stageroute_gym.advice.replay import replay as play_again
    from stageroute_gym.advice.replay import replay_problem
    from stageroute_gym.evaluation.oracle_values import service_note
    from stageroute_gym.logs import Logged
    from stageroute_gym.report.replay_tables import replay_dict, replay_tables
    from stageroute_gym.report.terminal import print_line, print_table

    workload = Logged(
        data=file,
        source=source,
        columns=column_pairs(columns or ()),
        scores=scores,
        repair=repair,
        prices=prices,
        price_of=tuple(price_of or ()),
        features="task",
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
    unserved = service_note(dict(result.service))
    if unserved is not None:
        print_line(console, unserved)
    for table in replay_tables(result):
        console.print()
        print_table(console, table)
        if table.note:
            print_line(console, table.note)
