from __future__ import annotations

import pickle
import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint

import gymnasium as gym
import numpy as np
import pytest

from stageroute_gym import scenarios
from stageroute_gym.errors import FieldError
from stageroute_gym.problem import Problem
from stageroute_gym.scenarios import Scenario, registry
from stageroute_gym.workloads import OutcomeTable, Schedule

PROBLEM = Problem(horizon=30, num_stages=3, max_deployed=1, budget=1.0)


@dataclass(frozen=True)
class Coin:
    """Two models, the second of which answers right."""

    cost: float = 0.5

    def build(self, problem: Problem) -> tuple[OutcomeTable, Schedule]:
        table = OutcomeTable(
            models=("tails", "heads"),
            score=np.array([[0.0, 1.0]]),
            cost=np.full((1, 2), self.cost),
            task=np.zeros(1, np.int64),
            task_names=("all",),
        )
        return table, Schedule.stationary(table, np.ones((len(problem.stage_lengths), 2), bool))


COIN = Scenario("coin", 1, PROBLEM, Coin(), "a coin")


@pytest.fixture
def clean(monkeypatch):
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))


@pytest.mark.usefixtures("clean")
def test_a_registered_scenario_is_found_by_its_name():
    with pytest.raises(FieldError, match=r"scenario = 'coin': expected .*or module:NAME"):
        scenarios.get("coin")
    scenarios.register(COIN)
    scenarios.register(COIN)  # again, as a module that is imported twice does
    assert "coin" in scenarios.names()
    assert scenarios.get("coin") is not None
    env = gym.make("StageRoute-v0", scenario="coin", cost=0.25)
    env.reset(seed=0)
    env.step(1)
    assert env.step(1)[4]["cost"] == 0.25
    other = Scenario("coin", 2, PROBLEM, Coin(), "another coin")
    with pytest.raises(FieldError, match="name of the scenario = 'coin': expected a name that no"):
        scenarios.register(other)
    with pytest.raises(FieldError, match="name of the scenario = 'routerbench'"):
        scenarios.register(Scenario("routerbench", 1, PROBLEM, Coin()))


def test_a_scenario_of_a_module_or_another_package(monkeypatch):
    name = f"{__name__}:COIN"
    monkeypatch.setitem(sys.modules, __name__, sys.modules[COIN.workload.__class__.__module__])
    assert scenarios.get(name, horizon=12).problem.horizon == 12
    point = EntryPoint(name="toss", value=name, group=registry.GROUP)
    monkeypatch.setattr(registry.plugins, "installed", lambda group: {"toss": point})
    assert scenarios.names()[-1] == "toss"
    assert scenarios.get("toss") == COIN
    with pytest.raises(FieldError, match=f"a Scenario of {__name__}: 'COIN', the nearest"):
        scenarios.get(f"{__name__}:COINS")
    with pytest.raises(FieldError, match="an importable module; No module named 'nowhere'"):
        scenarios.get("nowhere:COIN")
    with pytest.raises(FieldError, match="one that holds a Scenario"):
        scenarios.get("json:COIN")
    with pytest.raises(FieldError, match="an importable module; TypeError"):
        scenarios.get("../coins.py:COIN")


def test_an_object_stands_where_a_name_does():
    assert scenarios.get(COIN, budget=0.1).problem.budget == 0.1
    copy = pickle.loads(pickle.dumps(COIN))
    assert copy == COIN
    assert copy.world() is COIN.world()
    for env_id in ("StageRoute-v0", "StageRouteContinuous-v0"):
        env = gym.make(env_id, scenario=COIN, horizon=10)
        assert env.unwrapped.problem.horizon == 10
    vector = gym.make_vec(
        "StageRoute-v0", num_envs=2, vectorization_mode="vector_entry_point", scenario=COIN
    )
    assert vector.scenario == COIN


class Plain:
    def build(self, problem):
        raise NotImplementedError


@dataclass
class Thawed(Plain):
    cost: float = 0.5


@dataclass(frozen=True)
class Listed(Plain):
    costs: list[float]


@dataclass(frozen=True)
class Unbuilt:
    cost: float = 0.5


@dataclass(frozen=True)
class Array(Plain):
    cost: complex = 1j


@dataclass(frozen=True)
class Seeded:
    bounds: tuple[float, ...] | None = None
    per_seed = True

    @property
    def cost_bounds(self):
        return self.bounds

    def build(self, problem, seed):
        raise NotImplementedError


@dataclass(frozen=True)
class Seedless(Plain):
    cost_bounds = (0.0, 1.0)
    per_seed = True


@pytest.mark.parametrize(
    ("workload", "message"),
    [
        (Plain(), "workload = .*a frozen dataclass: put @dataclass.frozen=True. above Plain"),
        (Thawed(), "workload = .*a frozen dataclass: put @dataclass.frozen=True. above Thawed"),
        (Thawed, r"an instance of a frozen dataclass: Thawed\(\), not the class itself"),
        (None, "workload = None: expected an instance of a frozen dataclass"),
        (Unbuilt(), "workload = .*Unbuilt needs a method build.problem."),
        (Listed([0.5]), "workload = .*expected hashable fields, tuples and not lists"),
        (Seeded(), "workload = .*cost_bounds = .lowest, highest. in Seeded"),
        (Seeded((1.0,)), r"cost_bounds of Seeded = \(1.0,\): expected a smallest and a largest"),
        (Seedless(), r"build of Seedless = .*: expected build\(problem, seed\) -> .*; too many"),
    ],
)
def test_a_workload_that_is_none_says_what_is_missing(workload, message):
    with pytest.raises(FieldError, match=message):
        Scenario("own", 1, PROBLEM, workload)


def test_what_a_workload_builds_is_checked():
    @dataclass(frozen=True)
    class Halved(Coin):
        def build(self, problem):
            return super().build(problem)[::-1]

    with pytest.raises(FieldError, match=r"what build of Halved returns = \('Schedule', 'Outcome"):
        Scenario("own", 1, PROBLEM, Halved()).world()


@pytest.mark.usefixtures("clean")
def test_what_cannot_be_registered():
    for name in ("a,b", "a:b", "../a"):
        with pytest.raises(FieldError, match="letters, digits, and the signs"):
            scenarios.register(Scenario(name, 1, PROBLEM, Coin()))
    with pytest.raises(FieldError, match="'worlds-tune-3': expected a name that no other"):
        scenarios.register(Scenario("worlds-tune-3", 1, PROBLEM, Coin()))
    with pytest.raises(FieldError, match="JSON-native fields, since results say"):
        scenarios.register(Scenario("own", 1, PROBLEM, Array()))
    with pytest.raises(FieldError, match="scenario = 'coin': expected a stageroute_gym"):
        scenarios.register("coin")
    for name in ("", " own", None):
        with pytest.raises(FieldError, match="name = "):
            Scenario(name, 1, PROBLEM, Coin())
    with pytest.raises(FieldError, match=r"version = 1\.5"):
        Scenario("own", 1.5, PROBLEM, Coin())
    with pytest.raises(FieldError, match=r"problem = \{\}"):
        Scenario("own", 1, {}, Coin())
