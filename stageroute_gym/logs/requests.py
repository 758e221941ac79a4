"""Requests of a log, read field by field and checked: refused, or repaired and said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from stageroute_gym.errors import FieldError
from stageroute_gym.logs.formats import LogFormat
from stageroute_gym.workloads.prices import check_names, match, read_prices

if TYPE_CHECKING:
    import polars as pl

NO_TASK = "(no task)"
# The column that numbers the rows of a file, under a name that no file has.
ROW = "\0row"
_NUMBERS = ("cost", "score", "propensity", "input_tokens", "output_tokens")
_TOKENS = ("input_tokens", "output_tokens")
# Where the year comes first, no one takes a month for a day.
_YEAR_FIRST = r"^\s*\d{4}"


@dataclass(frozen=True, eq=False)
class Origin:
    """Where requests come from, for messages about them.

    Attributes:
        frame: the file's table, a row a request.
        names: the column of each field.
        place: where a row stands in the file, in words.
    """

    frame: pl.DataFrame
    names: Mapping[str, str]
    place: Callable[[int], str]

    def field(self, name: str, row: int) -> str:
        """A field of a request, by the name and the place that it has in the file."""
        return f"{self.names.get(name, name)} in {self.place(row)}"

    def value(self, name: str, row: int) -> Any:
        """What the file holds there; the tokens, of a cost that is made from them."""
        if name in self.names:
            return self.frame[self.names[name]][row]
        return tuple(self.frame[self.names[side]][row] for side in _TOKENS)


def answered(frame: pl.DataFrame, format_: LogFormat, model: str, notes: list[str]) -> pl.DataFrame:
    """The requests that a model answered in text.

    Args:
        frame: the table.
        format_: its format.
        model: the column of the model.
        notes: what is left out is added to it, in words.
    """
    import polars as pl

    def leave_out(rows: pl.Expr, why: str) -> None:
        nonlocal frame
        kept = frame.filter(~rows)
        if len(kept) < len(frame):
            left = len(frame) - len(kept)
            notes.append(f"{left:,} of {len(frame):,} {why} and are left out")
        frame = kept

    def told(marks: tuple[str, tuple[str, ...]]) -> pl.Expr:
        return pl.col(marks[0]).cast(pl.String).str.to_lowercase()

    def known(marks: tuple[str, tuple[str, ...]] | None) -> TypeGuard[tuple[str, tuple[str, ...]]]:
        return marks is not None and marks[0] in frame.columns

    if format_.mixed:
        leave_out(pl.col(model).is_null(), "rows name no model")
    if known(format_.others):
        words = "|".join(format_.others[1])
        other = told(format_.others).str.contains(words).fill_null(False)
        leave_out(other, "requests are for something else than text")
    if known(format_.succeeded):
        fine = told(format_.succeeded).is_in(list(format_.succeeded[1])).fill_null(True)
        leave_out(~fine, "requests failed")
    if known(format_.cached):
        hit = told(format_.cached).is_in(list(format_.cached[1])).fill_null(False)
        leave_out(hit, "requests were answered by a cache, which tells no model's cost,")
    return frame


def typed(frame: pl.DataFrame, names: Mapping[str, str], cost_unit: float) -> pl.DataFrame:
    """The fields under their own names: times and amounts as numbers, names as text."""
    import polars as pl

    parts = {name: frame[column] for name, column in names.items()}
    size = len(frame)
    numbers = {
        name: parts[name].cast(pl.Float64, strict=False)
        if name in parts
        else pl.repeat(None, size, dtype=pl.Float64, eager=True)
        for name in _NUMBERS
    }
    return pl.DataFrame(
        {
            ROW: frame[ROW],
            "id": parts["id"].cast(pl.String)
            if "id" in parts
            else pl.repeat(None, size, dtype=pl.String, eager=True),
            "time": _seconds(parts["time"]),
            "model": parts["model"].cast(pl.String),
            "task": parts["task"].cast(pl.String).fill_null(NO_TASK)
            if "task" in parts
            else pl.repeat(NO_TASK, size, dtype=pl.String, eager=True),
            **numbers,
            "cost": numbers["cost"] * cost_unit,
        }
    )


def priced(
    tidy: pl.DataFrame, prices: str | Path, price_of: Mapping[str, str], notes: list[str]
) -> pl.DataFrame:
    """With costs from tokens where a request tells its tokens, and no cost or one of 0.

    Raises:
        FieldError: if the list cannot be read or lacks a model that needs it, or none does.
    """
    import polars as pl

    valid = pl.all_horizontal((pl.col(side) >= 0).fill_null(False) for side in _TOKENS)
    open_ = tidy.select((pl.col("cost").fill_null(0.0) == 0.0) & valid).to_series()
    if not open_.any():
        told = bool((tidy["cost"].fill_null(0.0) != 0.0).all())
        allowed = "none; the log tells its costs" if told else "requests that tell their tokens"
        raise FieldError("prices", str(prices), allowed)
    models = tidy["model"].filter(open_).drop_nulls().unique().sort().to_list()
    check_names(price_of, tidy["model"].drop_nulls().unique())
    found = match(read_prices(prices), models, price_of)
    rates = (
        pl.col("model").replace_strict(
            {model: getattr(found[model], side) for model in models},
            default=None,
            return_dtype=pl.Float64,
        )
        for side in ("input", "output")
    )
    parts = [pl.col(name) * rate for name, rate in zip(_TOKENS, rates, strict=True)]
    number = int(open_.sum())
    which = "costs" if number == len(tidy) else f"the costs of {number:,} requests that told none"
    notes.append(f"{which} are tokens times the prices in {prices}")
    cost = pl.when(open_).then(parts[0] + parts[1]).otherwise("cost")
    return tidy.with_columns(cost.alias("cost"))


def _seconds(times: pl.Series) -> pl.Series:
    """Seconds since 1970: of dates, of ISO text, of seconds, milli-, micro- or nanoseconds."""
    import polars as pl

    if times.dtype.is_temporal():
        return times.cast(pl.Datetime("us")).dt.epoch("us").cast(pl.Float64) / 1e6
    numbers = times.cast(pl.Float64, strict=False)
    if numbers.null_count() == times.null_count():
        # By size: seconds of this century have ten digits.
        largest = numbers.abs().max()
        power = 0
        while isinstance(largest, float) and largest > 1e11:
            largest, power = largest / 1e3, power + 3
        return numbers / 10.0**power
    clear = times.set(~times.str.contains(_YEAR_FIRST).fill_null(False), None)
    parsed = clear.str.to_datetime(time_unit="us", time_zone="UTC", strict=False)
    return parsed.dt.epoch("us").cast(pl.Float64) / 1e6


def checked(tidy: pl.DataFrame, origin: Origin, repair: bool, notes: list[str]) -> pl.DataFrame:
    """Without faults, in the order of the times: refused, or repaired and said.

    Raises:
        FieldError: for the first fault that is not to be repaired.
    """
    import polars as pl

    def drop(name: str, fine: pl.Expr, allowed: str) -> None:
        nonlocal tidy
        kept = tidy.filter(fine)
        number = len(tidy) - len(kept)
        if not number:
            return
        if not repair:
            row = tidy.join(kept, on=ROW, how="anti")[ROW][0]
            hint = f"{number:,} of {len(tidy):,}; --repair leaves {'it' if number == 1 else 'them'}"
            raise FieldError(
                origin.field(name, row), origin.value(name, row), f"{allowed} ({hint} out)"
            )
        column = origin.names.get(name, name)
        notes.append(f"{number:,} requests are left out: {column} is not {allowed}")
        tidy = kept

    allowed = "a time, as 2026-05-01T12:00:00Z or in seconds since 1970"
    drop("time", pl.col("time").is_finite().fill_null(False), allowed)
    drop("model", pl.col("model").is_not_null(), "the name of a model")
    cost = pl.col("cost")
    drop("cost", (cost.is_finite() & (cost >= 0)).fill_null(False), "finite USD, >= 0")
    # A score that is absent is one that nobody gave.
    score = pl.col("score")
    drop("score", score.is_null() | score.is_between(0, 1), "a number in [0, 1], or nothing")
    if "propensity" in origin.names:
        chance = pl.col("propensity")
        allowed = "a probability in (0, 1]"
        drop("propensity", ((chance > 0) & (chance <= 1)).fill_null(False), allowed)
    named = pl.col("id").is_not_null()
    drop("id", ~named | pl.col("id").is_first_distinct(), "an id given only once")
    _say_free(tidy, notes)
    return _in_order(tidy, origin, repair, notes)


def _say_free(tidy: pl.DataFrame, notes: list[str]) -> None:
    """Say which models cost nothing by the log: a gateway without a price writes 0."""
    import polars as pl

    totals = tidy.group_by("model").agg(pl.col("cost").max(), pl.len()).sort("model")
    for model, _, number in totals.filter(pl.col("cost") == 0.0).iter_rows():
        notes.append(
            f"{model} counts as free: each of its {number:,} requests costs 0 USD in the log, as a "
            "gateway writes that knows no price; --prices FILE gives one"
        )


def _in_order(tidy: pl.DataFrame, origin: Origin, repair: bool, notes: list[str]) -> pl.DataFrame:
    times = tidy["time"]
    if times.is_sorted():
        return tidy
    if times.is_sorted(descending=True):
        notes.append("the newest request comes first in the file; they are read from the oldest on")
        return tidy.reverse()
    if not repair:
        place = int(np.flatnonzero(np.diff(times.to_numpy()) < 0)[0])
        above, row = tidy[ROW][place], tidy[ROW][place + 1]
        raise FieldError(
            origin.field("time", row),
            origin.value("time", row),
            f"a time not before that of the request above, {origin.value('time', above)}; --repair "
            "sorts them",
        )
    notes.append("requests are put in the order of their times")
    return tidy.sort("time", maintain_order=True)
