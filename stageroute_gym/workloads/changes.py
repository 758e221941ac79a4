"""Changes over time: drift of the query mix, a model that gets worse, prices, outages.

All happen at update points, since a stage is what a schedule can tell apart. A moment is given as a
share of the horizon, and the change holds from the first update point at or after it.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stageroute_gym import checks
from stageroute_gym.errors import FieldError, closest
from stageroute_gym.problem import Problem
from stageroute_gym.workloads.schedule import Schedule
from stageroute_gym.workloads.table import OutcomeTable


@dataclass(frozen=True, kw_only=True)
class Drift:
    """The queries are mostly of one task after another, each for an equal part of the horizon.

    Args:
        tasks: the tasks in their order; None for all tasks of the table.
        focus: share of the queries that comes from the task of the moment, in (0, 1]; the others
            follow the mix that would hold without the drift.
        shape: ``"steps"`` goes from one task to the next at once; ``"smooth"`` moves in
            proportion, being wholly with a task in the middle of its part.

    Raises:
        FieldError: if a value is not allowed; by ``apply``, if a task has no queries.
    """

    tasks: tuple[str, ...] | None = None
    focus: float = 0.8
    shape: str = "smooth"

    def __post_init__(self) -> None:
        if self.tasks is not None:
            names = isinstance(self.tasks, tuple) and all(isinstance(t, str) for t in self.tasks)
            if not names or not self.tasks:
                raise FieldError("tasks", self.tasks, "None, or names of tasks")
        checks.number("focus", self.focus, 0, 1, above=True)
        checks.choice("shape", self.shape, ("smooth", "steps"))

    def apply(
        self, table: OutcomeTable, schedule: Schedule, problem: Problem
    ) -> tuple[OutcomeTable, Schedule]:
        """A mix of its own for each stage, by the position of the stage's middle."""
        names = self.tasks if self.tasks is not None else table.task_names
        for name in names:
            if name not in table.task_names:
                raise FieldError("tasks", name, closest(name, table.task_names))
        mixes = schedule.mixes[schedule.stage_mix]
        of_task = np.array([table.task == table.task_names.index(name) for name in names])
        # fsum once a mix, since stages that are alike must stay so to the last bit.
        shares = [[math.fsum(mix[rows]) for rows in of_task] for mix in schedule.mixes]
        share = np.array(shares)[schedule.stage_mix]
        if not (share > 0).all():
            empty = names[int(np.argwhere(share <= 0)[0, 1])]
            raise FieldError("tasks", empty, "tasks that have queries in every stage")
        emphasis = self.emphasis(len(names), problem)
        factor = (1 - self.focus) + self.focus * ((emphasis / share) @ of_task)
        drifted, stage_mix = np.unique(mixes * factor, axis=0, return_inverse=True)
        return table, dataclasses.replace(schedule, mixes=drifted, stage_mix=stage_mix.reshape(-1))

    def emphasis(self, num_tasks: int, problem: Problem) -> NDArray[np.float64]:
        """Share of each task in the drifting part of the queries, shape (K, G), rows sum to 1."""
        middle = (problem.stage_bounds[:-1] + problem.stage_bounds[1:]) / (2 * problem.horizon)
        position = middle * num_tasks
        if self.shape == "steps":
            return np.eye(num_tasks)[position.astype(np.int64)]
        place = np.clip(position - 0.5, 0, num_tasks - 1)
        return np.maximum(0, 1 - np.abs(place[:, None] - np.arange(num_tasks)))


@dataclass(frozen=True, kw_only=True)
class Regression:
    """A model gets worse: from some moment on it scores as another model does, at its own cost.

    The table holds each query twice, as answered before and after, and the query mix moves from the
    ones to the others.

    Args:
        model: name of the model.
        like: name of the model whose scores it has afterwards.
        start: the moment, a share of the horizon in [0, 1].

    Raises:
        FieldError: if a value is not allowed; by ``apply``, if there is no such model.
    """

    model: str
    like: str
    start: float = 0.5

    def __post_init__(self) -> None:
        checks.number("start", self.start, 0, 1)

    def apply(
        self, table: OutcomeTable, schedule: Schedule, problem: Problem
    ) -> tuple[OutcomeTable, Schedule]:
        """Rows of before, then rows of after, which count from ``start`` on."""
        after = table.score.copy()
        after[:, column("model", self.model, table)] = table.score[
            :, column("like", self.like, table)
        ]
        both = dataclasses.replace(
            table,
            score=np.concatenate([table.score, after]),
            cost=np.tile(table.cost, (2, 1)),
            task=np.tile(table.task, 2),
            features=np.tile(table.features, (2, 1)),
            weight=np.tile(table.weight, 2),
        )
        nothing = np.zeros_like(schedule.mixes)
        later = since(problem, self.start)
        moved = dataclasses.replace(
            schedule,
            mixes=np.block([[schedule.mixes, nothing], [nothing, schedule.mixes]]),
            stage_mix=schedule.stage_mix + len(schedule.mixes) * later,
        )
        return both, moved


@dataclass(frozen=True, kw_only=True)
class PriceChange:
    """A model's costs are multiplied by a factor from some moment on.

    The list price stays what was announced at the start: an agent learns of the change by using the
    model.

    Args:
        model: name of the model.
        factor: what its costs are multiplied by, above 0.
        start: the moment, a share of the horizon in [0, 1].

    Raises:
        FieldError: if a value is not allowed; by ``apply``, if there is no such model.
    """

    model: str
    factor: float
    start: float = 0.5

    def __post_init__(self) -> None:
        checks.number("factor", self.factor, 0, above=True)
        checks.number("start", self.start, 0, 1)

    def apply(
        self, table: OutcomeTable, schedule: Schedule, problem: Problem
    ) -> tuple[OutcomeTable, Schedule]:
        """The model's cost multiplier changed from ``start`` on."""
        multiplier = schedule.cost_multiplier.copy()
        multiplier[since(problem, self.start), column("model", self.model, table)] *= self.factor
        return table, dataclasses.replace(schedule, cost_multiplier=multiplier)


@dataclass(frozen=True, kw_only=True)
class Outage:
    """A model is withdrawn without notice, and comes back.

    Args:
        model: name of the model.
        start: the moment it goes, a share of the horizon in [0, 1].
        duration: for how long, a share of the horizon in [0, 1]; it may outlast the horizon.

    Raises:
        FieldError: if a value is not allowed; by ``apply``, if there is no such model.
    """

    model: str
    start: float = 0.4
    duration: float = 0.2

    def __post_init__(self) -> None:
        checks.number("start", self.start, 0, 1)
        checks.number("duration", self.duration, 0, 1)

    def apply(
        self, table: OutcomeTable, schedule: Schedule, problem: Problem
    ) -> tuple[OutcomeTable, Schedule]:
        """The model not on offer from ``start`` on, for ``duration``."""
        available = schedule.available.copy()
        gone = since(problem, self.start) & ~since(problem, self.start + self.duration)
        available[gone, column("model", self.model, table)] = False
        return table, dataclasses.replace(schedule, available=available)


def since(problem: Problem, start: float) -> NDArray[np.bool_]:
    """Which stages begin at or after the share ``start`` of the horizon, shape (K,), bool."""
    return problem.stage_bounds[:-1] >= round(start * problem.horizon)


def column(field: str, model: str, table: OutcomeTable) -> int:
    """Column of a model.

    Raises:
        FieldError: if the table has no model of that name.
    """
    if model not in table.models:
        raise FieldError(field, model, closest(str(model), table.models))
    return table.models.index(model)
