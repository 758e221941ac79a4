"""Files of recorded outcomes: reading and checking them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stageroute_gym.errors import FieldError
from stageroute_gym.workloads.cells import cell_problems, cleaned, normalised
from stageroute_gym.workloads.layouts import (
    COST,
    SCORE,
    Layout,
    column_problems,
    layout_of,
    models_of,
    to_wide,
)

if TYPE_CHECKING:
    import polars as pl

ENDINGS = (".parquet", ".csv")
PICKLES = (".pkl", ".pickle")
_PARQUET_MARK = b"PAR1"
# Columns that stay text in a CSV: 007 is another query than 7.
_NAMES = ("query_id", "sample_id", "task", "eval_name", "family", "model")


@dataclass(frozen=True)
class ModelReport:
    """What a file holds of one model; None where it has no valid value.

    Attributes:
        name: the model.
        mean_score: mean of the valid scores, each query counted once.
        mean_cost: mean of the valid costs in USD.
        p99_cost: 99th percentile of the valid costs in USD.
        max_cost: largest valid cost in USD.
        zero_costs: number of costs that are 0.
    """

    name: str
    mean_score: float | None
    mean_cost: float | None
    p99_cost: float | None
    max_cost: float | None
    zero_costs: int


@dataclass(frozen=True)
class FileReport:
    """What a file of outcomes holds, and all that is wrong with it.

    Attributes:
        path: the file.
        layout: ``"wide"``, ``"long"`` or ``"routerbench"``; None if the file could not be read.
        rows: number of queries.
        tasks: number of queries of each task, the largest first.
        models: one report a model.
        problems: messages, one a fault; empty if the file can be used.
    """

    path: str
    layout: Layout | None
    rows: int
    tasks: dict[str, int]
    models: tuple[ModelReport, ...]
    problems: tuple[str, ...]


def read_outcomes(path: str | Path) -> pl.DataFrame:
    """The outcomes in a ``.parquet`` or ``.csv`` file, checked, in the wide layout.

    Args:
        path: a file in one of the layouts of `stageroute_gym.workloads.layouts`.

    Returns:
        One row a query: ``query_id`` and ``task`` (String), ``score:<model>`` in [0, 1] and
        ``cost:<model>`` in USD (Float64), ``family`` (String) and ``weight`` (Float64) where the
        file has them, and a wide file's further columns as they are.

    Raises:
        FieldError: for the first fault: a file that is absent, empty or not what its ending says,
            a column that is missing, a cell that is not allowed.
    """
    return checked(read_frame(path))


def checked(frame: pl.DataFrame) -> pl.DataFrame:
    """A frame in any layout as `read_outcomes` returns it.

    Raises:
        FieldError: for the first fault.
    """
    for problem in column_problems(frame.columns):
        raise problem
    wide, problems = to_wide(frame)
    for problem in [*problems, *cell_problems(wide)]:
        raise problem
    return normalised(wide)


def check_file(path: str | Path) -> FileReport:
    """What a file holds and everything that is wrong with it; raises for none of it."""
    try:
        frame = read_frame(path)
    except FieldError as error:
        return FileReport(str(path), None, 0, {}, (), (str(error),))
    layout = layout_of(frame.columns)
    problems = column_problems(frame.columns)
    if problems:
        messages = tuple(str(problem) for problem in problems)
        return FileReport(str(path), layout, len(frame), {}, (), messages)
    wide, problems = to_wide(frame)
    messages = tuple(str(problem) for problem in [*problems, *cell_problems(wide)])
    counts = wide["task"].drop_nulls().value_counts(sort=True)
    tasks = {str(task): int(number) for task, number in counts.iter_rows()}
    models = tuple(_model_report(wide, name) for name in models_of(wide.columns))
    return FileReport(str(path), layout, len(wide), tasks, models, messages)


def read_frame(path: str | Path, field: str = "data") -> pl.DataFrame:
    """The file as it is, after a look at whether it is what its ending says.

    Args:
        path: a ``.parquet`` or ``.csv`` file.
        field: name of the option that holds the path, for errors.

    Raises:
        FieldError: if it is absent, empty, or cannot be read.
    """
    import polars as pl

    file = Path(path)
    ending = file.suffix.lower()
    if ending in PICKLES:
        allowed = f"a {' or '.join(ENDINGS)} file; convert a pickle first"
        raise FieldError(field, str(path), allowed)
    if ending not in ENDINGS:
        raise FieldError(field, str(path), f"a file that ends in {' or '.join(ENDINGS)}")
    if not file.is_file():
        raise FieldError(field, str(path), "an existing file")
    _check_content(file, field)
    try:
        if ending == ".parquet":
            return pl.read_parquet(file)
        # All rows decide a column's type: a stray word far down must not stop the reading.
        text = dict.fromkeys(_NAMES, pl.String)
        frame = pl.read_csv(file, infer_schema_length=None, schema_overrides=text)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise FieldError(field, str(path), f"a readable {ending[1:]} file: {reason}") from error
    for name in frame.columns:
        if "\N{REPLACEMENT CHARACTER}" in name:
            raise FieldError(field, str(path), "CSV text in UTF-8; this is in another encoding")
        original, mark, _ = name.rpartition("_duplicated_")
        if mark and original in frame.columns:
            raise FieldError("column", original, "a name given only once")
    return frame


def _check_content(file: Path, field: str) -> None:
    with file.open("rb") as stream:
        head = stream.read(4096)
        stream.seek(max(file.stat().st_size - 4, 0))
        tail = stream.read()
    if not head:
        raise FieldError(field, str(file), "a file that is not empty")
    if file.suffix.lower() == ".csv":
        if head.startswith(_PARQUET_MARK):
            raise FieldError(field, str(file), "CSV text; this is a Parquet file: name it .parquet")
        if b"\0" in head:
            raise FieldError(field, str(file), "CSV text; this is a binary file")
    elif not head.startswith(_PARQUET_MARK):
        raise FieldError(field, str(file), "a Parquet file; this is not one: is it a CSV?")
    elif tail != _PARQUET_MARK or file.stat().st_size < 12:
        raise FieldError(field, str(file), "a whole Parquet file; the end of this one is missing")


def _model_report(wide: pl.DataFrame, name: str) -> ModelReport:
    import polars as pl

    score, cost = cleaned(wide, SCORE + name), cleaned(wide, COST + name)
    mean, p99, highest, zeros = (
        pl.DataFrame({"x": cost})
        .select(
            mean=pl.col("x").mean(),
            p99=pl.col("x").quantile(0.99, "linear"),
            highest=pl.col("x").max(),
            zeros=(pl.col("x") == 0).sum(),
        )
        .row(0)
    )
    mean_score = score.to_frame("x").select(pl.col("x").mean()).item()
    return ModelReport(name, mean_score, mean, p99, highest, zeros)
