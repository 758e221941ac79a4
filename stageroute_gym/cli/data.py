"""Commands for files of recorded outcomes: ``data check``, ``convert`` and ``split``."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from stageroute_gym.cli.output import stdout_console
from stageroute_gym.errors import FieldError

if TYPE_CHECKING:
    from rich.console import Console

    from stageroute_gym.workloads import FileReport

app = typer.Typer(no_args_is_help=True, help="Check, convert and split files of recorded outcomes.")

TASKS_SHOWN = 10

Prices = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Price list, for answers with tokens and no cost."),
]
PriceOf = Annotated[
    list[str] | None,
    typer.Option("--price-of", metavar="MODEL=NAME", help="A model's name in --prices."),
]


@app.command()
def check(
    file: Annotated[
        str,
        typer.Argument(
            help="A table (Parquet, CSV, JSON), or a benchmark's file.", show_default=False
        ),
    ],
    source_format: Annotated[
        str | None,
        typer.Option("--from", metavar="FORMAT", help="As for convert; recognised unless given."),
    ] = None,
    prices: Prices = None,
    price_of: PriceOf = None,
) -> None:
    """Say what a file holds and all that is wrong with it; exit code 1 if anything is."""
    from stageroute_gym.workloads import check_file

    report = check_file(
        file,
        source=source_format,
        prices=prices,
        price_names=_pairs("price-of", price_of or ()),
    )
    for remark in report.remarks:
        print(f"{file}: {remark}")
    if report.models:
        _print_contents(report, stdout_console())
    for problem in report.problems:
        print(f"problem: {problem}", file=sys.stderr)
    if report.problems:
        number = len(report.problems)
        print(f"{file}: {number} problem{'s' if number > 1 else ''}", file=sys.stderr)
        raise typer.Exit(1)
    print(f"{file}: no problems")


@app.command()
def convert(
    source: Annotated[
        str, typer.Argument(help="A table (Parquet, CSV, JSON lines), or a benchmark's file.")
    ],
    target: Annotated[str, typer.Argument(help="The .parquet or .csv file to write.")],
    source_format: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FORMAT",
            help="table, routerbench, routerbench-pickle, swebench, sprout, routerarena, "
            "llmrouterbench, llmrouter or json-lines; recognised unless given.",
            show_default=False,
        ),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--columns", metavar="OURS=THEIRS", help="Names of a table's columns, commas between."
        ),
    ] = None,
    prices: Prices = None,
    price_of: PriceOf = None,
    without: Annotated[
        list[str] | None, typer.Option("--without", metavar="MODEL", help="A model to leave out.")
    ] = None,
    clip_scores: Annotated[
        bool, typer.Option("--clip-scores", help="Move scores outside [0, 1] to the nearer end.")
    ] = False,
    scale_scores: Annotated[
        bool, typer.Option("--scale-scores", help="Scale the scores' range to [0, 1].")
    ] = False,
    layout: Annotated[str, typer.Option(help="Layout of the target: wide or long.")] = "wide",
    allow_pickle: Annotated[
        bool, typer.Option("--allow-pickle", help="Load a pickle, which runs code from the file.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the target if it exists.")
    ] = False,
) -> None:
    """Check a file and write it in another layout or format; say what is assumed or left out."""
    from stageroute_gym.workloads import convert as write

    if clip_scores and scale_scores:
        raise FieldError("scale-scores", True, "either --clip-scores or --scale-scores")
    renamed = [pair for text in columns or () for pair in text.split(",")]
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            done = write(
                source,
                target,
                layout=layout,  # type: ignore[arg-type]
                allow_pickle=allow_pickle,
                overwrite=overwrite,
                source_format=source_format,
                columns=_pairs("columns", renamed),
                scores="clip" if clip_scores else "scale" if scale_scores else "refuse",
                without=without or (),
                prices=prices,
                price_names=_pairs("price-of", price_of or ()),
            )
    except ImportError as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(2) from error
    for warning in warned:
        print(f"warning: {warning.message}", file=sys.stderr)
    for note in done.notes:
        print(f"note: {note}")
    size = f"{done.queries:,} queries, {len(done.models)} models"
    print(f"wrote {target}: {size}, from format {done.format}")


@app.command()
def split(
    source: Annotated[str, typer.Argument(help="Parquet, CSV or JSON lines.")],
    first: Annotated[str, typer.Argument(help="The .parquet or .csv file for the first queries.")],
    second: Annotated[str, typer.Argument(help="The same for the others.")],
    share: Annotated[float, typer.Option(help="Share of the queries in the first part.")] = 0.5,
    seed: Annotated[
        int | None,
        typer.Option(help="Draw the first part by this seed; otherwise the file's order decides."),
    ] = None,
    features: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Numbers known of each query, by query_id, for both."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that exist.")
    ] = False,
) -> None:
    """Write a file's first queries apart from the others: to fit agents on, to evaluate on."""
    from stageroute_gym.workloads import split as write

    done = write(
        source, first, second, share=share, seed=seed, features_file=features, overwrite=overwrite
    )
    if done.left_out:
        print(f"note: {done.left_out:,} queries are left out, since {features} lacks them")
    print(f"wrote {first}: {done.first:,} queries; {second}: {done.second:,} queries")


def _pairs(option: str, texts: Iterable[str]) -> dict[str, str]:
    """Options written as ``name=value``; the last sign of equality counts."""
    pairs = {}
    for text in texts:
        name, equals, value = text.rpartition("=")
        if not equals or not name or not value:
            raise FieldError(option, text, "NAME=VALUE")
        pairs[name.strip()] = value.strip()
    return pairs


def _print_contents(report: FileReport, console: Console) -> None:
    from rich.box import SIMPLE
    from rich.markup import escape
    from rich.table import Table

    table = Table(
        box=SIMPLE,
        title_justify="left",
        title=f"{escape(report.path)}: {report.rows:,} queries, {report.layout} layout",
    )
    table.add_column("model", overflow="fold")
    for column in ("mean score", "mean cost", "p99 cost", "max cost", "zero costs"):
        table.add_column(column, justify="right")
    for model in report.models:
        numbers = (model.mean_score, model.mean_cost, model.p99_cost, model.max_cost)
        cells = ["-" if number is None else f"{number:.4g}" for number in numbers]
        table.add_row(escape(model.name), *cells, str(model.zero_costs))
    console.print(table)
    shown = list(report.tasks.items())[:TASKS_SHOWN]
    tasks = ", ".join(f"{task} ({number:,})" for task, number in shown)
    more = (
        f", and {len(report.tasks) - TASKS_SHOWN} more" if len(report.tasks) > TASKS_SHOWN else ""
    )
    console.print(f"tasks: {tasks}{more}", markup=False)
    if report.features:
        console.print(f"features of a query: {report.features}", markup=False)
