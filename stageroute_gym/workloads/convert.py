"""Converting recorded outcomes between layouts and file types, foreign formats included."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from stageroute_gym import checks
from stageroute_gym.errors import FieldError, closest
from stageroute_gym.workloads import sources
from stageroute_gym.workloads.layouts import (
    COST,
    ROUTERBENCH_COST,
    SCORE,
    column_problems,
    columns_left_out,
    layout_of,
    models_of,
    to_long,
    to_wide,
)
from stageroute_gym.workloads.outcome_files import ROUTERBENCH, TABLE, check_layout, checked
from stageroute_gym.workloads.table_files import PICKLES, read_table
from stageroute_gym.writing import write_table

if TYPE_CHECKING:
    import polars as pl

TARGETS = (".parquet", ".csv")
PICKLE = "routerbench-pickle"
SOURCE_FORMATS = (TABLE, ROUTERBENCH, PICKLE, *sources.FORMATS)
_SHOWN = 5


class Conversion(NamedTuple):
    """What a conversion did.

    Attributes:
        format: name of the source's format.
        queries: number of queries.
        models: the models.
        notes: what was recognised, assumed or left out, in words.
    """

    format: str
    queries: int
    models: tuple[str, ...]
    notes: tuple[str, ...]


def convert(
    source: str | Path,
    target: str | Path,
    *,
    layout: Literal["wide", "long"] = "wide",
    overwrite: bool = False,
    allow_pickle: bool = False,
    source_format: str | None = None,
    columns: Mapping[str, str] | None = None,
    scores: Literal["refuse", "clip", "scale"] = "refuse",
    without: Sequence[str] = (),
    prices: str | Path | None = None,
    price_names: Mapping[str, str] | None = None,
) -> Conversion:
    """Write the outcomes in ``source``, checked, to ``target``.

    Args:
        source: a file of this project's layouts, or one of `SOURCE_FORMATS`.
        target: a ``.parquet`` or ``.csv`` file. It appears whole or not at all.
        layout: layout of the target.
        overwrite: replace an existing target.
        allow_pickle: load a pickle, which runs whatever code is in it; warns when it does.
        source_format: one of `SOURCE_FORMATS`; None recognises it.
        columns: our name of a column -> its name in a table.
        scores: what to do with scores outside [0, 1]: ``"refuse"``, ``"clip"`` to the nearer end,
            or ``"scale"`` all linearly, the smallest of the file to 0 and the largest to 1.
        without: models to leave out.
        prices: a price list (`stageroute_gym.workloads.prices`), for answers that tell tokens and
            no cost.
        price_names: model -> its name in the price list, where that is another one.

    Raises:
        FieldError: if the source has a fault, or the target cannot be written.
        ImportError: if a pickle is to be loaded and pandas is not installed.
    """
    goal = Path(target)
    checks.choice("layout", layout, ("wide", "long"))
    checks.choice("scores", scores, ("refuse", "clip", "scale"))
    if goal.suffix.lower() not in TARGETS:
        raise FieldError("target", str(target), f"a file that ends in {' or '.join(TARGETS)}")
    if goal.exists() and not overwrite:
        raise FieldError("target", str(target), "a new file, or overwrite (--overwrite)")
    if not goal.parent.is_dir():
        raise FieldError("target", str(target), "a file in an existing folder")
    if source_format is not None:
        checks.choice("from", source_format, SOURCE_FORMATS)
    origin = Path(source)
    if not origin.exists():
        raise FieldError("source", str(source), "an existing file")
    name = source_format or _recognised(origin)
    notes: tuple[str, ...]
    if name in sources.FORMATS:
        frame, notes = sources.read(
            name, origin, prices=prices, price_names=price_names or {}, without=without
        )
    elif name == PICKLE:
        frame, notes = _read_pickle(origin, allow_pickle)
    else:
        frame, notes = read_table(origin, "source")
        check_layout(name, frame.columns, "from")
    for ours, theirs in (columns or {}).items():
        if theirs not in frame.columns:
            raise FieldError(f"columns: {ours}", theirs, closest(theirs, frame.columns))
        frame = frame.drop(ours, strict=False).rename({theirs: ours})
    if name == TABLE and layout_of(frame.columns) == ROUTERBENCH:
        name = ROUTERBENCH
    notes += _said_left_out(columns_left_out(frame.columns))
    wide, more = _fitted(_without(frame, without), scores)
    wide = checked(wide)
    write_table(goal, to_long(wide) if layout == "long" else wide, field="target")
    return Conversion(name, len(wide), tuple(models_of(wide.columns)), (*notes, *more))


def _recognised(path: Path) -> str:
    if path.suffix.lower() in PICKLES:
        return PICKLE
    return sources.recognised(path) or TABLE


def _said_left_out(columns: Sequence[str]) -> tuple[str, ...]:
    if not columns:
        return ()
    more = f" and {len(columns) - _SHOWN} more" if len(columns) > _SHOWN else ""
    return (f"columns left out: {', '.join(columns[:_SHOWN])}{more}",)


def _without(frame: pl.DataFrame, models: Sequence[str]) -> pl.DataFrame:
    """A table without some models; those that it does not have were looked for before."""
    import polars as pl

    if "model" in frame.columns:
        return frame.filter(~pl.col("model").cast(pl.String).is_in(list(models)))
    gone = [
        name
        for model in models
        for name in (SCORE + model, COST + model, model, model + ROUTERBENCH_COST)
    ]
    return frame.drop(gone, strict=False)


def _fitted(
    frame: pl.DataFrame, scores: Literal["refuse", "clip", "scale"]
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The frame with scores in [0, 1], in the wide layout where it has no other fault."""
    import polars as pl

    if any(column_problems(frame.columns)):
        return frame, ()
    wide, problems = to_wide(frame)
    names = [SCORE + model for model in models_of(wide.columns)]
    numeric = [name for name in names if wide[name].dtype.is_numeric()]
    if problems or not numeric:
        return frame, ()
    values = wide.select(pl.col(numeric).cast(pl.Float64)).unpivot()["value"].drop_nulls()
    values = values.filter(values.is_finite())
    outside = int((~values.is_between(0, 1)).sum())
    if outside == 0:
        return frame, ()
    low, high = float(values.min()), float(values.max())  # type: ignore[arg-type]
    where = f"{outside:,} of {len(values):,} scores lie outside [0, 1], from {low:g} to {high:g}"
    if scores == "refuse":
        first = next(name for name in numeric if not wide[name].is_between(0, 1).all())
        row = wide.filter(~pl.col(first).is_between(0, 1))
        allowed = f"a number in [0, 1] (or --clip-scores, or --scale-scores); {where}"
        offender = f"{first} of query {row['query_id'][0]!r}"
        raise FieldError(offender, row[first][0], allowed)
    if scores == "clip":
        return wide.with_columns(pl.col(numeric).clip(0, 1)), (f"{where}: clipped",)
    scaled = (pl.col(numeric) - low) / (high - low)
    return wide.with_columns(scaled.clip(0, 1)), (f"{where}: scaled from there to 0 to 1",)


def _read_pickle(source: Path, allow_pickle: bool) -> tuple[pl.DataFrame, tuple[str, ...]]:
    import polars as pl

    if not allow_pickle:
        allowed = (
            "a .parquet or .csv file: loading a pickle runs code from the file; "
            "give --allow-pickle (allow_pickle=True) if you trust where it comes from"
        )
        raise FieldError("source", str(source), allowed)
    if not source.is_file():
        raise FieldError("source", str(source), "an existing file")
    try:
        pandas = importlib.import_module("pandas")
    except ImportError as error:
        message = "reading a pandas pickle needs pandas: pip install pandas"
        raise ImportError(message) from error
    warnings.warn(f"loading the pickle {source} executes code from the file", stacklevel=3)
    try:
        loaded = pandas.read_pickle(source)
    except Exception as error:  # a broken pickle may raise anything
        allowed = f"a readable pandas pickle: {type(error).__name__}: {error}"
        raise FieldError("source", str(source), allowed) from error
    if not isinstance(loaded, pandas.DataFrame):
        raise FieldError("source", str(source), f"a pickled DataFrame, not {type(loaded).__name__}")
    names = [str(name) for name in loaded.columns]
    # Prompts and responses, most of the file, stay behind.
    models = {name.removesuffix(ROUTERBENCH_COST) for name in names if ROUTERBENCH_COST in name}
    kept = [
        place
        for place, name in enumerate(names)
        if name in models or name in ("sample_id", "eval_name") or ROUTERBENCH_COST in name
    ]
    # A column of Python objects may mix types; Series.strict=False makes them text where it must.
    columns = {names[place]: loaded.iloc[:, place].tolist() for place in kept}
    frame = pl.DataFrame([pl.Series(name, cells, strict=False) for name, cells in columns.items()])
    return frame, _said_left_out([name for name in names if name not in columns])
