"""Scenarios whose problem comes from the user's file, where the user says nothing else."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from stageroute_gym.logs import Logged
from stageroute_gym.problem import RANGES, Problem
from stageroute_gym.scenarios.scenario import Scenario
from stageroute_gym.workloads import OutcomeTable, Recorded

MOST_SLOTS = 5
MOST_STAGES = 22


class Default(NamedTuple):
    """A value that a file suggests for a field of the problem.

    Attributes:
        value: the value.
        reason: where it comes from, in words.
    """

    value: Any
    reason: str


@dataclass(frozen=True)
class FittedScenario(Scenario):
    """A scenario on recorded outcomes whose slots, throughput and budget follow from the file.

    Args:
        given: fields of the problem that the user chose; they stay as they are.
    """

    given: tuple[str, ...] = ()

    def override(self, **overrides: Any) -> Self:
        """As `Scenario.override`; what has not been chosen is fitted to the file.

        Raises:
            FieldError: as `Scenario.override`, or if the file has a fault.
        """
        stages = {"num_stages", "stage_starts"}
        follows = {}
        if "horizon" in overrides and not stages & {*self.given, *overrides}:
            horizon = RANGES["horizon"].check("horizon", overrides["horizon"])
            follows["num_stages"] = min(MOST_STAGES, horizon)
        changed = super().override(**overrides, **follows)
        chosen = {name for name in Problem.field_names() if overrides.get(name) is not None}
        changed = dataclasses.replace(changed, given=tuple(sorted({*self.given, *chosen})))
        values = {name: default.value for name, default in changed.defaults().items()}
        return dataclasses.replace(changed, problem=changed.problem.replace(**values))

    def defaults(self) -> dict[str, Default]:
        """What the file suggests for the fields that were not given; empty without a file.

        Raises:
            FieldError: if the file has a fault.
        """
        workload = self.workload
        if not isinstance(workload, (Recorded, Logged)) or not workload.data:
            return {}
        fitted = fit(workload.outcomes(), self.problem)
        if "stage_starts" in self.given:
            del fitted["num_stages"]
        return {name: value for name, value in fitted.items() if name not in self.given}

    def notes(self) -> tuple[str, ...]:
        """As `Scenario.notes`, and each default that the file gave, with how to change it."""
        chosen = (
            f"{name} = {default.value:.3g}: {default.reason}; change it by {name} "
            f"(--{name.replace('_', '-')})"
            for name, default in self.defaults().items()
        )
        return (*chosen, *super().notes())


def fit(table: OutcomeTable, problem: Problem) -> dict[str, Default]:
    """Slots, throughput, budget and stages that make a problem of any file.

    Up to five models can be deployed; each takes twice a slot's part of the queries, so that none
    is forced on an agent; and the budget is the median of the models' mean costs, so that the
    cheaper half can serve every query and the best can not.

    Args:
        table: the outcomes.
        problem: the problem, of which slots and horizon are taken into account.
    """
    models = table.num_models
    slots = min(MOST_SLOTS, models)
    mean_cost = table.mean_cost()
    budget = _round_up(float(np.median(mean_cost)))
    reason = "the median of the models' mean costs, in USD a query"
    if budget == 0:
        priced = mean_cost[mean_cost > 0]
        budget = _round_up(float(priced.min())) if len(priced) else 1e-3
        reason = "most models are free, so any budget does"
    stages = min(MOST_STAGES, problem.horizon)
    return {
        "num_stages": Default(stages, "update points spread evenly over the horizon"),
        "max_deployed": Default(slots, f"{MOST_SLOTS} at most, of the file's {models} models"),
        "throughput": Default(min(1.0, 2 / slots), "twice a slot's part of the queries"),
        "budget": Default(max(budget, 1e-15), reason),
    }


def _round_up(value: float) -> float:
    """``value`` with two digits, not below it, so that what costs just this stays affordable."""
    if value <= 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.ceil(value / unit - 1e-9) * unit:.2g}")
