"""What is known of a recorded query before it is routed: task labels, numbers, embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.errors import FieldError
from stageroute_gym.workloads.table import TASK, task_features
from stageroute_gym.workloads.table_files import read_table

if TYPE_CHECKING:
    import polars as pl

KINDS = ("none", "task", "columns", "both")
FEATURE, EMBEDDING = "feature:", "embedding"
# Of more than `MAX_TASKS` one-hot features the last one stands for all others.
OTHER_TASKS = "task:*"
MAX_TASKS = 32
MAX_COLUMNS = 512


class QueryFeatures(NamedTuple):
    """The queries of a file that have features, and these.

    Attributes:
        kept: the rows of the file that have features, shape (Q,), int64.
        features: one row a kept query, shape (Q, F), float32; (Q, 0) where none are wanted.
        names: of the ``F`` features: ``task:<name>``, ``feature:<name>``, ``embedding[<place>]``.
    """

    kept: NDArray[np.int64]
    features: NDArray[np.float32]
    names: tuple[str, ...]


def query_features(frame: pl.DataFrame, kind: str, features_file: str | None) -> QueryFeatures:
    """The features of a file's queries.

    Numbers are standardised: over the queries that have some, each has the mean 0 and the standard
    deviation 1; one that never varies is 0.

    Args:
        frame: the file, as `stageroute_gym.workloads.outcome_files.read_outcomes` returns it.
        kind: ``none``; ``task``: one-hot; ``columns``: numbers; ``both``: the task, then numbers.
        features_file: path of a file with ``query_id`` and the numbers; None takes them from
            ``frame``. Queries that it lacks are left out.

    Raises:
        FieldError: if the numbers are absent, of another type, not finite, or too many, or the
            second file has a query twice or none of the first.
    """
    kept = np.arange(len(frame))
    names: list[str] = []
    parts: list[NDArray[np.float32]] = [np.empty((len(frame), 0), np.float32)]
    if kind in ("columns", "both"):
        if features_file is None:
            numbers, names = _numbers(frame, "data")
        else:
            kept, numbers, names = _joined(frame, features_file)
        parts = [_standardised(numbers)]
    if kind in ("task", "both"):
        tasks = _task_names(frame)
        parts.insert(0, _one_hot(frame, tasks)[kept])
        names = tasks + names
    return QueryFeatures(kept, np.concatenate(parts, axis=1), tuple(names))


def features_named(frame: pl.DataFrame, names: Sequence[str], field: str) -> NDArray[np.float32]:
    """The features of another file's queries that have these names, shape (Q, F), float32.

    Numbers are standardised over this file. A task that no name stands for is 0 in all.

    Args:
        frame: as for `query_features`.
        names: as in `QueryFeatures`, tasks first.
        field: name of the option that holds the file's path, for errors.

    Raises:
        FieldError: if the file lacks one of the numbers, or as `query_features`.
    """
    tasks = [name for name in names if name.startswith(TASK)]
    wanted = [name for name in names if not name.startswith(TASK)]
    parts = [_one_hot(frame, tasks)]
    if wanted:
        numbers, found = _numbers(frame, field)
        for name in wanted:
            if name not in found:
                told = ", ".join(found[:5])
                raise FieldError(f"features of {field}", told, f"{name} among them")
        parts.append(_standardised(numbers[:, [found.index(name) for name in wanted]]))
    return np.concatenate(parts, axis=1)


def _joined(
    frame: pl.DataFrame, features_file: str
) -> tuple[NDArray[np.int64], NDArray[np.float64], list[str]]:
    """Rows of ``frame`` that the second file knows, and its numbers in that order, with names."""
    import polars as pl

    table = read_table(features_file, "features_file").frame
    if "query_id" not in table.columns:
        allowed = "a file with a column query_id"
        raise FieldError("features_file", features_file, allowed)
    names = table["query_id"].cast(pl.String, strict=False)
    twice = names.filter(names.is_duplicated())
    if len(twice) or names.null_count():
        found = twice[0] if len(twice) else None
        raise FieldError("query_id of features_file", found, "each query once, by a name")
    places = pl.DataFrame({"query_id": names, "place": np.arange(len(names))})
    found_at = frame.select("query_id").with_row_index("row").join(places, on="query_id")
    found_at = found_at.sort("row")
    if not len(found_at):
        allowed = "a file with some query_id of the outcomes"
        raise FieldError("features_file", features_file, allowed)
    numbers, named = _numbers(table, "features_file")
    rows = found_at["row"].to_numpy().astype(np.int64)
    return rows, numbers[found_at["place"].to_numpy()], named


def feature_names(frame: pl.DataFrame, field: str) -> tuple[list[str], list[FieldError]]:
    """Names of a file's features, as far as these can be read, and all that is wrong with them.

    Args:
        frame: a wide file.
        field: name of the option that holds its path.
    """
    _, names, problems = _read_numbers(frame, field)
    return names, problems


def _numbers(frame: pl.DataFrame, field: str) -> tuple[NDArray[np.float64], list[str]]:
    """Columns ``feature:<name>``, then those of ``embedding``, shape (Q, F), float64; names."""
    numbers, names, problems = _read_numbers(frame, field)
    for problem in problems:
        raise problem
    if not names:
        allowed = f"a file with columns {FEATURE}<name> or a list column {EMBEDDING}"
        raise FieldError(field, ", ".join(frame.columns[:5]), allowed)
    return numbers, names


def _read_numbers(
    frame: pl.DataFrame, field: str
) -> tuple[NDArray[np.float64], list[str], list[FieldError]]:
    """What `_numbers` returns of the columns that can be read, and what is wrong with any."""
    import polars as pl

    names: list[str] = []
    parts, problems = [np.empty((len(frame), 0))], []
    for name in frame.columns:
        if not name.startswith(FEATURE):
            continue
        kind = frame.schema[name]
        if kind.is_numeric() or kind == pl.Boolean:
            parts.append(frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy()[:, None])
            names.append(name)
        else:
            problems.append(FieldError(f"{name} of {field}", str(kind), "a column of numbers"))
    if EMBEDDING in frame.columns:
        try:
            parts.append(_embeddings(frame[EMBEDDING], field))
            names += [f"{EMBEDDING}[{place}]" for place in range(parts[-1].shape[1])]
        except FieldError as problem:
            problems.append(problem)
    numbers = np.concatenate(parts, axis=1)
    if len(names) > MAX_COLUMNS:
        problems.append(FieldError(f"features of {field}", len(names), f"at most {MAX_COLUMNS}"))
    fine = np.isfinite(numbers)
    for column in np.flatnonzero(~fine.all(axis=0)):
        row = int(fine[:, column].argmin())
        where = f"{names[column]} of query {frame['query_id'][row]!r}"
        problems.append(FieldError(where, float(numbers[row, column]), "a finite number"))
    return numbers, names, problems


def _embeddings(column: pl.Series, field: str) -> NDArray[np.float64]:
    import polars as pl

    kind = column.dtype
    inner = getattr(kind, "inner", None)
    if not isinstance(kind, (pl.List, pl.Array)) or inner is None or not inner.is_numeric():
        raise FieldError(f"{EMBEDDING} of {field}", str(kind), "a column of lists of numbers")
    rows = column.cast(pl.List(pl.Float64))
    lengths = rows.list.len().fill_null(0)
    if lengths.n_unique() != 1 or lengths[0] == 0:
        found = sorted(lengths.unique().to_list())
        raise FieldError(f"lengths of {EMBEDDING} of {field}", found, "one length, at least 1")
    flat = rows.explode().fill_null(np.nan).to_numpy()
    return flat.reshape(len(column), int(lengths[0]))


def _standardised(numbers: NDArray[np.float64]) -> NDArray[np.float32]:
    # Squares of numbers of any scale are then finite; by powers of two, which round nothing.
    numbers = np.ldexp(numbers, -np.frexp(np.abs(numbers).max(axis=0))[1])
    deviation = numbers.std(axis=0)
    # Rounding leaves a constant a little deviation.
    varies = deviation > 1e-12 * np.abs(numbers).max(axis=0)
    centred = np.where(varies, numbers - numbers.mean(axis=0), 0.0)
    return (centred / np.where(varies, deviation, 1.0)).astype(np.float32)


def _tasks(frame: pl.DataFrame) -> NDArray[np.str_]:
    return frame["family" if "family" in frame.columns else "task"].to_numpy()


def _task_names(frame: pl.DataFrame) -> list[str]:
    """Names of the one-hot features of a file's tasks or families, by name; at most 33."""
    names, counts = np.unique(_tasks(frame), return_counts=True)
    if len(names) <= MAX_TASKS:
        return list(task_features(names))
    frequent = np.sort(np.argsort(-counts, kind="stable")[:MAX_TASKS])
    return [*task_features(names[frequent]), OTHER_TASKS]


def _one_hot(frame: pl.DataFrame, names: Sequence[str]) -> NDArray[np.float32]:
    """One column a name, shape (Q, F), float32."""
    values, index = np.unique(_tasks(frame), return_inverse=True)
    places = {name: place for place, name in enumerate(names)}
    others = places.get(OTHER_TASKS) if len(names) > MAX_TASKS else None
    columns = np.zeros((len(values), len(names)), np.float32)
    for row, value in enumerate(values):
        place = places.get(f"{TASK}{value}", others)
        if place is not None:
            columns[row, place] = 1.0
    return columns[index]
