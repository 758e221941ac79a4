from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from distributions import SCENARIO, Drawn

from stageroute_gym import scenarios
from stageroute_gym.errors import FieldError
from stageroute_gym.testing import check_scenario
from stageroute_gym.workloads import OfSeed

DATA = Path(__file__).parents[1] / "data"


@pytest.mark.parametrize(
    "name", [name for name in scenarios.names() if name not in ("recorded", "logged", "swebench")]
)
def test_this_projects_scenarios(name):
    short = {"horizon": 2_000, "num_stages": 22} if name != "paper" else {}
    check_scenario(scenarios.get(name, **short), seeds=(3,), steps=100)


def test_recorded_scenarios():
    outcomes, models = str(DATA / "outcomes.csv"), str(DATA / "models.csv")
    check_scenario(scenarios.get("recorded", data=outcomes))
    dated = scenarios.get("swebench", data=outcomes, models=models, budget=1e-3)
    check_scenario(dated, seeds=(3,))


def test_a_world_for_each_seed():
    check_scenario(SCENARIO, seeds=(3, 4, 5))


COUNT = itertools.count()


@dataclasses.dataclass(frozen=True)
class Restless(Drawn):
    def build(self, problem, seed):
        return super().build(problem, next(COUNT))


@dataclasses.dataclass(frozen=True)
class Alike(Drawn):
    def build(self, problem, seed):
        return super().build(problem, 0)


@dataclasses.dataclass(frozen=True)
class Absent(Drawn):
    def build(self, problem, seed):
        table, schedule = super().build(problem, seed)
        available = schedule.available.copy()
        available[:, -1] = False
        return table, dataclasses.replace(schedule, available=available)


@dataclasses.dataclass(frozen=True)
class Gap(Drawn):
    def build(self, problem, seed):
        table, schedule = super().build(problem, seed)
        available = np.ones_like(schedule.available)
        available[2] = False
        return table, dataclasses.replace(schedule, available=available)


@pytest.mark.parametrize(
    ("workload", "words"),
    [
        (Restless(), "the workload builds the same score each time"),
        (Alike(), "two seeds draw two worlds"),
        (
            OfSeed(base=Absent(), seed=1),
            r"every model is on offer in some stage; never are \['m3'\]",
        ),
        (Gap(), r"a model is on offer in every stage; none is in \[2\]"),
    ],
)
def test_what_does_not_hold_is_said(workload, words):
    with pytest.raises(AssertionError, match=f"does not hold: {words}"):
        check_scenario(dataclasses.replace(SCENARIO, workload=workload))


def test_what_results_cannot_describe_is_refused():
    @dataclasses.dataclass(frozen=True)
    class Strange(Drawn):
        kind: complex = 1j
        per_seed: ClassVar[bool] = True

    with pytest.raises(FieldError, match="JSON-native fields, since results say"):
        check_scenario(dataclasses.replace(SCENARIO, workload=Strange()))
