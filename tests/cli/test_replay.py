"""The command ``replay``, and what it plays."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from command import Stageroute

from stageroute_gym.advice.replay import replay, replay_problem
from stageroute_gym.logs import Logged

REQUESTS = 300


@pytest.fixture
def log(tmp_path: Path) -> str:
    rng = np.random.default_rng(0)
    model = rng.choice(["good", "poor"], size=REQUESTS)
    path = tmp_path / "log.csv"
    pl.DataFrame(
        {
            "time": 1_777_593_600 + np.arange(REQUESTS) * 60,
            "model": model,
            "cost": [1e-3] * REQUESTS,
            "score": (rng.random(REQUESTS) < np.where(model == "good", 0.9, 0.3)).astype(float),
        }
    ).write_csv(path)
    return str(path)


def test_the_log_stands_beside_what_an_agent_makes_of_it(log: str):
    workload = Logged(data=log)
    problem, chosen = replay_problem(workload, {"num_stages": 3, "budget": 2e-3})
    assert problem.horizon == REQUESTS
    assert [line.partition(":")[0] for line in chosen] == ["slots"]
    result = replay(workload, problem, ["players:Even"], [0, 1])
    source = workload.log()
    assert result.today.score.mean == pytest.approx(source.score.mean())
    assert result.today.cost.mean == pytest.approx(1e-3)
    assert result.today.stage_score == pytest.approx(source.score.reshape(3, 100).mean(axis=1))
    (even,) = result.played
    # Both models cost the same, so that every policy does.
    assert even.cost.mean == pytest.approx(1e-3)
    assert even.served == 1.0
    assert even.stage_score.mean() == pytest.approx(even.score.mean)
    assert result.starts.tolist() == [1_777_593_600 + 6000 * stage for stage in range(3)]


@pytest.fixture(autouse=True)
def _players(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[1] / "evaluation"))


def test_a_budget_that_cannot_serve_all_is_said(stageroute: Stageroute, log: str):
    given = ("replay", log, "--agents", "players:Even", "--seeds", "1", "--budget", "2.5e-4")
    line = "this budget serves at most 25 % of the queries; from b = 0.001 on all"
    assert line in stageroute(*given).out
    assert json.loads(stageroute(*given, "--json").out)["service"]["share"] == pytest.approx(0.25)


def test_the_command_prints_both(stageroute: Stageroute, log: str):
    given = ("--agents", "players:Even,cheapest", "--seeds", "2", "--num-stages", "3")
    outcome = stageroute("replay", log, *given)
    assert outcome.code == 0, outcome.err
    text = " ".join(outcome.out.split())
    assert "Left open, budget: 0.001 USD a request, as the log; --budget changes it." in text
    assert "300 requests in the order of the log" in text
    assert "2026-05-01 01:40" in text
    content = json.loads(stageroute("replay", log, *given, "--json").out)
    assert [played["name"] for played in content["played"]] == ["players:Even", "cheapest"]
    assert len(content["today"]["stage_cost"]) == 3


def test_another_budget_ends_it_early(stageroute: Stageroute, log: str):
    given = ("--agents", "players:Even", "--seeds", "1", "--num-stages", "3", "--json")
    content = json.loads(stageroute("replay", log, "--budget", "5e-4", *given).out)
    assert content["played"][0]["served"] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--horizon", "301"), "horizon = 301: expected at most 300"),
        (("--agents", "stagerout"), "'stageroute', the nearest name"),
        (("--columns", "cost=spend"), "cost=spend"),
        (("--budget", "0"), "budget"),
    ],
)
def test_bad_input_is_one_line(stageroute: Stageroute, log: str, given, said: str):
    outcome = stageroute("replay", log, *given)
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert said in outcome.err
