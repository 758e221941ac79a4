from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stageroute_agents.sb3.cloning import score_of
from stageroute_agents.sb3.files import AgentFile
from stageroute_agents.sb3.generalist import (
    MOST_MODELS,
    new_policy,
    train_generalist,
    training_tables,
    validate,
    world,
)
from stageroute_agents.sb3.networks import PlayedScorer
from stageroute_agents.sb3.planned import planned_space
from stageroute_agents.sb3.randomised import NUM_MODELS, random_scenario
from stageroute_agents.sb3.teacher import Teacher

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation import evaluate
from stageroute_gym.optimize import horizon_oracle, route_lp
from stageroute_gym.oracles import oracles_of
from stageroute_gym.vector import StageRouteContinuousVectorEnv
from stageroute_gym.wrappers.shares import LIMIT, logit_space

SEEDS = range(40)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The agent file of a short training."""
    folder = tmp_path_factory.mktemp("generalist") / "run"
    return train_generalist(folder, rounds=10, scenarios=12, episodes=1, show_progress=False)


def test_random_scenarios_repeat_under_one_seed_and_differ_under_another() -> None:
    assert [random_scenario(seed) for seed in SEEDS] == [random_scenario(seed) for seed in SEEDS]
    worlds = [random_scenario(seed).world() for seed in SEEDS]
    assert len({world.problem.budget for world in worlds}) == len(SEEDS)
    again = random_scenario(0).workload.build(random_scenario(0).problem)[0]
    np.testing.assert_array_equal(worlds[0].table.score, again.score)


def test_random_scenarios_can_serve_every_query_and_cover_what_they_say() -> None:
    models, affordable, withdrawn = [], [], []
    for seed in SEEDS:
        world = random_scenario(seed).world()
        problem, offered = world.problem, world.schedule.available
        assert world.num_models == NUM_MODELS
        caps = np.sort(np.where(offered, world.throughput, 0.0), axis=1)
        assert (caps[:, -problem.max_deployed :].sum(axis=1) >= 1 - 1e-9).all()
        models.append(int(offered.any(axis=0).sum()))
        affordable.append(float(oracles_of(world).stage.feasible.mean()))
        withdrawn.append(bool((np.diff(offered.astype(int), axis=0) < 0).any()))
    assert min(models) <= 5
    assert max(models) >= 25
    assert np.mean(affordable) > 0.8
    assert 0.1 < np.mean(withdrawn) < 0.5


def test_training_meets_neither_the_suite_nor_the_validation() -> None:
    suite = {f"worlds-tune-{number}" for number in range(48 + 64)}
    names = [table.env.unwrapped.scenario.name for table in training_tables(1_000_000, 8, 1)]
    assert sum(name.startswith("worlds-tune-") for name in names) == 6
    assert sum(name.startswith("random-") for name in names) == 2
    assert not suite & set(names)
    assert all(world(number).problem.horizon <= 20_000 for number in range(48))


def test_rows_for_more_models_change_no_score() -> None:
    policy = new_policy(0)
    (table,) = training_tables(1_000_001, 1, 3)
    n = table.features.num_models
    assert n < MOST_MODELS
    for _ in range(2):
        narrow, wide = table.features(table.observation), table.rows
        weights = {name: tensor.numpy() for name, tensor in policy.state_dict().items()}
        player = PlayedScorer(weights, planned_space(n), logit_space(n), {"planned": True})
        logits, _ = policy.predict(wide, deterministic=True)
        np.testing.assert_allclose(player.outputs(narrow), logits[:, :n], rtol=0, atol=1e-5)
        assert (logits[:, n:] == -LIMIT).all()
        table.step(logits)


def test_teacher_buys_the_most_score_where_the_budget_cannot_serve_all() -> None:
    env = StageRouteContinuousVectorEnv(1, scenario=world(51))
    assert not oracles_of(env.world).stage.feasible[0]
    teacher, caps = Teacher(env.agent_context, world=env.world), env.world.throughput
    observation, _ = env.reset(seed=0)
    observation, *_ = env.step(teacher.advise(observation)[0])
    weights, losses = teacher.advise(observation)
    means = env.world.mean_score[:1], env.world.mean_cost[:1]
    deployed = observation["deployed"] > 0
    plan = horizon_oracle(*means, deployed, [1.0], env.problem.budget, caps, len(caps))
    assert plan.weights.sum() < 1
    np.testing.assert_allclose(weights, plan.weights / plan.weights.sum(), rtol=0, atol=1e-5)
    assert (losses[0][deployed[0] & (plan.weights[0] == 0)] > 0).all()


def test_teacher_advises_the_mixture_of_the_true_means_at_the_pace() -> None:
    env = StageRouteContinuousVectorEnv(2, scenario=random_scenario(3))
    teacher = Teacher(env.agent_context, world=env.world)
    observation, _ = env.reset(seed=0)
    observation, *_ = env.step(np.ones((2, NUM_MODELS), np.float32))
    for _ in range(50):
        observation, *_ = env.step(np.ones((2, NUM_MODELS), np.float32))
    advice, losses = teacher.advise(observation)
    world, problem = env.world, env.problem
    for row in range(2):
        left = problem.total_budget * float(observation["budget_left"][row, 0])
        pace = left / (problem.horizon - 50)
        caps = world.throughput * observation["deployed"][row]
        # A model that scores and costs nothing: a query that is declined.
        score, cost, room = (
            np.append(part, end)
            for part, end in ((world.mean_score[0], 0), (world.mean_cost[0], 0), (caps, 1))
        )
        shares = route_lp(score, cost, pace, room).probabilities[:-1]
        np.testing.assert_allclose(advice[row], shares / shares.sum(), rtol=0, atol=1e-5)
        used = shares > 0
        # At the price, no model of the mixture below its throughput loses anything.
        inside = used & (shares < caps - 1e-9)
        assert inside.any()
        assert losses[row].min() >= 0
        assert (losses[row][~used & (caps > 0)] > 0).all()


@pytest.mark.slow
def test_short_training_beats_the_untrained_policy(trained: Path) -> None:
    untrained = new_policy(0).mlp_extractor.actor
    before = score_of(untrained, training_tables(0, 16, 1))
    after = validate(trained, scenarios=16, episodes=1)
    assert after > before + 0.1


@pytest.mark.slow
def test_it_plays_scenarios_that_it_never_saw(trained: Path) -> None:
    scores = [
        evaluate(agent, "routerbench-tight", [0, 1], horizon=2_000, num_stages=4)["score"].sum()
        for agent in (str(trained), "uniform")
    ]
    assert scores[0] > 1.2 * scores[1]


def test_same_seed_gives_the_same_file(tmp_path: Path) -> None:
    short: dict[str, Any] = {"rounds": 1, "scenarios": 2, "episodes": 1, "show_progress": False}
    first, second, other = (
        train_generalist(tmp_path / name, seed=seed, **short)
        for name, seed in (("first", 1), ("second", 1), ("other", 2))
    )
    assert first.read_bytes() == second.read_bytes()
    weights, others = AgentFile(first).weights, AgentFile(other).weights
    assert any((weights[name] != others[name]).any() for name in weights)


@pytest.mark.slow
def test_file_holds_plain_arrays_and_says_what_it_was_trained_on(trained: Path) -> None:
    with zipfile.ZipFile(trained) as archive:
        description = json.loads(archive.read("agent.json"))
        assert sorted(archive.namelist()) == ["agent.json", "weights.npz"]
    assert description["scenario"] == {
        "name": "worlds-tune,random",
        "method": "cloning",
        "seed": 0,
        "rounds": 10,
        "scenarios": 12,
        "episodes": 1,
    }
    assert all(array.dtype.kind == "f" for array in AgentFile(trained).weights.values())


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"rounds": 0}, "rounds"),
        ({"rounds": 10**7}, "rounds"),
        ({"scenarios": 2.5}, "scenarios"),
        ({"episodes": True}, "episodes"),
        ({"seed": -1}, "seed"),
        ({"seed": 900}, "seed"),
    ],
)
def test_bad_input_is_named(change: dict[str, Any], field: str, tmp_path: Path) -> None:
    with pytest.raises(FieldError, match=field):
        train_generalist(tmp_path / "run", **change)
    assert not (tmp_path / "run").exists()


def test_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "agent.sragent").touch()
    with pytest.raises(FieldError, match="folder"):
        train_generalist(tmp_path)
