"""A log as a world: what is kept, what is drawn, and the log played in its own order."""

from __future__ import annotations

from pathlib import Path

import gymnasium as gym
import numpy as np
import polars as pl
import pytest

import stageroute_gym  # noqa: F401
from stageroute_gym import scenarios
from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation import evaluate
from stageroute_gym.logs import Logged
from stageroute_gym.oracles import realised_rows
from stageroute_gym.problem import Problem
from stageroute_gym.scenarios import Scenario
from stageroute_gym.testing import check_scenario

REQUESTS = 400


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Tasks change in the middle of the log; no request of ``late`` went to model ``c``."""
    rng = np.random.default_rng(0)
    late = np.arange(REQUESTS) >= REQUESTS // 2
    model = rng.choice(["a", "b", "c"], size=REQUESTS, p=[0.5, 0.3, 0.2])
    model[late & (model == "c")] = "a"
    score = rng.integers(5, size=REQUESTS) / 4
    file = tmp_path_factory.mktemp("log") / "log.csv"
    pl.DataFrame(
        {
            "time": np.arange(REQUESTS),
            "model": model,
            "cost": np.where(model == "a", 1e-3, 2e-3) + np.arange(REQUESTS) * 1e-7,
            "score": score,
            "task": np.where(late, "late", "early"),
        }
    ).write_csv(file)
    return str(file)


def problem(**changes) -> Problem:
    return Problem(horizon=REQUESTS, num_stages=4, max_deployed=3, budget=1.0).replace(**changes)


def test_a_request_keeps_what_its_own_model_brought(path: str):
    log = Logged(data=path).log()
    table, _ = Logged(data=path).build(problem())
    rows = np.arange(REQUESTS)
    assert (table.score[rows, log.model] == log.score).all()
    assert (table.cost[rows, log.model] == log.cost).all()


def test_other_models_outcomes_are_drawn_within_the_task(path: str):
    log = Logged(data=path).log()
    table, _ = Logged(data=path).build(problem())
    for task in range(2):
        for model in range(3):
            mine = (log.task == task) & (log.model == model)
            pool = set(log.cost[mine if mine.any() else log.model == model].tolist())
            assert set(table.cost[log.task == task, model].tolist()) <= pool
    # Score and cost are of one request.
    pairs = set(zip(log.score.tolist(), log.cost.tolist(), strict=True))
    drawn = zip(table.score.ravel().tolist(), table.cost.ravel().tolist(), strict=True)
    assert set(drawn) <= pairs
    other = Logged(data=path, outcomes_seed=1).build(problem())[0]
    assert (other.cost != table.cost).any()


def test_the_mix_of_tasks_follows_the_log(path: str):
    table, schedule = Logged(data=path).build(problem(horizon=1000))
    late = schedule.mixes @ (table.task == table.task_names.index("late"))
    assert late == pytest.approx([0, 0, 1, 1])


def test_an_uncovered_pair_is_said(path: str):
    (first, second) = Logged(data=path).notes(problem())
    assert first == "read as a log of generic"
    assert second.startswith("c served no request of late: its outcomes there are taken from")


def test_a_pair_without_a_score_is_said(tmp_path):
    path = tmp_path / "log.csv"
    rows = ("1,a,1,1,x", "2,b,1,1,x", "3,a,1,,y", "4,b,1,0,y")
    path.write_text("\n".join(("time,model,cost,score,task", *rows)))
    said = "no score of a on y is known: its score there is taken from its other tasks"
    assert said in Logged(data=str(path)).notes(problem())
    scores = tmp_path / "scores.csv"
    scores.write_text("task,model,score,count\nx,a,1,9\nx,b,1,9\ny,a,0,9\n")
    said = "no score of b on y is known: its score there is taken from its other tasks"
    assert said in Logged(data=str(path), scores=str(scores)).notes(problem())


@pytest.mark.parametrize("order", ["drawn", "log"])
def test_it_is_a_scenario_like_any_other(path: str, order: str):
    check_scenario(Scenario("mine", 1, problem(), Logged(data=path, order=order)))


def test_in_the_logs_order_every_request_comes_once(path: str):
    workload = Logged(data=path, order="log")
    scenario = Scenario("mine", 1, problem(horizon=300), workload)
    table = scenario.world().table
    for seed in (0, 7):
        assert (realised_rows(scenario.world(), seed) == np.arange(300)).all()
    env = gym.make("StageRoute-v0", scenario=scenario)
    env.reset(seed=3)
    costs, ended = [], False
    while not ended:
        # Deploy and use the first model alone.
        _, _, ended, _, info = env.step(0)
        if info["model"] >= 0:
            costs.append(info["cost"])
    assert costs == pytest.approx(table.cost[: len(costs), 0].tolist())
    assert len(costs) > 250


def test_in_the_logs_order_all_seeds_meet_the_same_requests(path: str):
    spends = {}
    for order in ("log", "drawn"):
        scenario = Scenario("mine", 1, problem(max_deployed=1), Logged(data=path, order=order))
        # One model at a time, so that nothing else is drawn.
        spends[order] = evaluate("cheapest", scenario, [0, 1])["spend"].to_list()
    assert spends["log"][0] == pytest.approx(spends["log"][1], rel=1e-12)
    assert spends["drawn"][0] != pytest.approx(spends["drawn"][1], rel=1e-6)


def test_the_registered_scenario_is_fitted_to_the_log(path: str):
    scenario = scenarios.get("logged", data=path, horizon=200, columns=["score=score"])
    world = scenario.world()
    assert world.problem.max_deployed == 3
    assert world.problem.budget == pytest.approx(2e-3, rel=0.1)


@pytest.mark.parametrize(
    ("options", "changes", "field"),
    [
        ({"order": "log"}, {"horizon": REQUESTS + 1}, "horizon"),
        ({"order": "sorted"}, {}, "order"),
        ({"features": "all"}, {}, "features"),
        ({"columns": ("cost",)}, {}, "columns"),
        ({"data": ""}, {}, "data"),
    ],
)
def test_bad_options_are_refused(path: str, options: dict, changes: dict, field: str):
    with pytest.raises(FieldError) as refused:
        Logged(**{"data": path, **options}).build(problem(**changes))
    assert refused.value.field == field


def test_a_model_without_any_score_is_refused(tmp_path: Path):
    file = tmp_path / "log.csv"
    file.write_text("time,model,cost,score\n1,a,1,1\n2,b,1,\n")
    with pytest.raises(FieldError, match="score of model 'b'"):
        Logged(data=str(file)).build(problem(horizon=2, num_stages=1))
