"""Recorded outcomes: a workload read from a file."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stageroute_gym import checks
from stageroute_gym.errors import FieldError, closest
from stageroute_gym.problem import Problem
from stageroute_gym.workloads.arrivals import Arrivals, arrival_order, initial_pool
from stageroute_gym.workloads.files import read_frame, read_outcomes
from stageroute_gym.workloads.layouts import COST, SCORE, models_of
from stageroute_gym.workloads.schedule import Schedule
from stageroute_gym.workloads.table import OutcomeTable

if TYPE_CHECKING:
    import polars as pl

DATE_COLUMNS = ("leaderboard_date", "release_date", "date")
MAX_FEATURES = 32


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """Outcomes from a ``.parquet`` or ``.csv`` file; queries are drawn by its ``weight``, if any.

    Args:
        data: path of the outcomes, in a layout of `stageroute_gym.workloads.layouts`.
        models: path of a release list: columns ``model``, one of ``leaderboard_date``,
            ``release_date``, ``date`` (YYYY-MM-DD), and optionally ``kept``; rows where that is
            false, and models that the outcomes lack, are passed over.
        arrival_order: ``"date"`` (by ``models``), ``"score"`` (weakest first), ``"column"`` (as in
            the file), or all model names. None is ``"date"`` with a release list and ``"score"``
            without.
        initial_models: models there at the start. None fills the deployment slots
            (`stageroute_gym.workloads.arrivals.initial_pool`). By date, models as old as the last
            of them are there too.
        arrival_interval: queries between two later arrivals. None spaces them by date where the
            order is that, and evenly otherwise.
        features: what an agent sees of a query: ``"none"``, or ``"task"``, one-hot: the column
            ``family`` if there is one, else ``task``; of more than 32, the 32 most frequent and
            one for all others.

    Raises:
        FieldError: if a value is out of range; by ``table`` and ``schedule``, if a file has a
            fault.
    """

    data: str
    models: str | None = None
    arrival_order: str | tuple[str, ...] | None = None
    initial_models: int | None = None
    arrival_interval: int | None = None
    features: str = "none"

    def __post_init__(self) -> None:
        for field in ("data", "models"):
            path = getattr(self, field)
            if not isinstance(path, str) and (field == "data" or path is not None):
                raise FieldError(field, path, "a path, as text")
        if self.arrival_order is not None:
            order = arrival_order(self.arrival_order, ("date", "score", "column"))
            object.__setattr__(self, "arrival_order", order)
        if (self.arrival_order == "date") and self.models is None:
            raise FieldError("models", None, "a release list, since arrival_order is 'date'")
        if self.models is not None and self.arrival_order not in (None, "date"):
            raise FieldError("models", self.models, "None, unless arrival_order is 'date'")
        if self.initial_models is not None:
            checks.count("initial_models", self.initial_models, 1)
        if self.arrival_interval is not None:
            checks.count("arrival_interval", self.arrival_interval, 1)
        checks.choice("features", self.features, ("none", "task"))

    def table(self) -> OutcomeTable:
        """The file's outcomes; models and queries in its order, tasks by name.

        Raises:
            FieldError: for the first fault of the file.
        """
        frame = read_outcomes(self.data)
        models = models_of(frame.columns)
        names, task = np.unique(frame["task"].to_numpy(), return_inverse=True)
        weighted = "weight" in frame.columns
        return OutcomeTable(
            models=tuple(models),
            score=frame.select(SCORE + model for model in models).to_numpy(),
            cost=frame.select(COST + model for model in models).to_numpy(),
            task=task.astype(np.int64),
            task_names=tuple(str(name) for name in names),
            features=_one_hot(frame) if self.features == "task" else np.empty((0, 0)),
            weight=frame["weight"].to_numpy() if weighted else np.empty(0),
        )

    def schedule(self, table: OutcomeTable, problem: Problem) -> Schedule:
        """One query mix and constant prices; models arrive in ``arrival_order``.

        Raises:
            FieldError: if the release list has a fault, the arrival order does not name each
                model once, or a count does not fit the number of models.
        """
        dates: tuple[int, ...] | None = None
        if self.models is not None:
            order, dates = release_dates(self.models, table.models)
        elif isinstance(self.arrival_order, tuple):
            order = self.arrival_order
        elif self.arrival_order == "column":
            order = table.models
        else:
            weakest_first = np.argsort(table.mean_score(), kind="stable")
            order = tuple(table.models[model] for model in weakest_first)
        initial = self.initial_models or initial_pool(order, table.models, problem)
        arrivals = Arrivals(order, initial, self.arrival_interval, dates)
        return Schedule.stationary(table, arrivals.available(table.models, problem.stage_bounds))


def release_dates(path: str, models: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The models in the order of their dates (ties in the list's order), and their day numbers.

    Args:
        path: a release list, see `Recorded`.
        models: the models to find in it.

    Raises:
        FieldError: if the list cannot be read, lacks a column or a model, names a model twice, or
            a date is not YYYY-MM-DD.
    """
    import polars as pl

    frame = read_frame(path, "models")
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
    days: dict[str, int] = {}
    for model, date in frame.select("model", pl.col(column).cast(pl.String)).iter_rows():
        if model in days:
            raise FieldError("model", model, "a name given only once")
        try:
            days[model] = datetime.date.fromisoformat(str(date)).toordinal()
        except ValueError as error:
            raise FieldError(f"{column} of {model!r}", date, "a date, YYYY-MM-DD") from error
    for model in models:
        if model not in days:
            raise FieldError("model without a date", model, closest(model, days))
    known = sorted((model for model in days if model in models), key=days.__getitem__)
    return tuple(known), tuple(days[model] for model in known)


def _one_hot(frame: pl.DataFrame) -> NDArray[np.float64]:
    """One column a task or family, by name; shape (Q, F), F <= 33."""
    values = frame["family" if "family" in frame.columns else "task"].to_numpy()
    names, index, counts = np.unique(values, return_inverse=True, return_counts=True)
    if len(names) <= MAX_FEATURES:
        return np.eye(len(names))[index]
    frequent = np.sort(np.argsort(-counts, kind="stable")[:MAX_FEATURES])
    place = np.full(len(names), MAX_FEATURES)
    place[frequent] = np.arange(MAX_FEATURES)
    return np.eye(MAX_FEATURES + 1)[place[index]]
