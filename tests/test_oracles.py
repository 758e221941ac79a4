from __future__ import annotations

import dataclasses
import math
import os
import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rational import best_value
from scaled_worlds import worlds_of_every_scale

import stageroute_gym  # noqa: F401
from stageroute_gym import scenarios
from stageroute_gym.errors import FieldError
from stageroute_gym.optimize.assignment import assign
from stageroute_gym.oracles import (
    ORACLES,
    full_service_budget,
    oracle_score,
    oracle_total,
    oracles_of,
    realised,
    realised_rows,
    servable_share,
)
from stageroute_gym.problem import Problem
from stageroute_gym.simulator.arrays import ROW
from stageroute_gym.simulator.world import World
from stageroute_gym.workloads import OutcomeTable, Schedule

# Of the assignments' solver, relative.
TOLERANCE = 1e-7
EXAMPLES = settings(deadline=None, max_examples=60)


@st.composite
def worlds(draw) -> World:
    """Small worlds of every kind: mixes, prices, arrivals, caps, budgets."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows, models = draw(st.integers(1, 12)), draw(st.integers(1, 5))
    stages, tasks = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    # Coarse scores and free models make ties; caps of 0.5 and 1 often serve every query.
    table = OutcomeTable(
        models=tuple("abcde"[:models]),
        score=rng.integers(0, 5, (rows, models)) / 4,
        cost=rng.integers(0, 9, (rows, models)) * rng.choice([1.0, 1e-4]),
        task=rng.integers(0, tasks, rows),
        task_names=tuple("xyz"[:tasks]),
    )
    mixes = rng.random((stages, rows)) * (rng.random((stages, rows)) < 0.7) + 1e-3
    schedule = Schedule(
        mixes=mixes / mixes.sum(axis=1, keepdims=True),
        stage_mix=rng.integers(0, stages, stages),
        cost_multiplier=rng.choice([0.1, 1.0, 2.0], (stages, models)),
        available=rng.random((stages, models)) < 0.8,
    )
    largest = max(table.cost.max(), 1e-6)
    problem = Problem(
        horizon=draw(st.integers(stages, 60)),
        num_stages=stages,
        max_deployed=draw(st.integers(1, 3)),
        budget=float(largest * rng.choice([0.05, 0.3, 0.6, 1.0])),
        throughput=tuple(rng.choice([0.2, 0.5, 1.0, 1.0], models).tolist()),
    )
    return World(problem, table, schedule)


def check_order(world: World) -> None:
    score = {oracle: oracle_score(world, oracle) for oracle in ORACLES}
    more, slightly = 1 + TOLERANCE, 1 + 1e-10
    pool = oracles_of(world).horizon_bound.value / world.problem.horizon
    assert score["stage"] <= score["horizon"] * slightly
    assert score["horizon"] <= pool * slightly
    assert score["pool"] <= pool * slightly
    assert pool <= score["task"] * more
    assert score["task"] <= score["query"] * more
    assert score["query"] <= more


@EXAMPLES
@given(worlds())
def test_order(world):
    check_order(world)


@EXAMPLES
@given(worlds(), st.integers(0, 1000))
def test_order_in_hindsight(world, seed):
    check_order(realised(world, seed))


@EXAMPLES
@given(worlds_of_every_scale())
def test_order_at_every_scale(world):
    check_order(world)
    plan = oracles_of(world).stage
    spend = (plan.weights * world.mean_cost).sum(axis=1)
    assert (spend <= world.problem.budget * (1 + 1e-11)).all()
    if servable_share(world) == 1 and world.problem.budget < math.inf:
        assert world.problem.budget >= full_service_budget(world)


@EXAMPLES
@given(worlds_of_every_scale())
def test_the_horizon_oracle_is_exact_at_every_scale(world):
    problem = world.problem
    arguments = (
        world.mean_score,
        world.mean_cost,
        world.schedule.available,
        problem.stage_lengths,
        problem.budget,
        world.throughput,
    )
    oracles = oracles_of(world)
    best = best_value(*arguments, problem.max_deployed)
    assert oracles.horizon.value == pytest.approx(best, rel=1e-10, abs=0.0)
    best = best_value(*arguments, world.num_models)
    assert oracles.horizon_bound.value == pytest.approx(best, rel=1e-10, abs=0.0)
    # Told nothing of its tasks, the task oracle is the horizon oracle without M_max.
    blind = dataclasses.replace(
        world.table, task=np.zeros(world.table.num_queries, np.int64), task_names=("all",)
    )
    task = oracle_total(World(problem, blind, world.schedule), "task")
    assert task == pytest.approx(best, rel=TOLERANCE, abs=0.0)
    ones = np.ones_like(world.mean_score)
    served = best_value(ones, *arguments[1:], problem.max_deployed) / problem.horizon
    assert servable_share(world) == pytest.approx(served, rel=1e-10, abs=0.0)


TRUTH = """
import hashlib, sys
from stageroute_gym import scenarios
from stageroute_gym.oracles import oracle_total, oracles_of
digest = hashlib.sha256()
for name in ("drift", "per-task"):
    world = scenarios.get(name, horizon=3000).world()
    means = oracles_of(world).task_means
    for part in (world.mean_score, world.mean_cost, world.stage_values, *means):
        digest.update(part.tobytes())
    for oracle in ("stage", "pool", "horizon", "task"):
        digest.update(oracle_total(world, oracle).hex().encode())
print(digest.hexdigest())
"""


@pytest.mark.slow
def test_the_truth_does_not_depend_on_the_threads_of_blas():
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    truths = {
        subprocess.run(
            [sys.executable, "-c", TRUTH],
            env=os.environ | dict.fromkeys(names, threads),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    }
    assert len(truths) == 1
    assert len(truths.pop().strip()) == 64


@pytest.mark.parametrize(
    "name", [*scenarios.suite("quick").scenarios, "paper", "many-models", "drift"]
)
def test_order_of_the_scenarios(name):
    world = scenarios.get(name).world()
    assert oracles_of(world).stage.feasible.all()
    score = {oracle: oracle_score(world, oracle) for oracle in ORACLES[:-1]}
    assert score["stage"] <= score["pool"] + TOLERANCE <= score["task"] + 2 * TOLERANCE
    assert score["stage"] <= score["horizon"] + TOLERANCE <= score["task"] + 2 * TOLERANCE


@EXAMPLES
@given(worlds())
def test_plans_respect_every_limit(world):
    lengths = world.problem.stage_lengths
    plan = oracles_of(world).task
    served = lengths[:, None, None] * oracles_of(world).task_means.share[:, :, None] * plan.shares
    assert (plan.shares >= -1e-9).all()
    assert (plan.shares.sum(axis=2) <= 1 + TOLERANCE).all()
    caps = lengths[:, None] * world.throughput * world.schedule.available
    assert (served.sum(axis=1) <= caps + TOLERANCE * world.problem.horizon).all()
    spend = (served * oracles_of(world).task_means.cost).sum()
    assert spend == pytest.approx(plan.spend, abs=1e-9)
    assert spend <= world.problem.total_budget * (1 + TOLERANCE)
    assert (served * oracles_of(world).task_means.score).sum() == pytest.approx(
        plan.value, abs=1e-9
    )
    assert plan.price >= -1e-9


@EXAMPLES
@given(worlds())
def test_task_means_add_up(world):
    share = oracles_of(world).task_means.share
    np.testing.assert_allclose(share.sum(axis=1), 1)
    for of_task, mean in (
        (oracles_of(world).task_means.score, world.mean_score),
        (oracles_of(world).task_means.cost, world.mean_cost),
    ):
        np.testing.assert_allclose((share[:, :, None] * of_task).sum(axis=1), mean, atol=1e-12)


@EXAMPLES
@given(worlds())
def test_a_single_task_is_the_horizon_oracle_without_slots(world):
    table = OutcomeTable(
        models=world.table.models,
        score=world.table.score,
        cost=world.table.cost,
        task=np.zeros(world.table.num_queries, np.int64),
        task_names=("all",),
    )
    pool = World(world.problem.replace(max_deployed=5), table, world.schedule)
    assert oracle_score(pool, "task") == pytest.approx(oracle_score(pool, "horizon"), abs=TOLERANCE)


def two_tasks(**changes) -> World:
    """Model a is right on task x and costs 1, model b on task y and costs 3; five queries each."""
    table = OutcomeTable(
        models=("a", "b"),
        score=np.array([[1.0, 0.0], [0.0, 1.0]]),
        cost=np.array([[1.0, 3.0], [1.0, 3.0]]),
        task=np.array([0, 1]),
        task_names=("x", "y"),
    )
    fields = {"horizon": 10, "num_stages": 1, "max_deployed": 1, "budget": 1.4}
    problem = Problem(**(fields | changes))
    return World(problem, table, Schedule.stationary(table, np.ones((1, 2), bool)))


def test_by_hand():
    # Blind to tasks each model is right on half. Told the task: five queries to a for 5 USD, the
    # other 9 USD for three queries to b: 8 of 10. The price of a score is 3 USD.
    world = two_tasks()
    assert oracle_score(world, "stage") == pytest.approx(0.5)
    assert oracle_score(world, "pool") == pytest.approx(0.5)
    assert oracle_score(world, "horizon") == pytest.approx(0.5)
    assert oracle_score(world, "task") == pytest.approx(0.8)
    assert oracle_score(world, "query") == pytest.approx(0.8)
    plan = oracles_of(world).task
    np.testing.assert_allclose(plan.shares, [[[1, 0], [0, 0.6]]], atol=1e-9)
    assert plan.price == pytest.approx(1 / 3)
    assert plan.spend == pytest.approx(14)


def test_throughput_by_hand():
    # At most 3 queries to a, with 11 USD left for b: three and two thirds.
    world = two_tasks(throughput=(0.3, 1.0))
    assert oracle_score(world, "task") == pytest.approx((3 + 11 / 3) / 10)


def test_slots_bind_by_hand():
    # One slot, 2 USD a query: only a is affordable alone; the pool mixes half of each.
    base = two_tasks()
    table = OutcomeTable(
        models=base.table.models,
        score=np.array([[0.2, 1.0], [0.2, 1.0]]),
        cost=base.table.cost,
        task=base.table.task,
        task_names=base.table.task_names,
    )
    world = World(base.problem.replace(budget=2.0), table, base.schedule)
    assert oracle_score(world, "stage") == pytest.approx(0.2)
    assert oracle_score(world, "pool") == pytest.approx(0.6)
    # With one slot it may decline: b on two queries of three.
    assert oracle_score(world, "horizon") == pytest.approx(2 / 3)
    # With both as well: a USD spent on b scores 1/3, on a 1/5.
    assert oracle_score(world, "task") == pytest.approx(2 / 3)


def test_nothing_on_offer():
    plan = assign(
        np.ones((2, 1)), np.ones((2, 1)), np.ones(2), np.zeros(2, np.int64), np.zeros((1, 1)), 1.0
    )
    assert plan.value == 0
    assert (plan.shares == 0).all()


@pytest.mark.parametrize("name", ["routerbench", "regression", "drift"])
def test_realised_rows_are_those_of_the_environment(name):
    env = gym.make("StageRoute-v0", scenario=name, horizon=440, budget=1.0)
    env.reset(seed=7)
    game = env.unwrapped
    met, over, t = [], False, 0
    while not over:
        mask = game.action_masks()
        before = t
        row = game._episodes.state.counters[0, ROW]
        _, _, over, _, info = env.step(int(mask.argmax()))
        t = info["t"]
        if t > before:
            met.append(row)
    np.testing.assert_array_equal(realised_rows(game.world, 7), met)
    lengths = game.world.problem.stage_lengths
    mixes = realised(game.world, 7).schedule.mixes
    np.testing.assert_allclose((mixes * lengths[:, None]).sum(), 440)
    assert (mixes[0] > 0).sum() == len(set(met[: lengths[0]]))


@pytest.mark.parametrize("continuous", [False, True])
def test_no_episode_beats_the_query_oracle_in_hindsight(continuous):
    env_id = "StageRouteContinuous-v0" if continuous else "StageRoute-v0"
    env = gym.make(env_id, scenario="routerbench", horizon=440, throughput=1.0)
    world, game = env.unwrapped.world, env.unwrapped
    for seed in range(5):
        observation, _ = env.reset(seed=seed)
        best = oracles_of(realised(world, seed)).query.value
        total, over = 0.0, False
        while not over:
            # A cheat: it sees the outcomes of the query, and takes the best per USD.
            allowed = observation["action_mask"][:-1] > 0
            row = game._episodes.state.counters[0, ROW]
            worth = world.table.score[row] - best / 440 * 500 * world.table.cost[row]
            if observation["phase"][0] == 0:
                worth = world.mean_score[0] + 1 - 100 * world.mean_cost[0]
            if continuous:
                action = np.where(allowed, worth - worth.min() + 0.1, -1)
                keep = action == action.max() if observation["phase"][0] else action > 0
                action = np.clip(np.where(keep, action, -1), -1, 1).astype(np.float32)
            else:
                action = int(np.where(allowed, worth, -np.inf).argmax())
                if not allowed.any():
                    action = world.num_models
            observation, reward, over, _, _ = env.step(action)
            total += reward
        assert 0 < total <= best + 1


def test_hindsight_expects_no_more_than_the_mean_world():
    # The value is concave in what comes, so the mean over seeds stays below that of the mean mix.
    world = scenarios.get("routerbench", horizon=200, num_stages=2, num_queries=300).world()
    values = [oracles_of(realised(world, seed)).query.value for seed in range(40)]
    error = np.std(values) / np.sqrt(len(values))
    assert np.mean(values) <= oracles_of(world).query.value + 3 * error


@pytest.mark.slow
@pytest.mark.parametrize("name", ["paper", "price-cut", "drift"])
def test_a_thousand_stages(name):
    # Finer stages only help a plan made in advance, and the bound without M_max stays above.
    coarse, fine = (scenarios.get(name, num_stages=stages).world() for stages in (100, 1000))
    value = oracle_score(fine, "horizon")
    assert value <= oracles_of(fine).horizon_bound.value / fine.problem.horizon * (1 + 1e-12)
    if name == "price-cut":  # both have an update point where the price changes
        assert value >= oracle_score(coarse, "horizon") * (1 - 1e-10)
    assert value > 0.99 * oracle_score(coarse, "horizon")


def test_unknown_oracle():
    with pytest.raises(FieldError, match="oracle = 'tasks': expected 'task'"):
        oracle_score(two_tasks(), "tasks")


def test_budgets_that_cannot_serve_every_query_by_hand():
    # The cheapest mixture: 0.3 of all queries to a for 1 USD each, the others to b for 3 USD.
    world = two_tasks(throughput=(0.3, 1.0), max_deployed=2)
    assert full_service_budget(world) == pytest.approx(0.3 * 1 + 0.7 * 3)
    # 1.4 USD a query: 0.3 to a, the other 1.1 USD buy 1.1 / 3 queries of b.
    assert servable_share(world) == pytest.approx(0.3 + 1.1 / 3)
    enough = two_tasks(throughput=(0.3, 1.0), max_deployed=2, budget=full_service_budget(world))
    assert servable_share(enough) == 1
    # One slot: b alone serves all; a alone serves 0.3, b for 1.4 USD a query 1.4 / 3.
    single = two_tasks(throughput=(0.3, 1.0))
    assert full_service_budget(single) == pytest.approx(3)
    assert servable_share(single) == pytest.approx(1.4 / 3)
    # Throughput that does not add up to 1 serves all at no price.
    short = two_tasks(throughput=(0.3, 0.5), max_deployed=2, budget=100.0)
    assert full_service_budget(short) == math.inf
    assert servable_share(short) == pytest.approx(0.8)


@pytest.mark.parametrize("budget", [6e-5, 3e-5, 1e-9])
def test_no_oracle_overspends_where_the_budget_serves_too_few(budget):
    world = scenarios.get("routerbench", budget=budget, horizon=500).world()
    assert servable_share(world) < 1
    assert budget < full_service_budget(world) < 1e-4
    plan = oracles_of(world).stage
    assert ((plan.weights * world.mean_cost).sum(axis=1) <= budget * (1 + 1e-9)).all()
    assert 0 < oracle_score(world, "stage") <= oracle_score(world, "horizon") * (1 + 1e-9)
