from __future__ import annotations

import itertools
import json

import gymnasium as gym
import numpy as np
import pytest

import stageroute_gym  # noqa: F401
from stageroute_gym import scenarios
from stageroute_gym.errors import FieldError
from stageroute_gym.optimize import stage_oracle
from stageroute_gym.oracles import oracles_of

CHANGES = scenarios.suite("changes").scenarios
YI, GPT4 = "zero-one-ai/Yi-34B-Chat", "gpt-4-1106-preview"
# Half of 10,000 queries: stage 11 begins at 5,000; 40 % and 60 %: stages 9 and 14.
HALFWAY = 11


def world_of(name: str, **overrides):
    world = scenarios.get(name, **overrides).world()
    return world, {model: place for place, model in enumerate(world.table.models)}


@pytest.mark.parametrize("name", CHANGES)
def test_every_scenario_is_affordable_in_every_stage(name):
    world, _ = world_of(name)
    problem = world.problem
    assert problem.horizon == 10_000
    assert len(problem.stage_lengths) == 22
    assert oracles_of(world).stage.feasible.all()
    served = oracles_of(world).stage.weights.sum(axis=1)
    np.testing.assert_allclose(served, 1)
    spend = (oracles_of(world).stage.weights * world.mean_cost).sum(axis=1)
    assert (spend <= problem.budget * (1 + 1e-9)).all()
    assert ((oracles_of(world).stage.weights > 0).sum(axis=1) <= problem.max_deployed).all()


@pytest.mark.parametrize("name", CHANGES)
def test_every_scenario_is_the_same_each_time(name):
    scenario = scenarios.get(name)
    (first, _), (again, _) = (scenario.workload.build(scenario.problem) for _ in range(2))
    np.testing.assert_array_equal(first.score, again.score)
    np.testing.assert_array_equal(first.cost, again.cost)
    json.dumps(scenario.to_dict())


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("env_id", ["StageRoute-v0", "StageRouteContinuous-v0"])
def test_a_short_rollout(name, env_id):
    env = gym.make(env_id, scenario=name, horizon=220)
    assert env.spec is not None
    remade = gym.make(gym.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    rewards = []
    for game in (env, remade):
        rng = np.random.default_rng(0)
        observation, _ = game.reset(seed=1)
        total, over = 0.0, False
        while not over:
            if env_id == "StageRoute-v0":
                action = rng.choice(np.flatnonzero(observation["action_mask"]))
            else:
                action = rng.random(game.action_space.shape, dtype=np.float32)
            observation, reward, over, _, info = game.step(action)
            total += reward
        assert info["stage"] > 0
        assert total > 0
        rewards.append(total)
    assert rewards[0] == rewards[1]


def test_drift():
    world, _ = world_of("drift")
    names = [
        world.table.task_names[task] for task in oracles_of(world).task_means.share.argmax(axis=1)
    ]
    order = list(dict.fromkeys(names))
    assert order == ["arc", "gsm8k", "hellaswag", "winogrande", "mmlu"]
    assert names == sorted(names, key=order.index)
    assert oracles_of(world).task_means.share.max(axis=1).min() > 0.4
    best = world.mean_score.argmax(axis=1)
    # What is worth its price changes, though the best model hardly does.
    assert len({tuple(row) for row in oracles_of(world).stage.weights > 0}) >= 5
    assert (best == world.table.models.index(GPT4)).any()
    steps, _ = world_of("drift", shape="steps")
    assert len(steps.schedule.mixes) == 5


def test_regression():
    world, place = world_of("regression")
    yi, like = place[YI], place["meta/llama-2-70b-chat"]
    assert (oracles_of(world).stage.weights[:HALFWAY, yi] > 0.39).all()
    assert (oracles_of(world).stage.weights[HALFWAY:, yi] == 0).all()
    np.testing.assert_allclose(
        world.mean_score[HALFWAY:, yi], world.mean_score[0, like], atol=1e-12
    )
    others = np.delete(world.mean_score, yi, axis=1)
    np.testing.assert_allclose(others, others[:1].repeat(22, axis=0), atol=1e-12)
    np.testing.assert_allclose(world.mean_cost, world.mean_cost[:1].repeat(22, axis=0))


def test_price_cut():
    world, place = world_of("price-cut")
    gpt4 = place[GPT4]
    assert world.mean_score[0].argmax() == gpt4
    np.testing.assert_allclose(world.mean_cost[HALFWAY:, gpt4], world.mean_cost[0, gpt4] / 10)
    np.testing.assert_allclose(world.mean_cost[:HALFWAY, gpt4], world.mean_cost[0, gpt4])
    assert (oracles_of(world).stage.weights[:HALFWAY, gpt4] < 0.1).all()
    assert (oracles_of(world).stage.weights[HALFWAY:, gpt4] > 0.39).all()
    assert world.stage_values[-1] > world.stage_values[0] + 0.05


def test_outage():
    world, place = world_of("outage")
    available = world.schedule.available[:, place[YI]]
    np.testing.assert_array_equal(np.flatnonzero(~available), np.arange(9, 14))
    assert (oracles_of(world).stage.weights[available, place[YI]] > 0.39).all()
    assert np.delete(world.schedule.available, place[YI], axis=1).all()
    earlier, _ = world_of("outage", start=0.1)
    np.testing.assert_array_equal(
        np.flatnonzero(~earlier.schedule.available[:, place[YI]]), np.arange(3, 7)
    )


def test_crowd():
    world, place = world_of("crowd")
    assert world.num_models == 31
    on_offer = world.schedule.available.sum(axis=1)
    assert on_offer.tolist() == [11] * 9 + [31] * 13
    newcomers = world.mean_score[0, 11:]
    good = place["b-1"]
    assert newcomers.argmax() + 11 == good
    assert np.sort(newcomers)[-2] < world.mean_score[0, place["claude-v1"]] < newcomers.max()
    assert (oracles_of(world).stage.weights[9:, good] > 0.39).all()
    poor = np.setdiff1d(np.arange(11, 31), [good])
    assert (oracles_of(world).stage.weights[:, poor] == 0).all()


def test_many_models():
    world, _ = world_of("many-models")
    assert world.num_models == 200
    assert world.problem.max_deployed == 16
    on_offer = world.schedule.available.sum(axis=1)
    assert on_offer[0] == 61
    assert on_offer[-1] == 200
    assert (np.diff(on_offer) >= 0).all()
    assert ((oracles_of(world).stage.weights > 0).sum(axis=1) >= 10).all()
    # The best set is not the base's: newcomers matter.
    assert (oracles_of(world).stage.weights[-1, 11:] > 0).sum() >= 5


def test_mixed_alpha():
    world, place = world_of("mixed-alpha")
    assert len(set(world.throughput)) == 7
    worth = world.mean_score[0] - 300 * world.mean_cost[0]
    assert world.throughput[np.argsort(worth)[-3:]].max() <= 0.3
    assert (oracles_of(world).stage.weights <= world.throughput + 1e-9).all()
    assert oracles_of(world).stage.weights[-1, place[YI]] == pytest.approx(0.15)
    with pytest.raises(FieldError, match="one for each of 11 models"):
        scenarios.get("mixed-alpha", throughput=(0.5, 0.5)).world()


def test_delayed():
    world, _ = world_of("delayed")
    assert world.problem.feedback_delay == 500
    env = gym.make("StageRoute-v0", scenario="delayed", horizon=1000, budget=1.0)
    observation, info = env.reset(seed=0)
    while observation["pulls"].sum() == 0:
        action = int(env.unwrapped.action_masks().argmax())
        observation, _, _, _, info = env.step(action)
    # The first query is query 0; its outcome shows when query 500 is done.
    assert info["t"] == 501


def test_sparse_feedback():
    world, _ = world_of("sparse-feedback")
    plain = scenarios.get("routerbench").world()
    np.testing.assert_allclose(world.mean_score, 0.98 * plain.mean_score, rtol=1e-12)
    env = gym.make("StageRouteContinuous-v0", scenario="sparse-feedback", budget=1.0).unwrapped
    observation, info = env.reset(seed=0)
    told = failed = 0
    cost = 0.0
    for _ in range(5000):
        observation, _, over, _, info = env.step(np.ones(11, np.float32))
        if info["model"] >= 0:
            told += observation["last_score"][0] >= 0
            failed += info["score"] == 0
            cost += info["cost"]
    assert not over
    assert told == observation["pulls"].sum()
    assert 0.08 < told / info["t"] < 0.12
    # Costs are all seen.
    assert 1 - observation["budget_left"][0] == pytest.approx(cost / 1e4, abs=1e-6)


def test_failed_calls_cost_and_score_nothing():
    """Played in one seed with and without failures: costs alike, some scores gone."""
    with_failures, without = (
        gym.make("StageRoute-v0", failure_rate=rate, horizon=400, num_stages=1, budget=1.0)
        for rate in (0.25, 0.0)
    )
    rows = []
    for env in (with_failures, without):
        observation, _ = env.reset(seed=4)
        steps = []
        for _ in range(300):
            action = int(observation["action_mask"].argmax())
            observation, _, _, _, info = env.step(action)
            steps.append((info["model"], info["cost"], info["score"]))
        rows.append(np.array(steps))
    np.testing.assert_array_equal(rows[0][:, :2], rows[1][:, :2])
    lost = rows[0][:, 2] != rows[1][:, 2]
    assert (rows[0][lost, 2] == 0).all()
    assert 0.1 < lost.sum() / (rows[1][:, 2] > 0).sum() < 0.4


@pytest.mark.parametrize("env_id", ["StageRoute-v0", "StageRouteContinuous-v0"])
def test_slow_start(env_id):
    """A model that is new in the second stage serves from the 200th of its queries on."""
    continuous = "Continuous" in env_id
    env = gym.make(env_id, scenario="slow-start", throughput=1.0, budget=1.0).unwrapped
    observation, info = env.reset(seed=0)
    sets = [(0, 1), (1, 2)]
    served = {1: [], 2: []}
    while info["stage"] < 2:
        stage = info["stage"]
        deploying = observation["phase"][0] == 0
        wanted = np.zeros(11, np.float32)
        if deploying:
            wanted[list(sets[stage])] = 1.0
            missing = [m for m in sets[stage] if not observation["deployed"][m]]
            action = wanted if continuous else (missing[0] if missing else 11)
        else:
            new = sets[stage][1]
            # The new model is asked for throughout, the old one only while the mask says so.
            ready = observation["action_mask"][new] > 0
            wanted[new if ready else sets[stage][0]] = 1.0
            action = wanted if continuous else int(wanted.argmax())
        observation, _, _, _, info = env.step(action)
        if not deploying and info["model"] == sets[stage][1]:
            served[sets[stage][1]].append(info["t"] - 1)
    second = int(env.problem.stage_bounds[1])
    assert served[1][0] == 0
    assert served[2][0] == second + 200
    assert info["declined"] == 0


def test_per_task():
    world, place = world_of("per-task")
    np.testing.assert_array_equal(world.table.features.argmax(axis=1), world.table.task)
    best = oracles_of(world).task_means.score[-1].copy()
    best[:, place[GPT4]] = 0
    assert len(set(best.argmax(axis=1))) >= 3
    # What knowing the task is worth, at the same throughput and budget.
    assert oracles_of(world).task.value > 1.08 * oracles_of(world).horizon.value


@pytest.mark.parametrize("name", ["drift", "regression", "price-cut", "outage"])
def test_no_fixed_set_will_do(name):
    world, _ = world_of(name)
    problem = world.problem
    best = 0.0
    for chosen in itertools.combinations(range(world.num_models), problem.max_deployed):
        available = np.zeros_like(world.schedule.available)
        available[:, chosen] = world.schedule.available[:, chosen]
        values, _, feasible = stage_oracle(
            world.mean_score,
            world.mean_cost,
            available,
            problem.budget,
            world.throughput,
            problem.max_deployed,
        )
        if feasible.all():
            best = max(best, float(values @ problem.stage_lengths))
    assert 0 < best < 0.985 * (world.stage_values * problem.stage_lengths).sum()


def test_overrides_reach_the_changes():
    scenario = scenarios.get("price-cut", factor=0.5, start=0.25, budget=1e-3, features="task")
    assert scenario.problem.budget == 1e-3
    world = scenario.world()
    assert world.table.features.shape[1] == 8
    gpt4 = world.table.models.index(GPT4)
    assert world.schedule.cost_multiplier[:, gpt4].tolist() == [1.0] * 6 + [0.5] * 16
    tasks = scenarios.get("drift", tasks=["mmlu", "gsm8k"])
    assert len(tasks.world().schedule.mixes) <= 22
    with pytest.raises(
        FieldError, match=r"scenario price-cut got .* argument .facto.: expected .factor."
    ):
        scenarios.get("price-cut", facto=0.5)
    with pytest.raises(FieldError, match="unexpected keyword argument 'factor'"):
        scenarios.get("routerbench", factor=0.5)
