"""Checks of the cells of a wide frame: queries, scores, costs, weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stageroute_gym.errors import FieldError
from stageroute_gym.workloads.layouts import COST, SCORE, models_of

if TYPE_CHECKING:
    import polars as pl


def cell_problems(frame: pl.DataFrame) -> list[FieldError]:
    """What is wrong with the cells of a wide frame, one error a column and kind of fault.

    Each names the first offending query, by its row where it has no name of its own (the first is
    1), and the value as it stands in the file.
    """
    if not len(frame):
        return [FieldError("rows", 0, "at least one query")]
    problems: list[FieldError] = []
    names = _text(frame["query_id"])

    def report(column: str, fine: pl.Series, allowed: str) -> None:
        if fine.all():
            return
        row = int(fine.arg_min() or 0)
        count = len(fine) - fine.sum()
        more = "" if count == 1 else f" ({count} rows offend)"
        where = (
            f"{column} in row {row + 1}"
            if column == "query_id"
            else f"{column} of query {names[row]!r}"
        )
        problems.append(FieldError(where, frame[column][row], allowed + more))

    report("query_id", names.is_not_null(), "a name")
    report("query_id", names.is_first_distinct() | names.is_null(), "a name given only once")
    for column in ("task", "family"):
        if column in frame.columns:
            report(column, _text(frame[column]).is_not_null(), f"the name of a {column}")
    for model in models_of(frame.columns):
        for column, allowed in (
            (SCORE + model, "a number in [0, 1]"),
            (COST + model, "a finite number of USD, >= 0"),
        ):
            report(column, cleaned(frame, column).is_not_null(), allowed)
    if "weight" in frame.columns:
        report("weight", cleaned(frame, "weight").is_not_null(), "a finite number > 0")
    return problems


def cleaned(frame: pl.DataFrame, column: str) -> pl.Series:
    """The column as Float64 with null for every value that is not allowed in it."""
    import polars as pl

    values = frame[column]
    if not (values.dtype.is_numeric() or values.dtype in (pl.Boolean, pl.String, pl.Null)):
        # A categorical would become its codes, a date its day number.
        return pl.repeat(None, len(values), dtype=pl.Float64, eager=True)
    numbers = values.cast(pl.Float64, strict=False)
    if column.startswith(SCORE):
        fine = numbers.is_between(0, 1)
    elif column.startswith(COST):
        fine = numbers.is_finite() & (numbers >= 0)
    else:
        fine = numbers.is_finite() & (numbers > 0)
    return numbers.to_frame("x").select(pl.when(fine).then(pl.col("x")))["x"]


def _text(values: pl.Series) -> pl.Series:
    """The values as String, null where they are not names."""
    import polars as pl

    if values.dtype.is_nested():
        return pl.repeat(None, len(values), dtype=pl.String, eager=True)
    return values.cast(pl.String, strict=False)


def normalised(frame: pl.DataFrame) -> pl.DataFrame:
    """A checked wide frame with its types settled.

    ``query_id``, ``task`` and ``family`` are String; scores, costs and ``weight`` are Float64;
    other columns stay as they are.
    """
    import polars as pl

    numeric = [name for name in frame.columns if name.startswith((SCORE, COST)) or name == "weight"]
    text = [name for name in ("query_id", "task", "family") if name in frame.columns]
    return frame.with_columns(pl.col(text).cast(pl.String), pl.col(numeric).cast(pl.Float64))
