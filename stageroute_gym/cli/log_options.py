"""Options of the commands that read a gateway's log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from stageroute_gym.errors import FieldError

_PANEL = "Logs"
Source = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="GATEWAY",
        help="Which gateway wrote it; recognised unless given.",
        rich_help_panel=_PANEL,
    ),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FIELD=COLUMN",
        help="Column that holds id, time, model, cost, score, task or propensity.",
        rich_help_panel=_PANEL,
    ),
]
Scores = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Mean scores by task and model.", rich_help_panel=_PANEL),
]
Repair = Annotated[
    bool,
    typer.Option("--repair", help="Sort, and leave out bad requests.", rich_help_panel=_PANEL),
]
Prices = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Price list, for files that tell tokens and no costs.",
        rich_help_panel=_PANEL,
    ),
]
PriceOf = Annotated[
    list[str] | None,
    typer.Option(
        "--price-of",
        metavar="MODEL=NAME",
        help="A model's name in --prices.",
        rich_help_panel=_PANEL,
    ),
]


def column_pairs(texts: Sequence[str]) -> tuple[str, ...]:
    """Columns given as ``FIELD=COLUMN``, several with commas between them, one by one.

    Raises:
        FieldError: if one is not that, or a field is given twice.
    """
    pairs = tuple(part.strip() for given in texts for part in given.split(","))
    fields = [pair.partition("=")[0] for pair in pairs]
    for field, pair in zip(fields, pairs, strict=True):
        if not all(pair.partition("=")):
            raise FieldError("columns", pair, "FIELD=COLUMN, such as cost=cost_usd")
        if fields.count(field) > 1:
            raise FieldError("columns", pair, "each field only once")
    return pairs
