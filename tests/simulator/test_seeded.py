from __future__ import annotations

import dataclasses
import pickle
import warnings

import gymnasium as gym
import numpy as np
import pytest
from distributions import SCENARIO, Drawn
from gymnasium.utils.env_checker import check_env
from stageroute_agents import make
from worlds import random_action, random_actions

from stageroute_gym.env import StageRouteContinuousEnv, StageRouteEnv
from stageroute_gym.errors import FieldError
from stageroute_gym.vector import StageRouteContinuousVectorEnv, StageRouteVectorEnv
from stageroute_gym.workloads import Changing, OutcomeTable, PriceChange

KINDS = [
    (StageRouteEnv, StageRouteVectorEnv),
    (StageRouteContinuousEnv, StageRouteContinuousVectorEnv),
]


def test_a_seed_has_its_world_and_it_is_the_same_each_time():
    first, again, other = (SCENARIO.world(seed) for seed in (3, 3, 4))
    assert first is again
    assert (first.mean_score != other.mean_score).any()
    assert first.cost_bounds == other.cost_bounds == (0.0, 2.0)
    pinned = SCENARIO.of_seed(3)
    assert not pinned.per_seed
    np.testing.assert_array_equal(pinned.world(99).table.score, first.table.score)
    assert pinned.override(skew=2.0).workload.base == Drawn(skew=2.0)
    assert pinned.to_dict()["workload"]["seed"] == 3


@pytest.mark.parametrize("kind", [StageRouteEnv, StageRouteContinuousEnv])
def test_reset_enters_the_world_of_its_seed(kind):
    env = kind(scenario=SCENARIO)
    for seed in (5, 6, 5):
        env.reset(seed=seed)
        assert env.world is SCENARIO.world(seed)
    worlds = []
    for _ in range(2):
        env.reset(seed=5)
        env.reset()
        worlds.append(env.world)
        env.reset()
        worlds.append(env.world)
    assert (worlds[0].mean_score != worlds[1].mean_score).any()
    np.testing.assert_array_equal(worlds[0].mean_score, worlds[2].mean_score)
    np.testing.assert_array_equal(worlds[1].mean_score, worlds[3].mean_score)


@pytest.mark.parametrize("kind", [StageRouteEnv, StageRouteContinuousEnv])
def test_an_episode_is_that_of_the_seeds_world_alone(kind):
    drawn, pinned = kind(scenario=SCENARIO), kind(scenario=SCENARIO.of_seed(8))
    rng = np.random.default_rng(0)
    outcomes = [env.reset(seed=8) for env in (drawn, pinned)]
    terminated = False
    while not terminated:
        for ours, theirs in zip(*[list(outcome[0].values()) for outcome in outcomes], strict=True):
            np.testing.assert_array_equal(ours, theirs)
        assert outcomes[0][-1] == outcomes[1][-1]
        mask = drawn.action_masks()
        action = random_action(rng, mask, continuous=drawn.continuous, lawless=0.1)
        outcomes = [env.step(action) for env in (drawn, pinned)]
        terminated = outcomes[0][2]


@pytest.mark.parametrize(("single", "vector"), KINDS)
def test_the_vector_environment_equals_single_ones_over_many_episodes(single, vector):
    many = vector(3, scenario=SCENARIO)
    ones = [single(scenario=SCENARIO) for _ in range(3)]
    observations, infos = many.reset(seed=11)
    rows = [env.reset(seed=11 + row) for row, env in enumerate(ones)]
    assert many.worlds == tuple(env.world for env in ones)
    over = [False] * 3
    rng = np.random.default_rng(1)
    restarts = 0
    for _ in range(150):
        for row, outcome in enumerate(rows):
            for key, value in outcome[0].items():
                np.testing.assert_array_equal(value, observations[key][row], err_msg=key)
            for key, value in outcome[-1].items():
                assert value == infos[key][row], key
        actions = random_actions(rng, many.action_masks(), continuous=many.continuous)
        observations, rewards, terminated, _, infos = many.step(actions)
        for row, env in enumerate(ones):
            if over[row]:
                rows[row] = env.reset()
                restarts += 1
            else:
                rows[row] = env.step(actions[row])
                assert (rows[row][1], rows[row][2]) == (rewards[row], terminated[row])
        over = terminated.tolist()
    assert restarts > 3
    many = pickle.loads(pickle.dumps(many))
    assert (many.step(actions)[0]["progress"] >= 0).all()


def test_worlds_of_a_vector_environment_are_not_mistaken_for_one():
    many = StageRouteVectorEnv(2, scenario=SCENARIO)
    many.reset(seed=0)
    with pytest.raises(FieldError, match=r"scenario = 'drawn': expected .*`Scenario\.of_seed`"):
        _ = many.world
    assert StageRouteVectorEnv(1, scenario=SCENARIO).world is SCENARIO.world(0)


def test_an_agent_plays_in_many_worlds_at_once():
    many, one = StageRouteVectorEnv(3, scenario=SCENARIO), StageRouteEnv(scenario=SCENARIO)
    observation, _ = many.reset(seed=0)
    assert many.agent_context == one.agent_context
    assert many.agent_context.list_prices == (0.0,) * 4
    assert many.agent_context.cost_bounds == (0.0, 2.0)
    alone = StageRouteEnv(scenario=SCENARIO.of_seed(1))
    assert alone.agent_context.list_prices == tuple(SCENARIO.world(1).table.list_price.tolist())
    agent, state = make("stageroute", many, seed=0), None
    for _ in range(60):
        actions, state = agent.predict(observation, state)
        observation, _, _, _, infos = many.step(actions)
    assert (infos["invalid_actions"] == 0).all()
    with pytest.raises(FieldError, match="share a world"):
        make("oracle", many, seed=0)


def test_holding_and_rendering_follow_the_world():
    env = gym.make("StageRouteFlat-v0", scenario=SCENARIO, hold=5, disable_env_checker=True)
    env.reset(seed=2)
    alone = gym.make(
        "StageRouteFlat-v0", scenario=SCENARIO.of_seed(2), hold=5, disable_env_checker=True
    )
    alone.reset(seed=2)
    for action in (0, 1, 0, 1, 0):
        ours, theirs = env.step(action), alone.step(action)
        assert ours[1:3] == theirs[1:3]
    shown = gym.make("StageRoute-v0", scenario=SCENARIO, render_mode="rgb_array")
    shown.reset(seed=0)
    before = shown.render()
    shown.reset(seed=1)
    assert before.shape == shown.render().shape


@pytest.mark.parametrize("env_id", ["StageRoute-v0", "StageRouteContinuous-v0"])
def test_gymnasiums_checker_passes(env_id):
    env = gym.make(env_id, scenario=SCENARIO, disable_env_checker=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*not in the json-native types.*")
        check_env(env.unwrapped, skip_render_check=True)


def test_changes_are_laid_over_each_world():
    changes = (PriceChange(model="m0", factor=0.5, start=0.0),)
    cheaper = dataclasses.replace(SCENARIO, workload=Changing(base=Drawn(), changes=changes))
    for seed in (1, 2):
        halved, whole = cheaper.world(seed).mean_cost[:, 0], SCENARIO.world(seed).mean_cost[:, 0]
        np.testing.assert_allclose(halved, whole / 2)
    dearer = dataclasses.replace(changes[0], factor=50.0)
    bad = dataclasses.replace(SCENARIO, workload=Changing(base=Drawn(), changes=(dearer,)))
    with pytest.raises(FieldError, match=r"cost = .*expected costs and list prices within .* 2$"):
        bad.world(1)


def test_worlds_of_another_shape_are_refused():
    @dataclasses.dataclass(frozen=True)
    class Renamed(Drawn):
        def build(self, problem, seed):
            table, schedule = super().build(problem, seed)
            names = tuple(f"{name}-{min(seed, 1)}" for name in table.models)
            return dataclasses.replace(table, models=names), schedule

    @dataclasses.dataclass(frozen=True)
    class Wide(Drawn):
        def build(self, problem, seed):
            table, schedule = super().build(problem, seed)
            size = 2 + min(seed, 1)
            wide = np.zeros((20, size))
            return dataclasses.replace(table, features=wide, feature_names=()), schedule

    @dataclasses.dataclass(frozen=True)
    class Far(Drawn):
        def build(self, problem, seed):
            table, schedule = super().build(problem, seed)
            return dataclasses.replace(table, features=np.full((20, 2), 1.5)), schedule

    assert isinstance(Drawn().build(SCENARIO.problem, 0)[0], OutcomeTable)
    for workload, message in (
        (Renamed(), "models of the world of seed 7 = .*expected those of every seed"),
        (Wide(), "features of the world of seed 7 = 3: expected 2"),
        (Far(), r"features = 1\.5: expected numbers in \[-1, 1\]"),
    ):
        with pytest.raises(FieldError, match=message):
            StageRouteEnv(scenario=dataclasses.replace(SCENARIO, workload=workload)).reset(seed=7)
