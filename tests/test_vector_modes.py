"""Autoreset modes, time limits, rendering of the vector environments, against Gymnasium's own."""

from __future__ import annotations

from functools import partial

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import data_equivalence as equal
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from worlds import make_env, make_vector, make_world, random_actions

from stageroute_gym.errors import FieldError

BOTH = pytest.mark.parametrize("continuous", [False, True])
# The budget ends some episodes early, and the limit cuts some of the others.
HARD = {"budget": 0.4, "horizon": 50, "stages": 4, "deployment_cost": 0.3, "feedback_delay": 2}
LIMIT = 30


def limited(world, limit, *, continuous):
    env = make_env(world, continuous=continuous)
    return env if limit is None else gym.wrappers.TimeLimit(env, limit)


def assert_same(native, sync) -> None:
    """To the bit, types included; infos may come in any order, object arrays in any row's type."""
    *native, native_info = native
    *sync, sync_info = sync
    assert equal(tuple(native), tuple(sync), exact=True)
    assert_same_info(native_info, sync_info)


def assert_same_info(native, sync) -> None:
    assert native.keys() == sync.keys()
    for key, values in sync.items():
        if isinstance(values, dict):
            assert_same_info(native[key], values)
        elif key == "final_obs":
            assert all(equal(a, b, exact=True) for a, b in zip(native[key], values, strict=True))
        else:
            assert native[key].dtype == values.dtype, key
            assert np.array_equal(native[key], values), key


@BOTH
@pytest.mark.parametrize("limit", [None, LIMIT])
@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_each_mode_is_that_of_sync(mode, limit, continuous):
    world = make_world(**HARD)
    native = make_vector(
        world, 4, continuous=continuous, autoreset_mode=mode, max_episode_steps=limit
    )
    sync = SyncVectorEnv(
        [partial(limited, world, limit, continuous=continuous)] * 4, autoreset_mode=mode
    )
    assert native.metadata["autoreset_mode"] is native.autoreset_mode is mode
    rng = np.random.default_rng(0)
    assert_same(native.reset(seed=3), sync.reset(seed=3))
    terminated, truncated = 0, 0
    for _ in range(150):
        actions = random_actions(rng, native.action_masks(), continuous=continuous)
        returned = native.step(actions)
        assert_same(returned, sync.step(actions))
        terminated += returned[2].sum()
        truncated += returned[3].sum()
        over = returned[2] | returned[3]
        if mode is AutoresetMode.DISABLED and over.any():
            with pytest.raises(ResetNeeded, match="reset_mask"):
                native.step(actions)
            again = [env.reset(options={"reset_mask": over.copy()}) for env in (native, sync)]
            assert_same(*again)
    assert (truncated if limit else terminated) > 3


@pytest.mark.parametrize("env_id", ["StageRoute-v0", "StageRouteContinuous-v0"])
def test_make_vec_takes_what_gymnasium_takes(env_id):
    env = gym.make_vec(
        env_id,
        2,
        "vector_entry_point",
        render_mode=None,
        max_episode_steps=7,
        autoreset_mode="SameStep",
        horizon=60,
        num_stages=4,
    )
    assert env.render_mode is None
    again = gym.make_vec(EnvSpec.from_json(env.spec.to_json()), 2, "vector_entry_point")
    for each in (env, again):
        each.reset(seed=0)
        each.action_space.seed(0)
        truncated = [each.step(each.action_space.sample())[3].all() for _ in range(14)]
        assert np.flatnonzero(truncated).tolist() == [6, 13]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_episode_steps": 0}, "max_episode_steps = 0: expected a whole number"),
        ({"autoreset_mode": "Sometimes"}, "autoreset_mode = 'Sometimes': expected one of NextStep"),
        ({"render_mode": "human"}, "render_mode = 'human': expected None, or one of ansi"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(FieldError, match=message):
        make_vector(make_world(), 2, **arguments)


def test_the_text_of_every_episode():
    env = make_vector(make_world(**HARD), 3, render_mode="ansi")
    env.reset(seed=0)
    env.step(np.array([0, 1, 4]))
    texts = env.render()
    assert [text.splitlines()[3][0] for text in texts] == ["*", " ", " "]
    assert [text.splitlines()[4][0] for text in texts] == [" ", "*", " "]


def test_unknown_options_are_refused():
    vector, single = make_vector(make_world(), 2), make_env(make_world())
    with pytest.raises(FieldError, match=r"options = \['reset_masc'\]: .*reset_mask"):
        vector.reset(options={"reset_masc": np.ones(2, bool)})
    with pytest.raises(FieldError, match=r"options = .*there are no options"):
        single.reset(options={"seed": 3})
    vector.reset(options={})
    single.reset(options={})
