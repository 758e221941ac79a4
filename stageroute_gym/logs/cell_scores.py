"""Mean scores of tasks and models from a second file, for a log that has none."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stageroute_gym.array_types import Floats
from stageroute_gym.errors import FieldError, closest
from stageroute_gym.workloads.table_files import read_table

_SHOWN = 5


def cell_scores(
    path: str | Path, models: tuple[str, ...], tasks: tuple[str, ...], notes: list[str]
) -> tuple[Floats, Floats]:
    """Mean scores and counts by task and model; a file without tasks counts for all of them.

    Args:
        path: a table with columns ``model``, ``score``, ``count`` and perhaps ``task``.
        models: the log's models.
        tasks: the log's tasks.
        notes: what is passed over is added to it, in words.

    Returns:
        Means, not a number where the file tells none, and counts, each ``(tasks, N)``.

    Raises:
        FieldError: if the file cannot be read, lacks a column, tells of none of the models, or
            holds a value that is not allowed.
    """
    import polars as pl

    frame, _ = read_table(path, "scores")
    for name in ("model", "score", "count"):
        if name not in frame.columns:
            allowed = f"a column of that name; {closest(name, frame.columns)}"
            raise FieldError(f"column {name} of {path}", None, allowed)
    mean = np.full((len(tasks), len(models)), np.nan)
    count = np.zeros(mean.shape)
    known = set(frame["model"].cast(pl.String).to_list())
    if not known & set(models):
        raise FieldError("model", sorted(known), f"a model of the log: {', '.join(models)}")
    passed: list[str] = []
    for row in frame.iter_rows(named=True):
        if str(row["model"]) not in models:
            passed.append(f"model {row['model']!r}")
            continue
        if "task" in frame.columns and str(row["task"]) not in tasks:
            passed.append(f"task {row['task']!r}")
            continue
        value, number = row["score"], row["count"]
        where = f"of task {row.get('task')!r}, model {row['model']!r}"
        if not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise FieldError(f"score {where}", value, "a mean score in [0, 1]")
        if not isinstance(number, (int, float)) or not 1 <= number < np.inf:
            raise FieldError(f"count {where}", number, "the number of scores, at least 1")
        place = tasks.index(str(row["task"])) if "task" in frame.columns else slice(None)
        column = models.index(str(row["model"]))
        if "task" in frame.columns and count[place, column] > 0:
            raise FieldError(f"score {where}", value, "one row for each task and model")
        mean[place, column], count[place, column] = value, number
    if passed:
        seen = list(dict.fromkeys(passed))
        more = f" and {len(seen) - _SHOWN} more" if len(seen) > _SHOWN else ""
        notes.append(
            f"{len(passed):,} rows of {path} are passed over, since the log lacks "
            f"{', '.join(seen[:_SHOWN])}{more}"
        )
    return mean, count
