from __future__ import annotations

import copy
import pickle

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import data_equivalence as equal
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import make_env, make_vector, make_world, random_actions, worlds

from stageroute_gym.vector import StageRouteVectorEnv

BOTH = pytest.mark.parametrize("continuous", [False, True])
# The budget ends some episodes early, so that they finish at different times.
HARD = {"budget": 0.4, "horizon": 50, "stages": 4, "deployment_cost": 0.3, "feedback_delay": 2}


def pair(world, num_envs, *, continuous):
    """The native vector env, and Gymnasium's around single ones."""
    makers = [lambda: make_env(world, continuous=continuous)] * num_envs
    return make_vector(world, num_envs, continuous=continuous), SyncVectorEnv(makers)


def assert_same(native, sync) -> None:
    """To the bit, types included; infos may come in any order."""
    *native, native_info = native
    *sync, sync_info = sync
    assert equal(tuple(native), tuple(sync), exact=True)
    assert native_info.keys() == sync_info.keys()
    for key, values in sync_info.items():
        assert native_info[key].dtype == values.dtype, key
        assert np.array_equal(native_info[key], values), key


def assert_alike(native, sync, rng, *, steps, continuous) -> int:
    """Step both with the same actions; the number of episodes that ended."""
    masks, ended = native.action_masks(), 0
    for _ in range(steps):
        actions = random_actions(rng, masks, continuous=continuous)
        returned = native.step(actions)
        assert_same(returned, sync.step(actions))
        masks = returned[0]["action_mask"]
        assert (masks == native.action_masks()).all()
        ended += int(returned[2].sum())
    return ended


@BOTH
@pytest.mark.parametrize("num_envs", [1, 2, 3, 5, 17])
def test_equal_to_sync_to_the_bit_over_several_episodes(num_envs, continuous):
    native, sync = pair(make_world(**HARD), num_envs, continuous=continuous)
    assert native.single_observation_space == sync.single_observation_space
    assert native.observation_space == sync.observation_space
    assert native.single_action_space == sync.single_action_space
    assert native.action_space == sync.action_space
    rng = np.random.default_rng(num_envs)
    assert_same(native.reset(seed=11), sync.reset(seed=11))
    ended = assert_alike(native, sync, rng, steps=220, continuous=continuous)
    assert ended >= 3 * num_envs
    for seed in ([7 + 3 * i for i in range(num_envs)], None, [None] * num_envs, 3):
        assert_same(native.reset(seed=seed), sync.reset(seed=seed))
        assert native.np_random_seed == sync.np_random_seed
        assert_alike(native, sync, rng, steps=30, continuous=continuous)


@BOTH
def test_episodes_do_end_at_different_times(continuous):
    native = make_vector(make_world(**HARD), 5, continuous=continuous)
    rng = np.random.default_rng(0)
    native.reset(seed=0)
    ends: dict[int, int] = {}
    for t in range(80):
        actions = random_actions(rng, native.action_masks(), continuous=continuous)
        for i in np.flatnonzero(native.step(actions)[2]):
            ends.setdefault(int(i), t)
    assert len(ends) == 5
    assert len(set(ends.values())) > 1


@BOTH
@settings(max_examples=40, deadline=None)
@given(world=worlds(), num_envs=st.integers(1, 4), seed=st.integers(0, 100))
def test_equal_to_sync_in_any_world(continuous, world, num_envs, seed):
    native, sync = pair(world, num_envs, continuous=continuous)
    assert_same(native.reset(seed=seed), sync.reset(seed=seed))
    rng = np.random.default_rng(seed)
    assert_alike(native, sync, rng, steps=70, continuous=continuous)


@BOTH
def test_each_row_equals_a_single_env_with_its_seed(continuous):
    world = make_world(**HARD)
    native = make_vector(world, 6, continuous=continuous)
    singles = [make_env(world, continuous=continuous) for _ in range(6)]
    observation, _ = native.reset(seed=40)
    for i, env in enumerate(singles):
        alone, _ = env.reset(seed=40 + i)
        assert equal(alone, {name: rows[i] for name, rows in observation.items()}, exact=True)
    rng = np.random.default_rng(0)
    over = np.zeros(6, bool)
    while not over.all():
        actions = random_actions(rng, native.action_masks(), continuous=continuous)
        observation, rewards, terminations, _, infos = native.step(actions)
        for i in np.flatnonzero(~over):
            action = actions[i] if continuous else int(actions[i])
            alone, reward, terminated, _, info = singles[i].step(action)
            assert equal(alone, {name: rows[i] for name, rows in observation.items()}, exact=True)
            assert (reward, terminated) == (rewards[i], terminations[i])
            assert info == {name: infos[name][i] for name in info}
        over |= terminations


@BOTH
def test_a_partial_reset_is_that_of_sync(continuous):
    native, sync = pair(make_world(**HARD), 5, continuous=continuous)
    rng = np.random.default_rng(0)
    native.reset(seed=0)
    sync.reset(seed=0)
    for round_ in range(12):
        assert_alike(native, sync, rng, steps=9, continuous=continuous)
        mask = rng.random(5) < 0.5
        mask[round_ % 5] = True
        seed = None if round_ % 2 else [None, 3, round_, None, 8]
        returned = native.reset(seed=seed, options={"reset_mask": mask})
        expected = sync.reset(seed=seed, options={"reset_mask": mask.copy()})
        assert_same(returned, expected)
    assert_alike(native, sync, rng, steps=100, continuous=continuous)


def test_options_are_left_as_they_were():
    native = make_vector(make_world(), 2)
    native.reset(seed=0)
    options = {"reset_mask": np.array([True, False])}
    native.reset(options=options)
    assert options["reset_mask"].tolist() == [True, False]


@BOTH
def test_what_was_returned_is_not_changed_later(continuous):
    native = make_vector(make_world(**HARD), 3, continuous=continuous)
    returned = [native.reset(seed=0)]
    kept = copy.deepcopy(returned)
    rng = np.random.default_rng(0)
    for _ in range(70):
        actions = random_actions(rng, native.action_masks(), continuous=continuous)
        returned.append(native.step(actions))
        kept.append(copy.deepcopy(returned[-1]))
    assert equal(returned, kept, exact=True)


@BOTH
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))])
def test_a_copy_of_a_running_env_goes_on_alike(duplicate, continuous):
    native = make_vector(make_world(**HARD), 4, continuous=continuous)
    rng = np.random.default_rng(0)
    native.reset(seed=3)
    for _ in range(37):
        native.step(random_actions(rng, native.action_masks(), continuous=continuous))
    copied = duplicate(native)
    for _ in range(150):
        actions = random_actions(rng, native.action_masks(), continuous=continuous)
        assert equal(native.step(actions), copied.step(actions), exact=True)


@BOTH
@pytest.mark.parametrize("num_envs", [1, 4])
def test_statistics_count_what_a_hand_count_does(num_envs, continuous):
    """The step that starts an episode anew belongs to none."""
    native = make_vector(make_world(**HARD), num_envs, continuous=continuous)
    env = gym.wrappers.vector.RecordEpisodeStatistics(native)
    rng = np.random.default_rng(0)
    observation, _ = env.reset(seed=0)
    length, score = np.zeros(num_envs, int), np.zeros(num_envs)
    over, ended = np.zeros(num_envs, bool), 0
    for _ in range(250):
        actions = random_actions(rng, observation["action_mask"], continuous=continuous)
        observation, rewards, terminations, _, infos = env.step(actions)
        assert (rewards[over] == 0).all()
        assert (infos["t"][over] == 0).all()
        length, score = np.where(over, 0, length + 1), np.where(over, 0, score + rewards)
        over = terminations
        for i in np.flatnonzero(over):
            assert infos["episode"]["l"][i] == length[i]
            assert infos["episode"]["r"][i] == pytest.approx(score[i])
            ended += 1
    assert ended >= 3 * num_envs


def test_flattened_rows_hold_every_number():
    world = make_world(**HARD)
    plain = make_vector(world, 3)
    flat = gym.wrappers.vector.FlattenObservation(make_vector(world, 3))
    rng = np.random.default_rng(0)
    fields, rows = plain.reset(seed=0)[0], flat.reset(seed=0)[0]
    for _ in range(60):
        assert rows in flat.observation_space
        assert (np.concatenate(list(fields.values()), axis=1) == rows).all()
        actions = random_actions(rng, fields["action_mask"], continuous=False)
        fields, rows = plain.step(actions)[0], flat.step(actions)[0]


def test_rewards_can_be_normalised_as_with_sync():
    native, sync = (
        gym.wrappers.vector.NormalizeReward(env)
        for env in pair(make_world(**HARD), 4, continuous=False)
    )
    rng = np.random.default_rng(0)
    native.reset(seed=0)
    sync.reset(seed=0)
    for _ in range(150):
        actions = random_actions(rng, native.env.action_masks(), continuous=False)
        first, second = native.step(actions)[1], sync.step(actions)[1]
        assert np.array_equal(first, second)
        assert np.isfinite(first).all()


def test_the_autoreset_mode_is_declared():
    assert StageRouteVectorEnv.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
