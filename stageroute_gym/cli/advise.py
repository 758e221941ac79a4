"""The command ``advise``: what to deploy and what to send where, from a file of outcomes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated

import typer

from stageroute_gym.cli.output import stdout_console
from stageroute_gym.errors import FieldError


def advise(
    file: Annotated[
        str, typer.Argument(help="Outcomes, .parquet or .csv: each model on each query.")
    ],
    budget: Annotated[
        float | None,
        typer.Option(help="USD a query, on average; default: the median of the models' costs."),
    ] = None,
    max_deployed: Annotated[
        int | None, typer.Option(help="Models deployed at once; default: 5, or all if fewer.")
    ] = None,
    throughput: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SHARE|MODEL=SHARE",
            help="Largest share of the queries of each model, or of one; may be repeated.",
        ),
    ] = None,
    min_score: Annotated[
        float | None,
        typer.Option(help="Mean score to reach at the least cost, instead of a budget."),
    ] = None,
    by: Annotated[
        str,
        typer.Option(
            metavar="COLUMN",
            help="Column that tells a query's kind before it is routed; none: one mixture for all.",
        ),
    ] = "task",
    resamples: Annotated[int, typer.Option(help="Bootstrap resamples of the queries.")] = 200,
    seed: Annotated[int, typer.Option(help="Seed of the resamples and folds.")] = 0,
    html: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write a page with charts, too.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
) -> None:
    """Say which models to deploy and what to send where, what it costs, and how sure that is."""
    from stageroute_gym.advice import TableEvidence, Wishes
    from stageroute_gym.advice import advise as compute

    if html is not None:
        from stageroute_gym.report.page import check_page

        check_page(html)
    wishes = Wishes(budget, max_deployed, _shares(throughput or ()), min_score)
    evidence = TableEvidence.read(file, by, seed)
    advice = compute(evidence, wishes, source=file, resamples=resamples, seed=seed)
    if html is not None:
        from stageroute_gym.report.advice_page import write_advice_page

        write_advice_page(html, advice)
    if as_json:
        from stageroute_gym.report.advice_json import advice_dict

        print(json.dumps(advice_dict(advice), indent=2))
        return
    from stageroute_gym.report.advice_tables import advice_tables, headline, limits_lines
    from stageroute_gym.report.terminal import print_line, print_table

    console = stdout_console()
    for line in (*limits_lines(advice), "", *headline(advice)):
        print_line(console, line)
    for table in advice_tables(advice):
        console.print()
        print_table(console, table)
        if table.note:
            print_line(console, table.note)
    if html is not None:
        print_line(console, f"wrote {html}")


def _shares(texts: Sequence[str]) -> dict[str, float] | None:
    """Throughput from ``SHARE`` and ``MODEL=SHARE``, all in one dictionary; ``""`` is for all."""
    shares: dict[str, float] = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        if name in shares:
            raise FieldError("throughput", text, "each model only once")
        try:
            shares[name] = float(number)
        except ValueError:
            raise FieldError("throughput", text, "SHARE or MODEL=SHARE, such as 0.4") from None
    return shares or None
