"""Release lists: on which day each model came out, and on which it was withdrawn.

Columns ``model``, and one of ``leaderboard_date``, ``release_date`` and ``date`` (YYYY-MM-DD, or a
Parquet date or time); optionally ``withdrawal_date``, and ``kept``: rows where that is false are
passed over, and so are those of models that the outcomes lack, whatever they hold. A ``.json`` file
is a price list that tells days, such as OpenRouter's.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from stageroute_gym.errors import FieldError, closest
from stageroute_gym.workloads.prices import listed, read_prices
from stageroute_gym.workloads.table_files import read_table

DATE_COLUMNS = ("leaderboard_date", "release_date", "date")
WITHDRAWAL_COLUMN = "withdrawal_date"


class Calendar(NamedTuple):
    """When models come and go.

    Attributes:
        order: the models in the order of their dates, ties in the list's order.
        arrivals: day number of each, never decreasing.
        withdrawals: day number from which on each is off, None for never.
    """

    order: tuple[str, ...]
    arrivals: tuple[int, ...]
    withdrawals: tuple[int | None, ...]


def read_calendar(
    path: str, models: tuple[str, ...], names: Mapping[str, str] | None = None
) -> Calendar:
    """The calendar of some models.

    Args:
        path: a release list.
        models: the models to find in it.
        names: what models are called in it, where it is a price list and has other names.

    Raises:
        FieldError: if the list cannot be read, lacks a column or one of the models, names one of
            them twice, or its date is none, or not before its withdrawal.
    """
    of_prices = Path(path).suffix.lower() == ".json"
    rows = list(_of_prices(path, models, names or {}) if of_prices else _of_table(path))
    days: dict[str, tuple[int, int | None]] = {}
    for model, column, date, end in rows:
        if model not in models:
            continue
        if model in days:
            raise FieldError("model", model, "a name given only once")
        start = _day(date, f"{column} of {model!r}")
        gone = None if end is None else _day(end, f"{WITHDRAWAL_COLUMN} of {model!r}")
        if gone is not None and gone <= start:
            raise FieldError(f"{WITHDRAWAL_COLUMN} of {model!r}", end, f"a day after {date}")
        days[model] = start, gone
    for model in models:
        if model not in days:
            told = [name for name, *_ in rows if name is not None]
            raise FieldError("model without a date", model, closest(model, told))
    order = sorted(days, key=lambda model: days[model][0])
    arrivals = tuple(days[model][0] for model in order)
    return Calendar(tuple(order), arrivals, tuple(days[model][1] for model in order))


def _of_prices(
    path: str, models: tuple[str, ...], names: Mapping[str, str]
) -> Iterable[tuple[str, str, object, object]]:
    prices = read_prices(path, "models")
    own = {model: name for model, name in names.items() if name in prices and model in models}
    for model, price in listed(prices, models, own, "models").items():
        yield model, "created", price.created, price.expires


def _of_table(path: str) -> Iterable[tuple[str, str, object, object]]:
    import polars as pl

    frame = read_table(path, "models").frame
    if "model" not in frame.columns:
        allowed = f"a column of that name; {closest('model', frame.columns)}"
        raise FieldError("column model", None, allowed)
    column = next((name for name in DATE_COLUMNS if name in frame.columns), None)
    if column is None:
        allowed = f"one of {', '.join(DATE_COLUMNS)} among them"
        raise FieldError("columns", frame.columns, allowed)
    if "kept" in frame.columns:
        kept = pl.col("kept").cast(pl.String).fill_null("true").str.to_lowercase()
        frame = frame.filter(~kept.is_in(["false", "0"]))
    ends: list[object] = [None] * len(frame)
    if WITHDRAWAL_COLUMN in frame.columns:
        ends = frame[WITHDRAWAL_COLUMN].to_list()
    names = frame["model"].cast(pl.String).to_list()
    for model, date, end in zip(names, frame[column].to_list(), ends, strict=True):
        yield model, column, date, end


def _day(date: object, field: str) -> int:
    if isinstance(date, datetime.date):
        return date.toordinal()
    try:
        return datetime.datetime.fromisoformat(str(date).strip()).date().toordinal()
    except ValueError as error:
        raise FieldError(field, date, "a date, YYYY-MM-DD") from error
