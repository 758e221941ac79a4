"""A log as a workload: a world in which every model answers every request of the log."""

from __future__ import annotations

import dataclasses
import functools
import os
from dataclasses import dataclass

import numpy as np

from stageroute_gym import checks
from stageroute_gym.array_types import Flags
from stageroute_gym.errors import FieldError
from stageroute_gym.logs.log import Log, read_log
from stageroute_gym.problem import Problem
from stageroute_gym.workloads import OutcomeTable, Schedule
from stageroute_gym.workloads.table import task_features

# Outcomes of all models on all requests, and weights of the requests in each stage: two gigabytes,
# and one.
MOST_OUTCOMES = 50_000_000
MOST_WEIGHTS = 60_000_000


@dataclass(frozen=True, kw_only=True)
class Logged:
    """A world made from a gateway's log.

    A request keeps what its own model scored and cost. What another model would have is drawn from
    the requests of the same task that it served; where it served none, from all that it served. So
    it is assumed that within a task the choice of the model says nothing of the request, and that
    models are independent given the task. Stage ``k`` of ``K`` holds the requests of that part of
    the log, so that the mix of tasks changes as it did.

    Args:
        data: path of the log, see `stageroute_gym.logs.read_log`.
        source: the gateway that wrote it; None recognises it.
        columns: columns of fields, each as ``"field=column"``.
        scores: path of mean scores by task and model; None takes the log's own.
        repair: leave out and sort what is wrong, instead of refusing it.
        prices: path of a price list, for a log that tells tokens and no costs.
        price_of: names of models in the price list, each as ``"model=name"``.
        features: what an agent sees of a request: ``"none"``, or ``"task"``, one-hot.
        order: ``"drawn"``: requests are drawn from their stage's part of the log; ``"log"``: they
            come as in the log, each once.
        outcomes_seed: of the draws of other models' outcomes.

    Raises:
        FieldError: if a value is out of range; by ``build``, if the log has a fault.
    """

    data: str
    source: str | None = None
    columns: tuple[str, ...] = ()
    scores: str | None = None
    repair: bool = False
    prices: str | None = None
    price_of: tuple[str, ...] = ()
    features: str = "none"
    order: str = "drawn"
    outcomes_seed: int = 0

    def __post_init__(self) -> None:
        for field, example in (("columns", "field=column"), ("price_of", "model=name")):
            texts = getattr(self, field)
            texts = (texts,) if isinstance(texts, str) else texts
            for text in texts:
                if not isinstance(text, str) or not all(text.partition("=")):
                    raise FieldError(field, text, example)
            object.__setattr__(self, field, texts)
        checks.choice("features", self.features, ("none", "task"))
        checks.choice("order", self.order, ("drawn", "log"))
        checks.count("outcomes_seed", self.outcomes_seed, 0)

    def log(self) -> Log:
        """The log.

        Raises:
            FieldError: for its first fault.
        """
        if not self.data:
            raise FieldError("data", self.data, "the path of a gateway's log (--data FILE)")
        stamp = os.stat(self.data).st_mtime_ns if os.path.isfile(self.data) else None
        return _read(dataclasses.replace(self, features="none", outcomes_seed=0), stamp)

    def outcomes(self) -> OutcomeTable:
        """What every model scores and costs on every request.

        Raises:
            FieldError: for the first fault of the log.
        """
        log = self.log()
        most = MOST_OUTCOMES // len(log.models)
        if log.num_requests > most:
            allowed = (
                f"at most {most:,} for {len(log.models)} models, each of which has an outcome on "
                "each request in memory; cut the log by time, or leave every other request out"
            )
            raise FieldError("data", f"{log.num_requests:,} requests", allowed)
        return _table(log, self.features, self.outcomes_seed)

    def build(self, problem: Problem) -> tuple[OutcomeTable, Schedule]:
        """The outcomes, a row a request in the order of their times, and what each stage holds.

        Raises:
            FieldError: for the first fault of the log, or if the problem has too many stages or
                queries for it.
        """
        table = self.outcomes()
        bounds, requests = problem.stage_bounds, table.num_queries
        if self.order == "log":
            if problem.horizon > requests:
                raise FieldError("horizon", problem.horizon, f"at most {requests}, the log's")
            edges = bounds
        else:
            edges = np.rint(bounds * (requests / problem.horizon)).astype(np.int64)
        stages = len(bounds) - 1
        if stages * requests > MOST_WEIGHTS:
            allowed = f"at most {MOST_WEIGHTS // requests} stages for {requests:,} requests"
            raise FieldError("num_stages", stages, allowed)
        mixes = np.zeros((stages, requests))
        for stage in range(stages):
            # A stage shorter than the time between two requests holds the one before it.
            start = min(int(edges[stage]), requests - 1)
            end = max(int(edges[stage + 1]), start + 1)
            mixes[stage, start:end] = 1.0 / (end - start)
        schedule = Schedule(
            mixes=mixes,
            stage_mix=np.arange(stages),
            cost_multiplier=np.ones((stages, table.num_models)),
            available=np.ones((stages, table.num_models), np.bool_),
            in_order=self.order == "log",
        )
        return table, schedule

    def notes(self, problem: Problem) -> tuple[str, ...]:
        """What was recognised and repaired, and what is assumed where a model served no request."""
        log = self.log()
        served, scored = _coverage(log)
        return (
            *log.remarks,
            *_said(log, ~served, "{model} served no request of {task}", "its outcomes there are"),
            *_said(
                log,
                served & ~scored,
                "no score of {model} on {task} is known",
                "its score there is",
            ),
        )


def _coverage(log: Log) -> tuple[Flags, Flags]:
    """Of each task and model: whether it served such requests, and whether a score is known."""
    shape = (len(log.tasks), len(log.models))
    served, scored = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    served[log.task, log.model] = True
    if log.cell_count is not None:
        return served, log.cell_count > 0
    known = np.isfinite(log.score)
    scored[log.task[known], log.model[known]] = True
    return served, scored


def _said(log: Log, pairs: Flags, what: str, taken: str) -> tuple[str, ...]:
    """A sentence on the first of some pairs of task and model, and how many more there are."""
    found = np.argwhere(pairs)
    if not len(found):
        return ()
    task, model = found[0]
    more = f", and {len(found) - 1} more pairs" if len(found) > 1 else ""
    first = what.format(model=log.models[model], task=log.tasks[task])
    return (f"{first}{more}: {taken} taken from its other tasks",)


@functools.lru_cache(maxsize=4)
def _read(workload: Logged, stamp: int | None) -> Log:
    """The log; read again when the file has changed."""
    del stamp
    return read_log(
        workload.data,
        source=workload.source,
        columns=dict(text.partition("=")[::2] for text in workload.columns),
        scores=workload.scores,
        repair=workload.repair,
        prices=workload.prices,
        # A name may hold an equals sign, that of a field does not.
        price_of=dict(text.rpartition("=")[::2] for text in workload.price_of),
    )


def _table(log: Log, features: str, seed: int) -> OutcomeTable:
    """Outcomes of every model on every request."""
    generator = np.random.default_rng(seed)
    requests, models = log.num_requests, len(log.models)
    score, cost = np.empty((requests, models)), np.empty((requests, models))
    given = log.cell_score
    usable = np.isfinite(log.score) if given is None else np.ones(requests, np.bool_)
    by_task = [np.flatnonzero(log.task == task) for task in range(len(log.tasks))]
    for model, name in enumerate(log.models):
        served = np.flatnonzero(usable & (log.model == model))
        if not len(served):
            allowed = "a score of one of its requests at least, or of its tasks (--scores FILE)"
            raise FieldError(f"score of model {name!r}", None, allowed)
        for task, rows in enumerate(by_task):
            pool = served[log.task[served] == task]
            drawn = generator.choice(pool if len(pool) else served, size=len(rows))
            cost[rows, model] = log.cost[drawn]
            if given is None:
                score[rows, model] = log.score[drawn]
            else:
                score[rows, model] = _given_score(log, task, model)
    rows = np.arange(requests)
    cost[rows, log.model] = log.cost
    if given is None:
        seen = np.isfinite(log.score)
        score[rows[seen], log.model[seen]] = log.score[seen]
    told = features == "task"
    return OutcomeTable(
        models=log.models,
        score=score,
        cost=cost,
        task=log.task,
        task_names=log.tasks,
        features=np.eye(len(log.tasks))[log.task] if told else np.empty((0, 0)),
        feature_names=task_features(log.tasks) if told else (),
    )


def _given_score(log: Log, task: int, model: int) -> float:
    """A mean score from the second file; over all tasks where it does not tell of this one.

    Raises:
        FieldError: if it tells nothing of the model.
    """
    assert log.cell_score is not None
    assert log.cell_count is not None
    if log.cell_count[task, model] > 0:
        return float(log.cell_score[task, model])
    count = log.cell_count[:, model]
    if not count.any():
        raise FieldError(f"score of model {log.models[model]!r}", None, "a row of it in the scores")
    return float(np.average(np.nan_to_num(log.cell_score[:, model]), weights=count))
