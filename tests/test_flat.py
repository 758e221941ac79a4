from __future__ import annotations

import pickle
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import data_equivalence as equal
from gymnasium.wrappers import FlattenObservation, RescaleObservation, TimeAwareObservation
from hypothesis import given
from hypothesis import strategies as st

import stageroute_gym  # noqa: F401
from stageroute_gym.errors import FieldError
from stageroute_gym.flat import next_allowed
from stageroute_gym.wrappers import (
    FlatObservation,
    HoldDecision,
    SoftmaxAction,
    VectorHoldDecision,
)

IDS = ("StageRouteFlat-v0", "StageRouteContinuousFlat-v0")
SMALL = {"horizon": 400, "num_stages": 5, "budget": 1e-3}


def make(env_id: str, **arguments: Any) -> gym.Env[Any, Any]:
    return gym.make(env_id, **{**SMALL, **arguments})


def make_many(env_id: str, num_envs: int, **arguments: Any) -> Any:
    arguments = {**SMALL, **arguments}
    return gym.make_vec(env_id, num_envs, "vector_entry_point", **arguments)


@pytest.mark.parametrize("env_id", IDS)
def test_vector_equals_single_to_the_bit(env_id: str) -> None:
    arguments = {"hold": 7, "budget_price": 0.3, "deployment_cost": 1e-4}
    envs = [make(env_id, **arguments) for _ in range(3)]
    together = make_many(env_id, 3, **arguments)
    observations, infos = together.reset(seed=5)
    alone = [env.reset(seed=5 + i) for i, env in enumerate(envs)]
    over = [False] * 3
    together.action_space.seed(1)
    ended = 0
    for _ in range(400):
        for row, (expected, info) in enumerate(alone):
            np.testing.assert_array_equal(observations[row], expected)
            for key, value in info.items():
                np.testing.assert_array_equal(infos[key][row], value)
        actions = together.action_space.sample()
        observations, rewards, terminated, _, infos = together.step(actions)
        for row, env in enumerate(envs):
            if over[row]:
                alone[row] = env.reset()
                reward, over[row] = 0.0, False
            else:
                row_seen, reward, over[row], _, info = env.step(actions[row])
                alone[row] = row_seen, info
            assert rewards[row] == reward
            assert terminated[row] == over[row]
        ended += int(terminated.sum())
    assert ended >= 3


def test_discrete_equals_the_wrappers_where_masks_are_followed() -> None:
    flat = make("StageRouteFlat-v0", hold=9, budget_price=0.0, return_scale=400.0)
    wrapped = FlatObservation(HoldDecision(gym.make("StageRoute-v0", **SMALL), queries=9))
    assert flat.observation_space == wrapped.observation_space
    pairs = [env.reset(seed=3) for env in (flat, wrapped)]
    np.testing.assert_array_equal(pairs[0][0], pairs[1][0])
    generator = np.random.default_rng(0)
    info, terminated = pairs[0][1], False
    while not terminated:
        np.testing.assert_array_equal(info["action_mask"], flat.unwrapped.action_masks())
        action = int(generator.choice(np.flatnonzero(info["action_mask"])))
        row, reward, terminated, _, info = flat.step(action)
        other = wrapped.step(action)
        np.testing.assert_array_equal(row, other[0])
        assert reward == pytest.approx(other[1], abs=1e-12)
        assert {key: info[key] for key in other[4]} == other[4]


def test_continuous_equals_the_wrappers() -> None:
    flat = make("StageRouteContinuousFlat-v0", hold=9, budget_price=0.0, return_scale=400.0)
    env = gym.make("StageRouteContinuous-v0", **SMALL)
    wrapped = FlatObservation(SoftmaxAction(HoldDecision(env, queries=9)))
    flat.reset(seed=3)
    wrapped.reset(seed=3)
    flat.action_space.seed(0)
    terminated = False
    while not terminated:
        action = flat.action_space.sample()
        row, reward, terminated, _, info = flat.step(action)
        other = wrapped.step(5.0 * action)
        np.testing.assert_array_equal(row, other[0])
        assert reward == pytest.approx(other[1], abs=1e-12)
    assert info["invalid_actions"] == 0


@pytest.mark.parametrize("env_id", IDS)
def test_forbidden_actions_cost_nothing(env_id: str) -> None:
    env = make(env_id, budget=1.0)
    env.reset(seed=0)
    env.action_space.seed(0)
    terminated, shaped, score = False, 0.0, 0.0
    while not terminated:
        _, reward, terminated, _, info = env.step(env.action_space.sample())
        shaped += reward
        score += info["score"]
    assert info["t"] == 400
    assert info["invalid_actions"] == 0
    # Nothing was spent ahead of the pace, so the reward is the score, scaled.
    assert shaped == pytest.approx(10.0 * score / 400)


@given(
    st.integers(1, 6).flatmap(
        lambda n: st.tuples(
            st.lists(st.integers(0, n), min_size=1, max_size=4),
            st.lists(st.integers(0, 1), min_size=4 * (n + 1), max_size=4 * (n + 1)),
        )
    )
)
def test_next_allowed_is_the_first_allowed_in_the_circle(
    case: tuple[list[int], list[int]],
) -> None:
    chosen, entries = case
    masks = np.array(entries, np.int8).reshape(4, -1)[: len(chosen)]
    n = masks.shape[1] - 1
    actions = np.array(chosen)
    replaced = next_allowed(actions, masks)
    for action, mask, got in zip(chosen, masks, replaced, strict=True):
        circle = [m for m in [*range(action, n), *range(min(action, n))] if mask[m]]
        expected = action if mask[action] else (circle or [n])[0]
        assert got == expected
    assert actions.tolist() == chosen


@pytest.mark.parametrize("budget", [1e-4, 1e-3])
def test_what_is_charged_is_the_spend_ahead_of_the_pace(budget: float) -> None:
    arguments = {"budget": budget, "budget_price": 0.25, "return_scale": 400.0}
    env = make("StageRouteFlat-v0", hold=5, **arguments)
    env.reset(seed=1)
    env.action_space.seed(1)
    terminated, total, score = False, 0.0, 0.0
    while not terminated:
        _, reward, terminated, _, info = env.step(env.action_space.sample())
        total += reward
        score += info["score"]
        ahead = max(info["spend"] / budget - info["t"], 0.0)
        assert total == pytest.approx(score - 0.25 * ahead, abs=1e-9)
    assert (ahead > 0) == (info["t"] < 400)


def test_hold_is_a_hundredth_of_the_horizon() -> None:
    for horizon, hold in ((400, 4), (10_000, 100), (50, 1)):
        env = make("StageRouteContinuousFlat-v0", horizon=horizon, budget=1.0)
        env.reset(seed=0)
        env.step(env.action_space.sample())
        assert env.step(env.action_space.sample())[4]["t"] == hold


@pytest.mark.parametrize("env_id", IDS)
def test_copies_go_on_alike(env_id: str) -> None:
    env = make(env_id)
    env.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(10):
        env.step(env.action_space.sample())
    copy = pickle.loads(pickle.dumps(env))
    for _ in range(5):
        action = env.action_space.sample()
        assert equal(env.step(action), copy.step(action), exact=True)


# Gymnasium's own, about the box of the time.
@pytest.mark.filterwarnings("ignore:.*precision lowered by casting to float32")
@pytest.mark.parametrize("env_id", IDS)
def test_wrappers_that_users_add_work(env_id: str) -> None:
    rescaled = RescaleObservation(make(env_id), 0.0, 1.0)
    row, _ = rescaled.reset(seed=0)
    assert np.isfinite(row).all()
    assert row in rescaled.observation_space
    limited = TimeAwareObservation(gym.make(env_id, max_episode_steps=3, **SMALL))
    limited.reset(seed=0)
    ends = [limited.step(limited.action_space.sample())[2:4] for _ in range(3)]
    assert ends == [(False, False), (False, False), (False, True)]
    assert FlattenObservation(make(env_id)).observation_space == make(env_id).observation_space


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"hold": 0}, "hold"),
        ({"hold": 2.5}, "hold"),
        ({"budget_price": -0.1}, "budget_price"),
        ({"budget_price": float("nan")}, "budget_price"),
        ({"return_scale": 0}, "return_scale"),
    ],
)
@pytest.mark.parametrize("env_id", IDS)
def test_errors_name_the_field(env_id: str, arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(FieldError, match=field):
        make(env_id, **arguments)
    with pytest.raises(FieldError, match=field):
        make_many(env_id, 2, **arguments)


def test_a_flat_env_holds_by_itself() -> None:
    with pytest.raises(FieldError, match="Dict"):
        VectorHoldDecision(make_many("StageRouteFlat-v0", 2), queries=3)
