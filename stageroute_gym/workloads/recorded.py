"""Recorded outcomes: a workload read from a file."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stageroute_gym import checks
from stageroute_gym.errors import FieldError
from stageroute_gym.problem import Problem
from stageroute_gym.workloads.arrivals import Arrivals, arrival_order, initial_pool
from stageroute_gym.workloads.layouts import COST, SCORE, models_of
from stageroute_gym.workloads.outcome_files import FORMATS, Outcomes, read_any
from stageroute_gym.workloads.prices import TYPICAL_TOKENS, check_names, match, read_prices
from stageroute_gym.workloads.query_features import KINDS, query_features
from stageroute_gym.workloads.release_list import read_calendar
from stageroute_gym.workloads.schedule import Schedule
from stageroute_gym.workloads.table import OutcomeTable

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """Outcomes from a file; queries are drawn by its ``weight``, if it has that column.

    Args:
        data: path of the outcomes, in a layout of `stageroute_gym.workloads.layouts` or a foreign
            format of `stageroute_gym.workloads.sources`.
        source: the format; None recognises it.
        models: path of a release list, see `stageroute_gym.workloads.release_list`.
        prices: path of a price list, see `stageroute_gym.workloads.prices`: the list price of a
            typical query (`TYPICAL_TOKENS`), known in advance; models that it lacks have none. Of a
            foreign file whose answers tell tokens and no cost, it gives the costs too.
        price_of: names in the price list, written ``MODEL=NAME``, of models that are called
            otherwise there; in the release list too, where that is a price list.
        arrival_order: ``"date"`` (by ``models``), ``"score"`` (weakest first), ``"column"`` (as in
            the file), or all model names. None is ``"date"`` with a release list; without one all
            models are there from the start, unless one of the next two options says otherwise.
        initial_models: models there at the start. None fills the deployment slots
            (`stageroute_gym.workloads.arrivals.initial_pool`) where models arrive at all. By date,
            models as old as the last of them are there too.
        arrival_interval: queries between two later arrivals. None spaces them by date where the
            order is that, and evenly otherwise.
        features: what an agent sees of a query: ``"none"``; ``"task"``, one-hot: the column
            ``family`` if there is one, else ``task``; of more than 32, the 32 most frequent and
            one for all others; ``"columns"``, up to 512 numbers, standardised: the columns
            ``feature:<name>`` and the list column ``embedding``; or ``"both"``.
        features_file: path of a second file with ``query_id`` and those columns. Queries that it
            lacks are left out.

    Raises:
        FieldError: if a value is out of range; by ``build``, if a file has a fault.
    """

    data: str
    source: str | None = None
    models: str | None = None
    prices: str | None = None
    price_of: tuple[str, ...] = ()
    arrival_order: str | tuple[str, ...] | None = None
    initial_models: int | None = None
    arrival_interval: int | None = None
    features: str = "none"
    features_file: str | None = None

    def __post_init__(self) -> None:
        for field in ("data", "models", "prices", "features_file"):
            path = getattr(self, field)
            if not isinstance(path, str) and (field == "data" or path is not None):
                raise FieldError(field, path, "a path, as text")
        if self.source is not None:
            checks.choice("source", self.source, FORMATS)
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
        pairs = (self.price_of,) if isinstance(self.price_of, str) else tuple(self.price_of)
        object.__setattr__(self, "price_of", pairs)
        for pair in self.price_of:
            if not isinstance(pair, str) or not all(pair.rpartition("=")):
                raise FieldError("price_of", pair, "MODEL=NAME")
        checks.choice("features", self.features, KINDS)
        if self.features_file is not None and self.features in ("none", "task"):
            allowed = "'columns' or 'both', since there is a features_file"
            raise FieldError("features", self.features, allowed)

    def build(self, problem: Problem) -> tuple[OutcomeTable, Schedule]:
        """The file's outcomes, models and queries in its order, tasks by name; the arrivals.

        The query mix and the prices do not change.

        Raises:
            FieldError: for the first fault of a file, or if the arrival order does not name each
                model once, or a count does not fit the number of models.
        """
        table = self.outcomes()
        arrivals = self._arrivals(table, problem)
        if arrivals is None:
            available = np.ones((len(problem.stage_lengths), table.num_models), np.bool_)
        else:
            available = arrivals.available(table.models, problem.stage_bounds)
        return table, Schedule.stationary(table, available)

    def outcomes(self) -> OutcomeTable:
        """The file's outcomes.

        Raises:
            FieldError: for the first fault of the file.
        """
        if not self.data:
            raise FieldError("data", self.data, "the path of a file of outcomes (--data FILE)")
        table = self._contents().table
        if self.prices is None:
            return table
        return dataclasses.replace(table, list_price=self._list_prices(table.models)[0])

    def frame(self) -> pl.DataFrame:
        """The file's outcomes as `stageroute_gym.workloads.read_outcomes` returns them.

        Raises:
            FieldError: for the first fault of the file.
        """
        return self._file().frame

    def file_notes(self) -> tuple[str, ...]:
        """What was recognised in the file, assumed or left out.

        Raises:
            FieldError: for the first fault of the file.
        """
        return self._contents().notes

    def _file(self) -> Outcomes:
        names = self._price_names()
        return read_any(self.data, source=self.source, prices=self.prices, price_names=names)

    def _price_names(self) -> dict[str, str]:
        return dict(pair.rpartition("=")[::2] for pair in self.price_of)

    def _contents(self) -> _Contents:
        if not self.data:
            raise FieldError("data", self.data, "the path of a file of outcomes (--data FILE)")
        files = (self.data, self.prices, self.features_file)
        stamps = tuple(os.stat(f).st_mtime_ns if f and os.path.exists(f) else None for f in files)
        # Without what says when models arrive.
        read = Recorded(
            data=self.data,
            source=self.source,
            prices=self.prices,
            price_of=self.price_of,
            features=self.features,
            features_file=self.features_file,
        )
        return _read(read, stamps)

    def notes(self, problem: Problem) -> tuple[str, ...]:
        """What a user should know: list prices that are unknown, dates that have no effect."""
        table = self.outcomes()
        return (
            *self.file_notes(),
            *self._price_notes(table.models),
            *self._feature_notes(table),
            *self._date_notes(table, problem),
        )

    def _feature_notes(self, table: OutcomeTable) -> tuple[str, ...]:
        if self.features_file is None:
            return ()
        left_out = self._contents().queries - table.num_queries
        if not left_out:
            return ()
        return (f"{left_out} queries are left out, since {self.features_file} lacks them",)

    def _price_notes(self, models: tuple[str, ...]) -> tuple[str, ...]:
        if self.prices is None:
            return ()
        prompt, completion = TYPICAL_TOKENS
        said = f"list prices are those of {prompt} prompt and {completion} completion tokens"
        unknown = self._list_prices(models)[1]
        return (said, *(f"no list price: {line}" for line in unknown))

    def _list_prices(self, models: tuple[str, ...]) -> tuple[NDArray[np.float64], list[str]]:
        """USD of a typical query of each model, 0 where unknown, shape (N,); why it is unknown."""
        assert self.prices is not None
        listed = read_prices(self.prices)
        names = self._price_names()
        check_names(names, models)
        prices, unknown = np.zeros(len(models)), []
        for place, model in enumerate(models):
            try:
                price = match(listed, [model], names if model in names else {})[model]
            except FieldError as error:
                if model in names:
                    raise
                unknown.append(f"{model}: {error.allowed}")
                continue
            assert price.input is not None
            assert price.output is not None
            prices[place] = TYPICAL_TOKENS[0] * price.input + TYPICAL_TOKENS[1] * price.output
        return prices, unknown

    def _date_notes(self, table: OutcomeTable, problem: Problem) -> tuple[str, ...]:
        arrivals = self._arrivals(table, problem)
        if arrivals is None or arrivals.dates is None or self.initial_models is not None:
            return ()
        if arrivals.initial < table.num_models or len(set(arrivals.dates)) == 1:
            return ()
        shares = np.sort(problem.throughput_per_model(table.num_models))[::-1]
        carried = float(shares[: problem.max_deployed].sum())
        why = f"the {table.num_models} models fit into the slots"
        if carried < 1 - 1e-9:
            why = f"{problem.max_deployed} slots carry at most {carried:.0%} of the queries"
        remedy = "change max_deployed or throughput, or give initial_models"
        return (f"release dates have no effect: {why}, so all are there from the start; {remedy}",)

    def _arrivals(self, table: OutcomeTable, problem: Problem) -> Arrivals | None:
        """When models arrive; None if all are there from the start."""
        dates: tuple[int, ...] | None = None
        gone: tuple[int | None, ...] | None = None
        order: Sequence[str]
        if self.models is not None:
            order, dates, gone = read_calendar(self.models, table.models, self._price_names())
        elif isinstance(self.arrival_order, tuple):
            order = self.arrival_order
        elif self.arrival_order == "column":
            order = table.models
        elif (self.arrival_order, self.initial_models, self.arrival_interval) == (None,) * 3:
            return None
        else:
            weakest_first = np.argsort(table.mean_score(), kind="stable")
            order = [table.models[model] for model in weakest_first]
        initial = self.initial_models or initial_pool(order, table.models, problem)
        return Arrivals(tuple(order), initial, self.arrival_interval, dates, gone)


class _Contents(NamedTuple):
    """What a file holds, what was recognised and left out, and how many queries it has."""

    table: OutcomeTable
    notes: tuple[str, ...]
    queries: int


@functools.lru_cache(maxsize=4)
def _read(workload: Recorded, stamps: tuple[int | None, ...]) -> _Contents:
    """The contents of the files, as these were last changed at ``stamps``."""
    del stamps
    frame, notes = workload._file()
    queries = len(frame)
    kept, shown, feature_names = query_features(frame, workload.features, workload.features_file)
    frame = frame[kept]
    models = models_of(frame.columns)
    names, task = np.unique(frame["task"].to_numpy(), return_inverse=True)
    weighted = "weight" in frame.columns
    table = OutcomeTable(
        models=tuple(models),
        score=frame.select(SCORE + model for model in models).to_numpy(),
        cost=frame.select(COST + model for model in models).to_numpy(),
        task=task.astype(np.int64),
        task_names=tuple(str(name) for name in names),
        features=shown,
        feature_names=feature_names,
        weight=frame["weight"].to_numpy() if weighted else np.empty(0),
    )
    return _Contents(table, notes, queries)
