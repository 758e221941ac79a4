"""Files of recorded outcomes: reading and checking them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from stageroute_gym import checks
from stageroute_gym.errors import FieldError
from stageroute_gym.workloads import sources
from stageroute_gym.workloads.cells import cell_problems, cleaned, normalised
from stageroute_gym.workloads.layouts import (
    COST,
    ROUTERBENCH_COST,
    SCORE,
    Layout,
    column_problems,
    layout_of,
    models_of,
    to_wide,
)
from stageroute_gym.workloads.query_features import feature_names
from stageroute_gym.workloads.table_files import read_table

if TYPE_CHECKING:
    import polars as pl


# What a file may be read as: a table in a layout of this project, or a foreign format.
TABLE = "table"
ROUTERBENCH = "routerbench"
FORMATS = (TABLE, ROUTERBENCH, *sources.FORMATS)


class Outcomes(NamedTuple):
    """What was read from a file of any format.

    Attributes:
        frame: the outcomes, as `read_outcomes` returns them.
        notes: what was recognised, assumed or left out, in words.
    """

    frame: pl.DataFrame
    notes: tuple[str, ...]


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
        remarks: what had to be recognised, such as a separator or decimal commas.
        features: number of the features of a query that can be read.
    """

    path: str
    layout: Layout | None
    rows: int
    tasks: dict[str, int]
    models: tuple[ModelReport, ...]
    problems: tuple[str, ...]
    remarks: tuple[str, ...]
    features: int = 0


def read_outcomes(path: str | Path) -> pl.DataFrame:
    """The outcomes in a file, checked, in the wide layout.

    Args:
        path: a file of a kind that `stageroute_gym.workloads.table_files` reads, in one of the
            layouts of `stageroute_gym.workloads.layouts`.

    Returns:
        One row a query: ``query_id`` and ``task`` (String), ``score:<model>`` in [0, 1] and
        ``cost:<model>`` in USD (Float64), ``family`` (String) and ``weight`` (Float64) where the
        file has them, and a wide file's further columns as they are.

    Raises:
        FieldError: for the first fault: a file that is absent, empty or not what its ending says,
            a column that is missing, a cell that is not allowed.
    """
    return checked(read_table(path).frame)


def is_outcome_format(path: str | Path, source: str | None = None) -> bool:
    """Whether a file is of a foreign format of outcomes, by what it holds or as it is said."""
    return (source or _recognised(path)) in FORMATS


def read_any(
    path: str | Path,
    *,
    source: str | None = None,
    prices: str | Path | None = None,
    price_names: Mapping[str, str] | None = None,
) -> Outcomes:
    """The outcomes in a file of this project's layouts or of a foreign format.

    Args:
        path: the file, or folder; a pickle is to be converted first.
        source: one of `FORMATS`; None recognises it.
        prices: path of a price list, for answers that tell tokens and no cost.
        price_names: model -> its name in the price list, where that is another one.

    Raises:
        FieldError: for the first fault, as by `read_outcomes`.
    """
    if source is not None:
        checks.choice("source", source, FORMATS)
    name = source or _recognised(path) or TABLE
    frame, notes = _read(path, name, prices, price_names or {})
    return Outcomes(checked(frame), notes)


def _read(
    path: str | Path, name: str, prices: str | Path | None, price_names: Mapping[str, str]
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The frame in a file of the format ``name``, in any layout, and what was assumed."""
    if name in (TABLE, ROUTERBENCH):
        table = read_table(path)
        check_layout(name, table.frame.columns)
        return table.frame, table.remarks
    if not Path(path).exists():
        raise FieldError("data", str(path), "an existing file")
    frame, notes = sources.read(
        name, Path(path), prices=prices, price_names=price_names, field="data"
    )
    return frame, (f"the file is read as {name}", *notes)


def check_layout(source: str, columns: list[str], field: str = "source") -> None:
    """Check that a table which is said to be RouterBench's has its columns.

    Raises:
        FieldError: if it has not.
    """
    if source == ROUTERBENCH and layout_of(columns) != ROUTERBENCH:
        raise FieldError(field, source, f"a file with columns MODEL and MODEL{ROUTERBENCH_COST}")


def _recognised(path: str | Path) -> str | None:
    try:
        return sources.recognised(Path(path))
    except FieldError as error:
        raise FieldError("data", str(path), error.allowed) from error


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


def check_file(
    path: str | Path,
    *,
    source: str | None = None,
    prices: str | Path | None = None,
    price_names: Mapping[str, str] | None = None,
) -> FileReport:
    """What a file holds and everything that is wrong with it; raises for nothing in it.

    Args:
        path: the file; arguments as for `read_any`.
        source: see there.
        prices: see there.
        price_names: see there.

    Raises:
        FieldError: if there is no such format.
    """
    if source is not None:
        checks.choice("source", source, FORMATS)
    try:
        name = source or _recognised(path) or TABLE
    except FieldError:
        name = TABLE  # reading it says what is wrong
    try:
        frame, remarks = _read(path, name, prices, price_names or {})
    except FieldError as error:
        return FileReport(str(path), None, 0, {}, (), (str(error),), ())
    layout = layout_of(frame.columns)
    problems = column_problems(frame.columns)
    if problems:
        messages = tuple(str(problem) for problem in problems)
        return FileReport(str(path), layout, len(frame), {}, (), messages, remarks)
    wide, problems = to_wide(frame)
    features, faults = feature_names(wide, "data")
    messages = tuple(str(problem) for problem in [*problems, *cell_problems(wide), *faults])
    counts = wide["task"].drop_nulls().value_counts(sort=True)
    tasks = {str(task): int(number) for task, number in counts.iter_rows()}
    models = tuple(_model_report(wide, name) for name in models_of(wide.columns))
    return FileReport(str(path), layout, len(wide), tasks, models, messages, remarks, len(features))


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
