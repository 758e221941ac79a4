from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import InvalidAction
from gymnasium.utils.env_checker import data_equivalence as equal
from worlds import make_vector, make_world, random_actions

from stageroute_gym.errors import FieldError
from stageroute_gym.simulator import kernels
from stageroute_gym.vector import StageRouteVectorEnv

HARD = {"budget": 0.4, "horizon": 50, "stages": 4, "deployment_cost": 0.3, "feedback_delay": 2}


@pytest.mark.parametrize("num_envs", [0, -1, 1.5, True, "3", None])
def test_a_bad_number_of_envs(num_envs):
    with pytest.raises(FieldError, match=r"num_envs = .*: expected a whole number of at least 1"):
        StageRouteVectorEnv(num_envs)


def test_make_vec_names_a_bad_number_too():
    with pytest.raises(FieldError, match="num_envs = 0"):
        gym.make_vec("StageRoute-v0", num_envs=0, vectorization_mode="vector_entry_point")


def assert_untouched(disturb, *, continuous=False) -> None:
    """The disturbance leaves the rest of the trajectory, resets included, as it would have been."""
    world = make_world(**HARD)
    disturbed, calm = (make_vector(world, 3, continuous=continuous) for _ in range(2))
    for env in (disturbed, calm):
        env.reset(seed=5)
    rng = np.random.default_rng(0)
    for _ in range(120):
        disturb(disturbed)
        actions = random_actions(rng, calm.action_masks(), continuous=continuous)
        assert equal(disturbed.step(actions), calm.step(actions), exact=True)
    disturb(disturbed)
    assert equal(disturbed.reset(), calm.reset(), exact=True)


@pytest.mark.parametrize(
    "actions",
    [
        1,
        [0, 0],
        [0, 0, 0, 0],
        [[0], [0], [0]],
        [0, 0, 5],
        [0, -1, 0],
        [0.0, 0.0, 0.0],
        [True, False, True],
        ["a", "b", "c"],
        None,
        [0, [1, 2], 0],
        np.array([0, 0, np.nan]),
        np.array([0, 2**63, 0], np.uint64),
    ],
    ids=repr,
)
def test_bad_discrete_actions_move_no_env(actions):
    def disturb(env):
        with pytest.raises(InvalidAction, match="expected"):
            env.step(actions)

    assert_untouched(disturb)


@pytest.mark.parametrize(
    "actions",
    [
        np.ones(4),
        np.ones((3, 5)),
        np.ones((4, 3)),
        np.ones((2, 4)),
        np.array([[0.5] * 4, [0.5] * 4, [0.5, 0.5, 0.5, 1.5]]),
        np.array([[0.5] * 4, [np.nan] * 4, [0.5] * 4]),
        np.full((3, 4), -np.inf),
        np.ones((3, 4), bool),
        np.ones((3, 4), object),
        None,
        [[0.1] * 4, [0.1] * 3, [0.1] * 4],
    ],
    ids=lambda value: str(np.shape(value)) if isinstance(value, np.ndarray) else "list",
)
def test_bad_continuous_actions_move_no_env(actions):
    def disturb(env):
        with pytest.raises(InvalidAction, match="expected"):
            env.step(actions)

    assert_untouched(disturb, continuous=True)


@pytest.mark.parametrize(
    "seed",
    [-1, [1, 2], [1, 2, 3, 4], [], [1, -2, 3], 1.5, True, "abc", [1, 2.0, 3], [1, True, 3], {}],
    ids=repr,
)
def test_bad_seeds_reset_nothing(seed):
    def disturb(env):
        with pytest.raises(FieldError, match=r"seed = .*: expected"):
            env.reset(seed=seed)

    assert_untouched(disturb)


@pytest.mark.parametrize(
    "mask",
    [
        [True, False, True],
        np.array([True, False]),
        np.array([1, 0, 1]),
        np.zeros(3, bool),
        np.ones(4, bool),
        True,
    ],
    ids=repr,
)
def test_bad_masks_reset_nothing(mask):
    def disturb(env):
        with pytest.raises(FieldError, match=r"reset_mask.*expected"):
            env.reset(seed=1, options={"reset_mask": mask})

    assert_untouched(disturb)


def test_a_step_before_the_first_reset():
    native = make_vector(make_world(), 2)
    with pytest.raises(FieldError, match="reset"):
        native.step(np.zeros(2, np.int64))
    with pytest.raises(FieldError, match="reset_mask"):
        native.reset(options={"reset_mask": np.array([True, False])})
    native.reset(seed=0)
    native.step(np.zeros(2, np.int64))


def test_unusual_arrays_as_actions_compile_nothing_anew():
    native = make_vector(make_world(), 3)
    native.reset(seed=0)
    compiled = len(kernels.step_discrete.signatures)
    native.step(np.zeros((3, 2), np.int64)[:, 0])
    native.step(np.zeros(3, np.int32))
    fixed = np.zeros(3, np.int64)
    fixed.setflags(write=False)
    native.step(fixed)
    assert len(kernels.step_discrete.signatures) == compiled
