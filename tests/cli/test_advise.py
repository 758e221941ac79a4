"""The command ``advise``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from command import Stageroute
from stageroute_agents.live import Router

from stageroute_gym.context import AgentContext


@pytest.fixture
def outcomes(tmp_path: Path) -> str:
    rng = np.random.default_rng(0)
    good = {"code": (0.9, 0.4), "chat": (0.5, 0.6)}
    task = rng.choice(list(good), size=300)
    columns = {"query_id": [str(i) for i in range(300)], "task": task.tolist()}
    for model, name in enumerate(("dear[v1]", "cheap")):
        chance = np.array([good[kind][model] for kind in task])
        columns[f"score:{name}"] = (rng.random(300) < chance).astype(float)
        columns[f"cost:{name}"] = rng.gamma(4.0, (1e-3, 1e-4)[model], 300)
    path = tmp_path / "outcomes.csv"
    pl.DataFrame(columns).write_csv(path)
    return str(path)


def test_advice_in_words(stageroute: Stageroute, outcomes: str):
    outcome = stageroute("advise", outcomes, "--budget", "0.003", "--resamples", "10")
    assert outcome.code == 0, outcome.err
    text = " ".join(outcome.out.split())
    assert "Deploy 2 of 2 models: dear[v1], cheap." in text
    assert "Left open, slots: 2 models at once; --max-deployed changes it." in text
    assert "What a step in each limit brings" in text
    assert "Against each model alone" in text


def test_json_is_all_that_is_printed(stageroute: Stageroute, outcomes: str):
    outcome = stageroute("advise", outcomes, "--json", "--resamples", "10")
    content = json.loads(outcome.out)
    by_group = {part["group"]: part["shares"] for part in content["plan"]["by_group"]}
    assert by_group["chat"] == {"cheap": pytest.approx(1.0)}
    assert by_group["code"]["dear[v1]"] > 0.5


def test_a_live_router_goes_on_from_the_advice(stageroute: Stageroute, outcomes: str, tmp_path):
    path = tmp_path / "router.json"
    given = ("--min-score", "0.55", "--throughput", "dear[v1]=0.5")
    asked = ("advise", outcomes, *given, "--by", "task", "--resamples", "10", "--json")
    advice = json.loads(stageroute(*asked, "--context", str(path), "--horizon", "700").out)
    context = AgentContext.read(path)
    assert context.problem.budget == advice["plan"]["cost"]
    assert (context.problem.horizon, context.problem.max_deployed) == (700, 2)
    assert context.problem.throughput == (0.5, 1.0)
    assert (context.models, context.tasks) == (("dear[v1]", "cheap"), ("chat", "code"))
    # Where no price list tells of them, the costs in the file are what is known in advance.
    table = pl.read_csv(outcomes)
    means = [table[f"cost:{name}"].mean() for name in context.models]
    assert context.list_prices == pytest.approx(tuple(means))
    with Router(context, "stageroute") as router:
        assert router.choose(task="chat").model in context.models
    for wrong, said in (
        (("--horizon", "9"), "horizon = 9: expected --rank or --context"),
        (("--context", str(tmp_path / "absent" / "r.json")), "a file in a folder that exists"),
    ):
        outcome = stageroute("advise", outcomes, *wrong)
        assert outcome.code != 0
        assert said in outcome.err


def test_throughput_of_one_model_and_blind(stageroute: Stageroute, outcomes: str):
    given = ("--throughput", "0.9", "--throughput", "dear[v1]=0.25", "--by", "none")
    outcome = stageroute("advise", outcomes, *given, "--budget", "1", "--json", "--resamples", "10")
    content = json.loads(outcome.out)
    assert content["limits"]["throughput"] == {"dear[v1]": 0.25, "cheap": 0.9}
    assert content["plan"]["shares"]["dear[v1]"] == pytest.approx(0.25)
    assert content["plan"]["by_group"] == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--budget", "0"), "budget = 0.0"),
        (("--throughput", "much"), "throughput = 'much'"),
        (("--throughput", "0.5", "--throughput", "0.6"), "each model only once"),
        (("--throughput", "cheep=0.5"), "'cheap'"),
        (("--by", "tsak"), "by = 'tsak'"),
        (("--min-score", "0.99"), "min_score = 0.99"),
        (("--min-score", "0.5", "--budget", "1"), "either a floor for the score or a budget"),
    ],
)
def test_bad_input_is_one_line(stageroute: Stageroute, outcomes: str, given, said):
    outcome = stageroute("advise", outcomes, *given)
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert said in outcome.err
    assert not outcome.out


@pytest.mark.parametrize("name", ["routerbench_0shot", "swebench_bash_only"])
def test_recorded_data(stageroute: Stageroute, shared_data: Path, name: str):
    file = str(shared_data / name / "queries.parquet")
    content = json.loads(stageroute("advise", file, "--json", "--resamples", "20").out)
    held, seen = (content["measured"]["by task"][key] for key in ("held_out_score", "score"))
    assert held["low"] < held["value"] < held["high"]
    assert len(content["plan"]["models"]) <= 5
    assert held["value"] <= seen["value"] + 0.005


@pytest.mark.slow
def test_agents_are_ranked_within_the_same_limits(stageroute: Stageroute, outcomes: str):
    given = ("--rank", "--agents", "cheapest,best-score", "--budget", "0.002", "--resamples", "5")
    content = json.loads(stageroute("advise", outcomes, *given, "--json").out)
    assert {row["entry"] for row in content["agents"]["ranking"]} == {"cheapest", "best-score"}
    assert content["agents"]["problem"]["budget"] == 0.002
    shown = stageroute("advise", outcomes, *given)
    assert "Which agent learns this best" in shown.out
    for refused, said in (
        (("--agents", "cheapest"), "--rank"),
        (("--rank", "--agents", "cheepest"), "'cheapest', the nearest name"),
    ):
        outcome = stageroute("advise", outcomes, *refused)
        assert outcome.code == 2
        assert said in outcome.err
