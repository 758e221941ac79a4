"""A gateway's log: one model a request, what it cost, and what it scored if anyone looked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.array_types import Floats
from stageroute_gym.errors import FieldError
from stageroute_gym.logs.cell_scores import cell_scores
from stageroute_gym.logs.formats import (
    column_names,
    flat_spans,
    flattened,
    format_of,
    is_log,
    likely_scores,
    one_column,
)
from stageroute_gym.logs.requests import ROW, Origin, answered, checked, priced, typed
from stageroute_gym.workloads.table_files import place_in, read_table

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, eq=False)
class Log:
    """Requests in the order of their times.

    Attributes:
        models: names of the ``N`` models, by name.
        tasks: names of the tasks, by name.
        time: seconds since 1970, ``(n,)``.
        model: index of the model that answered, int64 ``(n,)``.
        task: index of the task, int64 ``(n,)``.
        cost: USD, ``(n,)``.
        score: in [0, 1], not a number where nobody looked, ``(n,)``.
        propensity: probability with which the model was drawn, ``(n,)``; None where the log does
            not tell.
        cell_score: mean score of each task and model from elsewhere, ``(tasks, N)``, not a number
            where not known; None where the log's own scores count.
        cell_count: how many scores each of these rests on, ``(tasks, N)``.
        remarks: what was recognised, left out and repaired, in words.
    """

    models: tuple[str, ...]
    tasks: tuple[str, ...]
    time: Floats
    model: NDArray[np.int64]
    task: NDArray[np.int64]
    cost: Floats
    score: Floats
    propensity: Floats | None
    cell_score: Floats | None
    cell_count: Floats | None
    remarks: tuple[str, ...]

    @property
    def num_requests(self) -> int:
        """Number of requests."""
        return len(self.time)


def is_log_file(path: str | Path) -> bool:
    """Whether a file is known as a log by its columns.

    Raises:
        FieldError: if it cannot be read.
    """
    return is_log(flattened(read_table(path, "data").frame).columns)


def read_log(
    path: str | Path,
    *,
    source: str | None = None,
    columns: Mapping[str, str] | None = None,
    scores: str | Path | None = None,
    repair: bool = False,
    prices: str | Path | None = None,
    price_of: Mapping[str, str] | None = None,
) -> Log:
    """Read a log.

    Args:
        path: a file that `stageroute_gym.workloads.table_files.read_table` reads.
        source: the gateway that wrote it, by name; None recognises it.
        columns: the column that holds a field of `stageroute_gym.logs.formats.FIELDS`, where it is
            not the gateway's own.
        scores: a file with columns ``task``, ``model``, ``score`` (the mean) and ``count``, for a
            log that has no scores, or instead of them.
        repair: put requests in the order of their times, keep the first of those with one id, and
            leave out those whose cost or score is missing or not allowed; each is said. Without it
            they are refused.
        prices: a price list, see `stageroute_gym.workloads.prices`, for requests that tell their
            tokens and no cost, or a cost of 0, as gateways write that know no price.
        price_of: what a model is called in the price list, where that is another name.

    Raises:
        FieldError: for the first fault: a column that is missing, a value that is not allowed,
            clocks that run backwards, an id given twice, no score anywhere.
    """
    frame, remarks = read_table(path, "log")
    notes = list(remarks)
    spans = "resourceSpans" in frame.columns
    if spans:
        frame = flat_spans(frame)
    mapped = dict(columns or {})
    frame = flattened(frame, mapped.values())
    format_ = format_of(frame.columns, source, mapped)
    frame = one_column(frame, format_.columns["model"])
    names = column_names(frame.columns, format_, mapped, priced=prices is not None)
    notes.append(f"read as a log of {format_.name}")

    def place(row: int) -> str:
        return f"span {row + 1}" if spans else place_in(path, row)

    kept = answered(frame.with_row_index(ROW), format_, names["model"], notes)
    tidy = typed(kept, names, format_.cost_unit if "cost" not in mapped else 1.0)
    if prices is not None:
        tidy = priced(tidy, prices, price_of or {}, notes)
    tidy = checked(tidy, Origin(frame, names, place), repair, notes)
    if not len(tidy):
        raise FieldError("log", str(path), "at least one request that was answered")
    if scores is None and tidy["score"].is_null().all():
        raise FieldError("score", None, _missing_scores(frame.columns))
    return _log(tidy, scores, notes)


def _missing_scores(columns: list[str]) -> str:
    """What a log without scores needs."""
    likely = likely_scores(columns)
    example = likely[0] if likely else "NAME"
    others = f"; {', '.join(likely[1:])} may hold them, too" if likely[1:] else ""
    return (
        f"scores: name the log's column (--columns score={example}{others}), or give mean scores "
        "by task and model in a second file (--scores FILE: columns task, model, score, count)"
    )


def _log(tidy: pl.DataFrame, scores: str | Path | None, notes: list[str]) -> Log:
    models, model = np.unique(tidy["model"].to_numpy(), return_inverse=True)
    tasks, task = np.unique(tidy["task"].to_numpy(), return_inverse=True)
    score = tidy["score"].to_numpy().astype(np.float64)
    names, labels = tuple(map(str, models)), tuple(map(str, tasks))
    mean, count = None, None
    if scores is not None:
        mean, count = cell_scores(scores, names, labels, notes)
        notes.append(f"scores are the means in {scores}, whatever the log holds")
    elif np.isnan(score).any():
        share = np.isfinite(score).mean()
        notes.append(f"{share:.1%} of the requests have a score; the others count for cost only")
    propensity = tidy["propensity"].to_numpy().astype(np.float64)
    return Log(
        models=names,
        tasks=labels,
        time=tidy["time"].to_numpy().astype(np.float64),
        model=model.astype(np.int64),
        task=task.astype(np.int64),
        cost=tidy["cost"].to_numpy().astype(np.float64),
        score=score,
        propensity=None if np.isnan(propensity).any() else propensity,
        cell_score=mean,
        cell_count=count,
        remarks=tuple(notes),
    )
