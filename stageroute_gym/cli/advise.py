"""The command ``advise``: what to deploy and what to send where, from outcomes or a log."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stageroute_gym import checks
from stageroute_gym.cli.log_options import (
    Columns,
    PriceOf,
    Prices,
    Repair,
    Scores,
    Source,
    column_pairs,
)
from stageroute_gym.cli.output import stdout_console
from stageroute_gym.errors import FieldError
from stageroute_gym.writing import write_text

if TYPE_CHECKING:
    from stageroute_gym.advice import Advice, LogReport

HORIZON = 10_000
RANKED = "paced-route,stageroute,linucb,thompson-lp,greedy-price,cheapest"


def advise(
    file: Annotated[
        str,
        typer.Argument(
            help="Each model's outcome on each query, as a table or a benchmark's file; or a "
            "gateway's log."
        ),
    ],
    budget: Annotated[
        float | None,
        typer.Option(
            help="USD a query, on average; default: what a log spends, or the median model."
        ),
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
    source: Source = None,
    columns: Columns = None,
    scores: Scores = None,
    repair: Repair = False,
    prices: Prices = None,
    price_of: PriceOf = None,
    resamples: Annotated[int, typer.Option(help="Bootstrap resamples of the queries.")] = 200,
    seed: Annotated[int, typer.Option(help="Seed of the resamples and folds.")] = 0,
    html: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write a page with charts, too.")
    ] = None,
    rank: Annotated[
        bool, typer.Option("--rank", help="Then play agents on it, which takes a minute or more.")
    ] = False,
    agent: Annotated[
        list[str] | None,
        typer.Option(
            "--agents",
            "--agent",
            help=f"Entries for --rank, with commas between or repeated; default: {RANKED}.",
        ),
    ] = None,
    context: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write what a live router is to know, as JSON."),
    ] = None,
    horizon: Annotated[
        int | None,
        typer.Option(help=f"Queries in --rank, and for --context; default: {HORIZON:,}."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
) -> None:
    """Say which models to deploy and what to send where, what it costs, and how sure that is."""
    if html is not None:
        from stageroute_gym.report.page import check_page

        check_page(html)
    if context is not None and not Path(context).absolute().parent.is_dir():
        raise FieldError("context", context, "a file in a folder that exists")
    if horizon is not None:
        checks.count("horizon", horizon, 1)
        if not rank and context is None:
            raise FieldError("horizon", horizon, "--rank or --context with it, which are over it")
    queries = horizon or HORIZON
    from stageroute_gym.advice import LogEvidence, Wishes, log_report, read_material
    from stageroute_gym.advice import advise as compute
    from stageroute_gym.evaluation.entries import parse_entries

    if agent and not rank:
        raise FieldError("agents", agent, "--rank with it, which plays them")
    entries = parse_entries(agent or [RANKED]) if rank else ()
    wishes = Wishes(budget, max_deployed, _shares(throughput or ()), min_score)
    evidence, workload, remarks = read_material(
        file,
        by=by,
        seed=seed,
        source=source,
        columns=column_pairs(columns or ()),
        scores=scores,
        repair=repair,
        prices=prices,
        price_of=price_of or (),
    )
    logged = evidence if isinstance(evidence, LogEvidence) else None
    spent = logged.today().cost if logged else None
    advice = compute(evidence, wishes, source=file, spent=spent, resamples=resamples, seed=seed)
    report = log_report(logged, advice.plan, seed) if logged else None
    ranked = None
    if entries:
        from stageroute_gym.advice.learning import rank_agents

        ranked = rank_agents(advice, workload, entries, horizon=queries)
    if context is not None:
        from stageroute_gym.advice.learning import live_context

        told = live_context(advice, workload, queries)
        write_text(context, json.dumps(told.to_dict(), indent=2) + "\n", field="context")
    if html is not None:
        from stageroute_gym.report.advice_page import write_advice_page

        write_advice_page(html, advice, report, ranked)
    if as_json:
        from stageroute_gym.report.advice_json import advice_dict

        print(json.dumps(advice_dict(advice, report, ranked), indent=2))
        return
    _print(advice, report, remarks, ranked)
    if html is not None:
        print(f"wrote {html}")
    if context is not None:
        best = ranked["ranking"][0]["entry"] if ranked and ranked["ranking"] else "paced-route"
        print(
            f"wrote {context}: {queries:,} queries for {told.problem.total_budget:.4g} USD; a live "
            f"router is made by Router(AgentContext.read({context!r}), {best!r}, store='router.db')"
        )


def _print(
    advice: Advice,
    report: LogReport | None,
    remarks: Sequence[str],
    ranked: dict[str, Any] | None,
) -> None:
    from stageroute_gym.report.advice_tables import advice_tables, headline, limits_lines
    from stageroute_gym.report.learning_table import learning_table
    from stageroute_gym.report.log_tables import log_headline, log_tables
    from stageroute_gym.report.terminal import print_line, print_table

    console = stdout_console()
    told = log_headline(advice, report) if report else []
    for line in (*limits_lines(advice), *remarks, "", *headline(advice), *told):
        print_line(console, line)
    tables = advice_tables(advice) + (log_tables(advice, report) if report else [])
    if ranked is not None:
        tables.append(learning_table(ranked))
    for table in tables:
        console.print()
        print_table(console, table)
        if table.note:
            print_line(console, table.note)


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
