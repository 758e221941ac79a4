"""A gateway's log: one model a request, what it cost, and what it scored if anyone looked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.errors import FieldError, closest
from stageroute_gym.logs.formats import column_names, flat_spans, flattened, format_of, is_log
from stageroute_gym.workloads.prices import match, read_prices
from stageroute_gym.workloads.table_files import read_table

if TYPE_CHECKING:
    import polars as pl

Floats = NDArray[np.float64]

NO_TASK = "(no task)"


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
        prices: a price list, see `stageroute_gym.workloads.prices`, for a log that tells tokens and
            no costs.
        price_of: what a model is called in the price list, where that is another name.

    Raises:
        FieldError: for the first fault: a column that is missing, a value that is not allowed,
            clocks that run backwards, an id given twice, no score anywhere.
    """
    frame, remarks = read_table(path, "log")
    notes = list(remarks)
    if "resourceSpans" in frame.columns:
        frame = flat_spans(frame)
    frame = flattened(frame)
    mapped = dict(columns or {})
    format_ = format_of(frame.columns, source, mapped)
    names = column_names(frame.columns, format_, mapped, priced=prices is not None)
    notes.append(f"read as a log of {format_.name}")
    frame = _answered(frame, format_.succeeded, notes)
    tidy = _typed(frame, names, format_.cost_unit if "cost" not in mapped else 1.0)
    if "cost" not in names:
        assert prices is not None
        tidy = _priced(tidy, prices, price_of or {})
        names = names | {"cost": "cost"}
        notes.append(f"costs are tokens times the prices in {prices}")
    elif prices is not None:
        raise FieldError("prices", str(prices), "none; the log tells its costs")
    tidy = _checked(tidy, names, repair, notes)
    if not len(tidy):
        raise FieldError("log", str(path), "at least one request that was answered")
    return _log(tidy, scores, notes)


def _answered(
    frame: pl.DataFrame, succeeded: tuple[str, tuple[str, ...]] | None, notes: list[str]
) -> pl.DataFrame:
    """Without the requests that failed."""
    import polars as pl

    if succeeded is None or succeeded[0] not in frame.columns:
        return frame
    column, values = succeeded
    kept = frame.filter(
        pl.col(column).cast(pl.String).str.to_lowercase().fill_null(values[0]).is_in(list(values))
    )
    if len(kept) < len(frame):
        notes.append(
            f"{len(frame) - len(kept):,} of {len(frame):,} requests failed and are left out"
        )
    return kept


def _typed(frame: pl.DataFrame, names: Mapping[str, str], cost_unit: float) -> pl.DataFrame:
    """The fields under their own names: times and amounts as numbers, names as text."""
    import polars as pl

    parts = {name: frame[column] for name, column in names.items()}
    size = len(frame)
    numbers = {
        name: parts[name].cast(pl.Float64, strict=False)
        if name in parts
        else pl.repeat(None, size, dtype=pl.Float64, eager=True)
        for name in ("cost", "score", "propensity", "input_tokens", "output_tokens")
    }
    return pl.DataFrame(
        {
            "id": parts["id"].cast(pl.String)
            if "id" in parts
            else pl.repeat(None, size, dtype=pl.String, eager=True),
            "time": _seconds(parts["time"]),
            "model": parts["model"].cast(pl.String),
            "task": parts["task"].cast(pl.String).fill_null(NO_TASK)
            if "task" in parts
            else pl.repeat(NO_TASK, size, dtype=pl.String, eager=True),
            "cost": numbers["cost"] * cost_unit,
            "score": numbers["score"],
            **{name: numbers[name] for name in ("propensity", "input_tokens", "output_tokens")},
        }
    ).with_row_index("row")


def _priced(tidy: pl.DataFrame, prices: str | Path, price_of: Mapping[str, str]) -> pl.DataFrame:
    """With costs from tokens; none where a request tells no tokens, or fewer than 0."""
    import polars as pl

    models = tidy["model"].drop_nulls().unique().sort().to_list()
    found = match(read_prices(prices), models, price_of)
    tokens = [pl.col(name) for name in ("input_tokens", "output_tokens")]
    amounts = [
        pl.col("model").replace_strict(
            {model: getattr(found[model], side) for model in models}, return_dtype=pl.Float64
        )
        for side in ("input", "output")
    ]
    cost = tokens[0] * amounts[0] + tokens[1] * amounts[1]
    valid = (tokens[0] >= 0) & (tokens[1] >= 0)
    return tidy.with_columns(pl.when(valid).then(cost).alias("cost"))


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
    parsed = times.str.to_datetime(time_unit="us", time_zone="UTC", strict=False)
    return parsed.dt.epoch("us").cast(pl.Float64) / 1e6


def _checked(
    tidy: pl.DataFrame, names: Mapping[str, str], repair: bool, notes: list[str]
) -> pl.DataFrame:
    """Without faults: refused, or repaired and said."""
    import polars as pl

    def drop(name: str, fine: pl.Expr, allowed: str) -> None:
        nonlocal tidy
        kept = tidy.filter(fine)
        if len(kept) == len(tidy):
            return
        number = len(tidy) - len(kept)
        first = tidy.join(kept, on="row", how="anti").row(0, named=True)
        if not repair:
            where = f"{names.get(name, name)} in row {first['row']}"
            raise FieldError(
                where, first[name], f"{allowed} ({number:,} of {len(tidy):,}); --repair leaves out"
            )
        notes.append(f"{number:,} requests are left out: {names.get(name, name)} is not {allowed}")
        tidy = kept

    drop("time", pl.col("time").is_finite().fill_null(False), "a time")
    drop("model", pl.col("model").is_not_null(), "the name of a model")
    cost = pl.col("cost")
    drop("cost", (cost.is_finite() & (cost >= 0)).fill_null(False), "finite USD, >= 0")
    # A score that is absent is one that nobody gave.
    score = pl.col("score")
    drop("score", score.is_null() | score.is_between(0, 1), "a number in [0, 1], or nothing")
    if "propensity" in names:
        chance = pl.col("propensity")
        allowed = "a probability in (0, 1]"
        drop("propensity", ((chance > 0) & (chance <= 1)).fill_null(False), allowed)
    named = pl.col("id").is_not_null()
    drop("id", ~named | pl.col("id").is_first_distinct(), "an id given only once")
    times = tidy["time"]
    if times.is_sorted():
        return tidy
    if times.is_sorted(descending=True):
        notes.append("the newest request comes first in the file; they are read from the oldest on")
        return tidy.reverse()
    if not repair:
        row = int(np.flatnonzero(np.diff(times.to_numpy()) < 0)[0]) + 1
        raise FieldError(
            f"{names['time']} in row {tidy['row'][row]}",
            times[row],
            f"a time not before that of the row above, {times[row - 1]}; --repair sorts",
        )
    notes.append("requests are put in the order of their times")
    return tidy.sort("time", maintain_order=True)


def _log(tidy: pl.DataFrame, scores: str | Path | None, notes: list[str]) -> Log:
    models, model = np.unique(tidy["model"].to_numpy(), return_inverse=True)
    tasks, task = np.unique(tidy["task"].to_numpy(), return_inverse=True)
    score = tidy["score"].to_numpy().astype(np.float64)
    names, labels = tuple(map(str, models)), tuple(map(str, tasks))
    mean, count = None, None
    if scores is not None:
        mean, count = _cell_scores(scores, names, labels)
        notes.append(f"scores are the means in {scores}, whatever the log holds")
    elif np.isnan(score).all():
        raise FieldError(
            "score",
            None,
            "scores: name the log's column (--columns score=NAME), or give mean scores by task and "
            "model in a second file (--scores FILE: columns task, model, score, count)",
        )
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


def _cell_scores(
    path: str | Path, models: tuple[str, ...], tasks: tuple[str, ...]
) -> tuple[Floats, Floats]:
    """Mean scores and counts by task and model; a file without tasks counts for all of them."""
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
    for row in frame.iter_rows(named=True):
        if row["model"] not in models:
            continue
        if "task" in frame.columns and str(row["task"]) not in tasks:
            continue
        value, number = row["score"], row["count"]
        where = f"of task {row.get('task')!r}, model {row['model']!r}"
        if not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise FieldError(f"score {where}", value, "a mean score in [0, 1]")
        if not isinstance(number, (int, float)) or not 1 <= number < np.inf:
            raise FieldError(f"count {where}", number, "the number of scores, at least 1")
        place = tasks.index(str(row["task"])) if "task" in frame.columns else slice(None)
        column = models.index(row["model"])
        if "task" in frame.columns and count[place, column] > 0:
            raise FieldError(f"score {where}", value, "one row for each task and model")
        mean[place, column], count[place, column] = value, number
    return mean, count
