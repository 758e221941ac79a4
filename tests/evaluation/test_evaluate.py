from __future__ import annotations

import json
from typing import Any

import gymnasium as gym
import numpy as np
import polars as pl
import pytest
from distributions import SCENARIO
from players import Dear, Even, Recorder, Shares
from speeds import quick_ones

from stageroute_gym import scenarios
from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation import evaluate
from stageroute_gym.evaluation.contenders import agent_seed
from stageroute_gym.evaluation.running import play
from stageroute_gym.oracles import oracle_total

SHORT: dict[str, Any] = {"horizon": 300, "num_stages": 4}
DRAWING = ("thompson-lp", "budgeted-thompson", "uniform", "linucb")
TIGHT: dict[str, Any] = {**SHORT, "budget": 2e-4}


def by_hand(agent: Any, env_id: str, seed: int, **overrides: Any) -> dict[str, Any]:
    """The same episode in a single environment, one step after the other."""
    env = gym.make(env_id, **overrides)
    observation, info = env.reset(seed=seed)
    score, decisions, terminated, oracle = 0.0, 0, False, 0.0
    while not terminated:
        action, _ = agent.predict(observation)
        before = info["t"]
        observation, reward, terminated, _, info = env.step(action if action.ndim else int(action))
        score += float(reward)
        decisions += 1
        oracle += info["oracle_score"] * (info["t"] - before) if not terminated else 0.0
    return {**info, "score": score, "decisions": decisions, "world": env.unwrapped.world}  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", [Even, Dear])
@pytest.mark.parametrize("rule", ["hard", "soft"])
def test_books_equal_a_plain_loop_over_single_environments(kind: Any, rule: str) -> None:
    seeds = [3, 11, 4]
    rows = evaluate(kind, "routerbench", seeds, budget_rule=rule, **TIGHT)
    env_id = getattr(kind, "env_id", "StageRouteContinuous-v0")
    assert rows["seed"].to_list() == seeds
    assert rows["env_id"].to_list() == [env_id] * 3
    for row in rows.iter_rows(named=True):
        books = by_hand(kind(None), env_id, row["seed"], budget_rule=rule, **TIGHT)
        served = books["t"] - books["declined"]
        values = books["world"].stage_values
        assert row["score"] == pytest.approx(books["score"], abs=1e-9)
        assert row["spend"] == books["spend"]
        assert row["decisions"] == books["decisions"]
        assert row["served"] == served
        assert row["declined"] == books["declined"]
        assert row["unserved"] == 300 - served
        assert row["invalid_actions"] == books["invalid_actions"]
        assert row["activations"] == books["activations"]
        assert row["regret"] == pytest.approx(books["regret"], abs=1e-9)
        assert row["score_over_stage_oracle"] == pytest.approx(
            books["score"] / (books["world"].problem.stage_lengths @ values)
        )
    early = rows["unserved"] > rows["declined"]
    assert early.any() == (rule == "hard")
    # Rows end at different steps, so those that are over have been restarted meanwhile.
    assert rows["decisions"].n_unique() > 1 or rule == "soft"


def test_an_agent_hears_of_every_start_of_an_episode() -> None:
    agent = Recorder(None)
    evaluate(agent, "routerbench", [3, 11, 4], **TIGHT)
    starts, progress = np.array(agent.starts), np.array(agent.progress)
    assert starts[0].all()
    assert starts[1:].any()
    # An observation without progress belongs to the deploy phase of an episode's first stage,
    # or to its first query.
    assert (progress[starts] == 0).all()
    assert (progress[:-1][starts[1:]] > 0).all()


def test_the_order_and_grouping_of_seeds_leave_an_agent_without_draws_alone() -> None:
    together = evaluate(Even, "routerbench", [0, 1, 2], **TIGHT)
    alone = pl.concat([evaluate(Even, "routerbench", [s], **TIGHT) for s in (2, 0, 1)])
    assert together.equals(alone.sort("seed"))


def test_an_agent_with_draws_repeats_them_for_the_same_seeds() -> None:
    first = evaluate(Shares, "routerbench", [0, 1], **SHORT)
    assert first.equals(evaluate(Shares, "routerbench", [0, 1], **SHORT))
    assert first["agent"][0] == "players:Shares"


def test_the_agents_seed_is_what_it_always_was() -> None:
    assert agent_seed("routerbench", "uniform") == 6396576844675016191


@pytest.mark.parametrize("given", ["players:Even", Even, Even(None, share=0.25)])
def test_agents_come_by_name_as_classes_and_as_objects(given: Any) -> None:
    rows = evaluate(given, "routerbench", [0], **SHORT)
    assert rows["agent"].to_list() == ["players:Even"]


def test_parameters_reach_the_agent_and_the_rows() -> None:
    rows = evaluate("players:Even", "routerbench", [0], agent_parameters={"share": 0.25}, **SHORT)
    assert json.loads(rows["agent_parameters"][0]) == {"share": 0.25}


def test_a_scenario_object_is_what_its_overrides_are() -> None:
    scenario = scenarios.get("routerbench", features="task", **TIGHT)
    by_name = evaluate(Even, "routerbench", [0], features="task", **TIGHT)
    assert evaluate(Even, scenario, [0]).equals(by_name)


def test_timings_count_every_decision_and_stay_out_of_the_rows() -> None:
    played = play(Even, "routerbench", [3, 11, 4], **TIGHT)
    rows, timing = played.episodes, played.timing
    assert timing.decisions == 3 * rows["decisions"].max()  # type: ignore[operator]
    assert timing.agent_microseconds > 0
    assert timing.env_microseconds > 0
    assert not [column for column in rows.columns if "micro" in column or "time" in column]


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("agent", {"agent": "players:Evn"}),
        ("agent", {"agent": "stagerout"}),
        ("agent", {"agent": "no_such_module:Agent"}),
        ("scenario", {"scenario": "routerbensh"}),
        ("seeds", {"seeds": []}),
        ("seeds", {"seeds": [0, 0]}),
        ("seeds", {"seeds": [-1]}),
        ("seeds", {"seeds": [0.5]}),
        ("seeds", {"seeds": "12"}),
        ("env_id", {"env_id": "StageRoute-v1"}),
        ("budget", {"budget": float("nan")}),
        ("budget", {"budget": 0}),
        ("num_stages", {"num_stages": 301}),
        ("throughput", {"throughput": 1.5}),
        ("argument", {"budgt": 1e-4}),
        ("agent_parameters", {"agent": Even(None), "agent_parameters": {"share": 1.0}}),
    ],
)
def test_bad_input_is_named(field: str, arguments: dict[str, Any]) -> None:
    given = {"agent": Even, "scenario": "routerbench", "seeds": [0], **SHORT, **arguments}
    with pytest.raises(FieldError) as caught:
        evaluate(given.pop("agent"), given.pop("scenario"), given.pop("seeds"), **given)
    assert caught.value.field == field


@pytest.mark.parametrize("agent", quick_ones(DRAWING, "thompson-lp"))
@pytest.mark.parametrize("env_id", ["StageRoute-v0", "StageRouteContinuous-v0"])
def test_an_episode_is_the_same_whichever_others_run_beside_it(agent: str, env_id: str) -> None:
    together = evaluate(agent, "routerbench", [0, 1, 2], env_id=env_id, horizon=200)
    alone = evaluate(agent, "routerbench", [2], env_id=env_id, horizon=200)
    assert alone.equals(together.filter(pl.col("seed") == 2))


def test_a_world_for_each_seed_is_measured_by_its_own_oracles() -> None:
    seeds = [4, 9, 2]
    rows = evaluate("stageroute", SCENARIO, seeds)
    assert rows["horizon_oracle"].n_unique() == 3
    for row, seed in zip(rows.iter_rows(named=True), seeds, strict=True):
        alone = evaluate("stageroute", SCENARIO.of_seed(seed), [seed])
        assert alone.row(0, named=True) == row
        oracle = oracle_total(SCENARIO.world(seed), "horizon")
        assert row["horizon_oracle"] == oracle
    # Oracles know the world of each seed.
    best = evaluate("horizon-oracle", SCENARIO, range(12))
    assert best["score_over_horizon_oracle"].mean() > rows["score_over_horizon_oracle"].mean()


def test_a_single_environment_agrees_with_the_evaluation_in_a_world_for_each_seed() -> None:
    rows = evaluate(Even, SCENARIO, [5, 6])
    for row in rows.iter_rows(named=True):
        books = by_hand(Even(None), "StageRouteContinuous-v0", row["seed"], scenario=SCENARIO)
        assert row["score"] == pytest.approx(books["score"], abs=1e-9)
        assert row["spend"] == books["spend"]
        assert books["world"] is SCENARIO.world(row["seed"])
