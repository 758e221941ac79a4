from __future__ import annotations

import pickle
import subprocess
import sys
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec, registry
from gymnasium.utils.env_checker import check_env
from gymnasium.utils.env_checker import data_equivalence as equal
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv, VectorEnv
from stable_baselines3.common.env_checker import check_env as check_env_by_sb3
from worlds import play

import stageroute_gym
from stageroute_gym.errors import FieldError, UnknownArgumentError
from stageroute_gym.registration import vector_class
from stageroute_gym.vector import StageRouteVectorEnv

IDS = sorted(
    spec.id
    for spec in registry.values()
    if str(spec.entry_point).startswith(stageroute_gym.__name__)
)
SHORT = {"horizon": 60, "num_stages": 4, "feedback_delay": 2, "deployment_cost": 1e-4}


def test_all_ids_are_registered():
    kinds = ("", "Continuous", "ContinuousFlat", "Flat")
    assert [f"StageRoute{kind}-v0" for kind in kinds] == IDS


@pytest.mark.parametrize("env_id", IDS)
def test_both_checkers_pass_without_a_warning(env_id):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gym.make(env_id).unwrapped)
        check_env(gym.make(env_id, **SHORT).unwrapped)
        check_env_by_sb3(gym.make(env_id, **SHORT))


@pytest.mark.parametrize("env_id", IDS)
def test_the_spec_survives_json(env_id):
    overrides = SHORT | {"throughput": [0.5] * 11, "budget": 2e-4, "budget_rule": "soft"}
    env = gym.make(env_id, scenario="routerbench-loose", **overrides)
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    assert again.unwrapped.scenario == env.unwrapped.scenario
    assert again.unwrapped.problem.budget == 2e-4
    assert again.unwrapped.problem.throughput == (0.5,) * 11
    assert equal(play(env, 0), play(again, 0), exact=True)


@pytest.mark.parametrize("env_id", IDS)
def test_every_vector_class_has_the_direct_base_that_skrl_looks_for(env_id):
    kind = vector_class(env_id)
    assert VectorEnv in kind.__bases__
    assert issubclass(kind, StageRouteVectorEnv)


def test_registering_again_changes_nothing():
    specs = [registry[env_id] for env_id in IDS]
    stageroute_gym.register_envs()
    assert all(registry[env_id] is spec for env_id, spec in zip(IDS, specs, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("env_id", IDS)
def test_a_fresh_process_makes_the_env_by_module_and_id(env_id):
    code = (
        "import gymnasium as gym\n"
        f"env = gym.make('stageroute_gym:{env_id}', horizon=60, num_stages=4)\n"
        "observation, info = env.reset(seed=3)\n"
        "print(env.spec.id, int(env.unwrapped.action_masks().sum()), info['t'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [env_id, "7", "0"]


@pytest.mark.slow
@pytest.mark.parametrize("env_id", IDS)
def test_spawned_processes_step_alike(env_id):
    """By module and id from a function, and by the plain id through the spec."""
    makers = [lambda: gym.make(f"stageroute_gym:{env_id}", horizon=30, num_stages=2)] * 2
    spawned = AsyncVectorEnv(makers, context="spawn")
    plain = gym.make_vec(
        env_id, 2, "async", vector_kwargs={"context": "spawn"}, horizon=30, num_stages=2
    )
    direct = SyncVectorEnv(makers)
    try:
        first = direct.reset(seed=1)
        assert equal(first, spawned.reset(seed=1), exact=True)
        assert equal(first, plain.reset(seed=1), exact=True)
        direct.action_space.seed(0)
        for _ in range(40):
            actions = direct.action_space.sample()
            expected = direct.step(actions)
            assert equal(expected, spawned.step(actions), exact=True)
            assert equal(expected, plain.step(actions), exact=True)
    finally:
        spawned.close()
        plain.close()


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.parametrize("mode", ["vector_entry_point", "sync"])
def test_make_vec(env_id, mode):
    envs = gym.make_vec(env_id, num_envs=3, vectorization_mode=mode, horizon=30, num_stages=2)
    assert envs.num_envs == 3
    assert isinstance(envs.unwrapped, StageRouteVectorEnv) == (mode == "vector_entry_point")
    observation, _ = envs.reset(seed=0)
    assert observation in envs.observation_space
    again = gym.make_vec(EnvSpec.from_json(envs.spec.to_json()), 3, mode)
    for each in (envs, again):
        each.reset(seed=2)
    assert equal(*(each.step(np.array(each.action_space.sample() * 0)) for each in (envs, again)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scenario": "routerbensh"}, "scenario = 'routerbensh'.*expected 'routerbench'"),
        ({"scenario": 3}, "scenario = 3"),
        ({"scenario": ["routerbench"]}, "scenario = "),
        ({"budjet": 1.0}, "'budjet': expected 'budget'"),
        ({"budget": 0}, "budget = 0"),
        ({"budget": -1e-3}, "budget = -0.001: expected a finite number of USD"),
        ({"budget": float("nan")}, "budget = nan: expected a finite number of USD"),
        ({"budget": "much"}, "budget = 'much': expected a finite number of USD"),
        ({"horizon": 10, "num_stages": 11}, "num_stages = 11: expected at most the horizon, 10"),
        ({"throughput": 0}, r"throughput = 0: expected a share of 1e-09 to 1"),
        ({"throughput": 1.1}, r"throughput = 1.1: expected a share of 1e-09 to 1"),
        ({"throughput": [0.4, 0.4]}, "throughput = .*one for each of 11 models"),
        ({"data": "file.csv"}, "'data': expected"),
        ({"scenario": "recorded"}, "data = ''"),
        ({"scenario": "recorded", "data": "no-such-file.csv"}, "no-such-file.csv"),
    ],
)
@pytest.mark.parametrize("env_id", IDS)
def test_bad_arguments_are_named(env_id, arguments, message):
    with pytest.raises(FieldError, match=message):
        gym.make(env_id, **arguments)
    with pytest.raises(FieldError, match=message):
        gym.make_vec(env_id, num_envs=2, vectorization_mode="vector_entry_point", **arguments)


@pytest.mark.parametrize("env_id", IDS)
def test_an_unknown_argument_is_a_type_error(env_id):
    """As of any function: TorchRL tries arguments and looks for these words."""
    words = "got an unexpected keyword argument 'budjet': expected 'budget'"
    with pytest.raises(TypeError, match=words) as raised:
        gym.make(env_id, budjet=1.0)
    assert isinstance(pickle.loads(pickle.dumps(raised.value)), UnknownArgumentError)
    with pytest.raises(TypeError, match=words):
        gym.make_vec(env_id, num_envs=2, vectorization_mode="vector_entry_point", budjet=1.0)


@pytest.mark.parametrize("env_id", IDS)
def test_an_unknown_render_mode(env_id):
    # Gymnasium warns first, whatever the env does.
    with (
        pytest.warns(UserWarning, match="rgb_aray"),
        pytest.raises(FieldError, match="render_mode = 'rgb_aray': expected None, or one of ansi"),
    ):
        gym.make(env_id, render_mode="rgb_aray")
