"""Release lists: on which day each model came out.

Columns ``model``, and one of ``leaderboard_date``, ``release_date`` and ``date`` (YYYY-MM-DD, or a
Parquet date or time); optionally ``kept``: rows where that is false are passed over, and so are
those of models that the outcomes lack, whatever they hold.
"""

from __future__ import annotations

import datetime

from stageroute_gym.errors import FieldError, closest
from stageroute_gym.workloads.table_files import read_table

DATE_COLUMNS = ("leaderboard_date", "release_date", "date")


def release_dates(path: str, models: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The models in the order of their dates (ties in the list's order), and their day numbers.

    Args:
        path: a release list.
        models: the models to find in it.

    Raises:
        FieldError: if the list cannot be read, lacks a column or one of the models, names one of
            them twice, or its date is none.
    """
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
    listed = frame["model"].cast(pl.String).to_list()
    days: dict[str, int] = {}
    for model, date in zip(listed, frame[column].to_list(), strict=True):
        if model not in models:
            continue
        if model in days:
            raise FieldError("model", model, "a name given only once")
        days[model] = _day(date, f"{column} of {model!r}")
    for model in models:
        if model not in days:
            names = [name for name in listed if name is not None]
            raise FieldError("model without a date", model, closest(model, names))
    known = sorted(days, key=days.__getitem__)
    return tuple(known), tuple(days[model] for model in known)


def _day(date: object, field: str) -> int:
    if isinstance(date, datetime.date):
        return date.toordinal()
    try:
        return datetime.datetime.fromisoformat(str(date).strip()).date().toordinal()
    except ValueError as error:
        raise FieldError(field, date, "a date, YYYY-MM-DD") from error
