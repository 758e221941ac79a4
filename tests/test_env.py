from __future__ import annotations

import copy
import pickle
import random

import cloudpickle
import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import data_equivalence as equal
from worlds import make_env, make_world, play, random_action

IDS = ("StageRoute-v0", "StageRouteContinuous-v0")
SHORT = {"horizon": 60, "num_stages": 4, "feedback_delay": 2, "deployment_cost": 1e-4}


@pytest.mark.parametrize("env_id", IDS)
def test_one_seed_gives_one_trajectory(env_id):
    first, second = (play(gym.make(env_id, **SHORT), 7) for _ in range(2))
    assert equal(first, second, exact=True)
    assert not equal(first, play(gym.make(env_id, **SHORT), 8))


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.parametrize(
    "duplicate",
    [
        copy.deepcopy,
        lambda env: pickle.loads(pickle.dumps(env)),
        lambda env: cloudpickle.loads(cloudpickle.dumps(env)),
    ],
    ids=["deepcopy", "pickle", "cloudpickle"],
)
def test_a_copy_of_a_running_env_goes_on_alike(env_id, duplicate):
    env = gym.make(env_id, **SHORT)
    play(env, 3, steps=30)
    copied = duplicate(env)
    rngs = [np.random.default_rng(0), np.random.default_rng(0)]
    for _ in range(150):
        actions = [
            random_action(rng, e.unwrapped.action_masks(), continuous=e.unwrapped.continuous)
            for rng, e in zip(rngs, (env, copied), strict=True)
        ]
        returned = [e.step(action) for e, action in zip((env, copied), actions, strict=True)]
        assert equal(*returned, exact=True)
        if returned[0][2]:
            assert equal(env.reset(), copied.reset(), exact=True)


@pytest.mark.parametrize("env_id", IDS)
def test_a_copy_leaves_the_original_alone(env_id):
    """The copy must not share its arrays with the env it was made of."""
    env = gym.make(env_id, **SHORT)
    env.reset(seed=1)
    before = copy.deepcopy(env.unwrapped.action_masks())
    play(copy.deepcopy(env), 2, steps=40)
    assert (env.unwrapped.action_masks() == before).all()


@pytest.mark.parametrize("env_id", IDS)
def test_step_returns_plain_types_within_the_spaces(env_id):
    env = gym.make(env_id, disable_env_checker=True, **SHORT)
    assert all(np.isfinite(box.low).all() for box in env.observation_space.values())
    assert all(np.isfinite(box.high).all() for box in env.observation_space.values())
    for returned in play(env, 0):
        assert returned[0] in env.observation_space
        assert list(returned[0]) == list(env.observation_space)
        if len(returned) == 5:
            assert [type(value) for value in returned[1:4]] == [float, bool, bool]
        assert {type(value) for value in returned[-1].values()} == {int, float}
        assert list(returned[-1]) == list(env.reset()[1]) if returned[2:3] == (True,) else True


@pytest.mark.parametrize("env_id", IDS)
def test_what_was_returned_is_not_changed_later(env_id):
    env = gym.make(env_id, **SHORT)
    returned = [env.reset(seed=0)]
    kept = copy.deepcopy(returned)
    rng = np.random.default_rng(0)
    for _ in range(30):
        mask = env.unwrapped.action_masks()
        action = random_action(rng, mask, continuous=env.unwrapped.continuous)
        returned.append(env.step(action))
        kept.append(copy.deepcopy(returned[-1]))
    assert equal(returned, kept, exact=True)


@pytest.mark.parametrize("env_id", IDS)
def test_what_a_caller_does_to_an_observation_stays_with_the_caller(env_id):
    env, untouched = gym.make(env_id, **SHORT), gym.make(env_id, **SHORT)
    observation, _ = env.reset(seed=0)
    untouched.reset(seed=0)
    for array in observation.values():
        array[:] = 0
    env.unwrapped.action_masks()[:] = False
    action = 2 if env_id == "StageRoute-v0" else np.full(11, 0.5, np.float32)
    for _ in range(3):
        assert equal(env.step(action), untouched.step(action), exact=True)


@pytest.mark.parametrize("env_id", IDS)
def test_no_global_random_state_is_used(env_id):
    np.random.seed(0)  # noqa: NPY002
    random.seed(0)
    states = repr(np.random.get_state()), random.getstate()  # noqa: NPY002
    env = gym.make(env_id, **SHORT)
    first = play(env, 4)
    assert (repr(np.random.get_state()), random.getstate()) == states  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    random.seed(1)
    assert equal(first, play(env, 4), exact=True)


def test_an_unseeded_reset_goes_on_with_the_generator():
    env, again = gym.make("StageRoute-v0", **SHORT), gym.make("StageRoute-v0", **SHORT)
    for e in (env, again):
        e.reset(seed=5)
    keys = []
    for _ in range(3):
        assert equal(env.reset(), again.reset(), exact=True)
        keys.append(env.unwrapped._episodes.state.counters.tolist())
    assert keys[0] != keys[1] != keys[2]


@pytest.mark.parametrize("continuous", [False, True])
def test_a_step_outside_an_episode_is_refused(continuous):
    env = make_env(make_world(horizon=2, stages=1), continuous=continuous)
    action = np.ones(4, np.float32) if continuous else 0
    with pytest.raises(ResetNeeded, match="call reset"):
        env.step(action)
    env.reset(seed=0)
    while not env.step(action)[2]:
        pass
    with pytest.raises(ResetNeeded, match="call reset"):
        env.step(action)
    env.reset()
    env.step(action)


@pytest.mark.parametrize(
    "wrapper",
    [
        gym.wrappers.RecordEpisodeStatistics,
        gym.wrappers.FlattenObservation,
        gym.wrappers.OrderEnforcing,
        lambda e: gym.wrappers.TimeLimit(e, 25),
        lambda e: gym.wrappers.RecordEpisodeStatistics(gym.wrappers.FlattenObservation(e)),
    ],
    ids=["statistics", "flatten", "order", "time limit", "both"],
)
@pytest.mark.parametrize("env_id", IDS)
def test_wrapped(env_id, wrapper):
    env = wrapper(gym.make(env_id, **SHORT))
    rng = np.random.default_rng(0)
    observation, _ = env.reset(seed=0)
    length, total = 0, 0.0
    while True:
        assert observation in env.observation_space
        mask = env.get_wrapper_attr("action_masks")()
        action = random_action(rng, mask, continuous=env.unwrapped.continuous)
        observation, reward, terminated, truncated, info = env.step(action)
        length, total = length + 1, total + reward
        if terminated or truncated:
            break
    if env.has_wrapper_attr("_max_episode_steps") and isinstance(env, gym.wrappers.TimeLimit):
        assert (length, terminated, truncated) == (25, False, True)
        return
    assert (terminated, truncated) == (True, False)
    if "episode" in info:
        assert info["episode"]["l"] == length
        assert info["episode"]["r"] == pytest.approx(total)


def test_a_flattened_observation_keeps_every_number():
    env = gym.make("StageRoute-v0", **SHORT)
    flat = gym.wrappers.FlattenObservation(gym.make("StageRoute-v0", **SHORT))
    for plain, flattened in zip(play(env, 2, 40), play(flat, 2, 40), strict=True):
        parts = [plain[0][name] for name in env.observation_space]
        assert (np.concatenate(parts) == flattened[0]).all()
