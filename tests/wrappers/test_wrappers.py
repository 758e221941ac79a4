from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from speeds import quick_ones

from stageroute_gym.errors import FieldError
from stageroute_gym.wrappers import (
    BudgetPrice,
    FlatObservation,
    HoldDecision,
    MaskedObservation,
    Normalization,
    RelativeFeatures,
    RelativeObservation,
    SoftmaxAction,
    VectorBudgetPrice,
    VectorFlatObservation,
    VectorHoldDecision,
    VectorMaskedObservation,
    VectorRelativeObservation,
    VectorSoftmaxAction,
)
from stageroute_gym.wrappers.relative import MODEL_FEATURES

Make = Callable[..., Any]
STACKS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "hold": (lambda e: HoldDecision(e, queries=30), lambda e: VectorHoldDecision(e, queries=30)),
    "flat": (FlatObservation, VectorFlatObservation),
    "relative": (RelativeObservation, VectorRelativeObservation),
    "price": (
        lambda e: BudgetPrice(e, price=0.3, step_size=0.0),
        lambda e: VectorBudgetPrice(e, price=0.3, step_size=0.0),
    ),
    "mask": (MaskedObservation, VectorMaskedObservation),
    "named mask": (
        lambda e: MaskedObservation(e, mask_key="action_mask", obs_key="observations"),
        lambda e: VectorMaskedObservation(e, mask_key="action_mask", obs_key="observations"),
    ),
    "all": (
        lambda e: MaskedObservation(FlatObservation(BudgetPrice(HoldDecision(e, queries=7)))),
        lambda e: VectorMaskedObservation(
            VectorFlatObservation(VectorBudgetPrice(VectorHoldDecision(e, queries=7)))
        ),
    ),
}


@pytest.mark.parametrize("stack", STACKS)
def test_checker_accepts_the_wrapped_env(stack: str, single: Make) -> None:
    env = STACKS[stack][0](single())
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*different from the unwrapped")
        check_env(env, skip_render_check=True)
    assert gym.make(env.spec).spec.to_json() == env.spec.to_json()
    assert env.get_wrapper_attr("action_masks")().shape == (12,)


@pytest.mark.parametrize("stack", quick_ones(STACKS, "relative", "all"))
def test_vector_wrapper_equals_single_to_the_bit(stack: str, single: Make, vector: Make) -> None:
    wrap, wrap_vector = STACKS[stack]
    envs = [wrap(single()) for _ in range(3)]
    together = wrap_vector(vector(3))
    observations, _ = together.reset(seed=5)
    alone = [env.reset(seed=5 + i)[0] for i, env in enumerate(envs)]
    over = [False] * 3
    together.action_space.seed(1)
    ended = 0
    for _ in range(900):
        for row, expected in enumerate(alone):
            _assert_equal(_take(observations, row), expected)
        actions = together.action_space.sample()
        observations, rewards, terminated, _, infos = together.step(actions)
        for row, env in enumerate(envs):
            if over[row]:
                alone[row], info = env.reset()
                reward, over[row] = 0.0, False
            else:
                alone[row], reward, over[row], _, info = env.step(actions[row])
            assert rewards[row] == reward
            assert terminated[row] == over[row]
            assert {key: infos[key][row] for key in info} == info
        ended += int(terminated.sum())
    assert ended >= 3


def test_flat_rows_keep_what_they_are_made_of(single: Make) -> None:
    env = single(budget=1.0)
    flat = Normalization.of(env)
    observation, _ = env.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(300):
        row = flat(observation)
        assert row.shape == flat.space.shape
        assert row in flat.space
        np.testing.assert_array_equal(flat.pulls(row), observation["pulls"])
        observation, _, terminated, _, _ = env.step(env.action_space.sample())
        assert not terminated
    assert Normalization.from_dict(flat.to_dict()) == flat


def test_relative_rows_keep_the_pulls_and_have_no_scale_of_their_own(single: Make) -> None:
    env = single(budget=1.0)
    features = RelativeFeatures.of(env)
    dearer = RelativeFeatures(**{**vars(features), "budget": 1000.0})
    observation, _ = env.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(300):
        row = features(observation)
        assert row in features.space
        np.testing.assert_array_equal(features.pulls(row), observation["pulls"])
        costs = {key: 1000.0 * observation[key] for key in ("mean_cost", "list_price")}
        np.testing.assert_allclose(dearer({**observation, **costs}), row, rtol=0, atol=1e-6)
        observation, _, terminated, _, _ = env.step(env.action_space.sample())
        assert not terminated


def test_relative_costs_are_logarithms_over_what_a_query_may_cost_now() -> None:
    env = gym.make("StageRouteContinuous-v0", horizon=400, num_stages=2, budget=1e-3)
    features = RelativeFeatures.of(env)
    observation, _ = env.reset(seed=0)
    for _ in range(150):
        observation, _, _, _, info = env.step(np.ones(11, np.float32))
    pace = (400 * 1e-3 - info["spend"]) / (400 - info["t"])
    start = MODEL_FEATURES.index("mean_cost") * 11
    logs = features(observation)[start : start + 11]
    tried = observation["pulls"] > 0
    assert tried.any()
    assert not tried.all()
    expected = np.log(observation["mean_cost"][tried] / pace) / 8.0
    np.testing.assert_allclose(logs[tried], expected, rtol=0, atol=1e-5)
    assert (logs[~tried] == 0).all()


@pytest.mark.parametrize("field", ["num_models", "horizon", "num_stages", "max_deployed", "budget"])
def test_relative_features_name_the_field_at_fault(field: str, single: Make) -> None:
    with pytest.raises(FieldError, match=field):
        RelativeFeatures(**{**vars(RelativeFeatures.of(single())), field: 0})


def test_logits_are_played_as_their_softmax() -> None:
    arguments = {"horizon": 400, "num_stages": 2, "budget": 1.0, "throughput": 1.0}
    env = SoftmaxAction(gym.make("StageRouteContinuous-v0", **arguments))
    many = VectorSoftmaxAction(
        gym.make_vec(
            "StageRouteContinuous-v0",
            num_envs=1,
            vectorization_mode="vector_entry_point",
            **arguments,
        )
    )
    env.reset(seed=0)
    many.reset(seed=0)
    logits = np.full(11, -20.0, np.float32)
    logits[[0, 1]] = np.log([3.0, 1.0])
    served = []
    for _ in range(300):
        _, reward, _, _, info = env.step(logits)
        assert many.step(logits[None])[1][0] == reward
        if info["model"] >= 0:
            served.append(info["model"])
    assert set(served) == {0, 1}
    # 3 to 1 within four standard errors.
    share = served.count(0) / len(served)
    assert abs(share - 0.75) < 4 * np.sqrt(0.75 * 0.25 / len(served))
    with pytest.raises(FieldError, match="continuous"):
        SoftmaxAction(gym.make("StageRoute-v0"))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"budget": -1.0}, "budget"),
        ({"horizon": "x"}, "horizon"),
        ({"query_high": [1.0, 2.0]}, "query_high"),
        ({"colour": 1}, "normalization"),
    ],
)
def test_normalization_names_the_field_at_fault(
    change: dict[str, Any], field: str, single: Make
) -> None:
    values = {**Normalization.of(single()).to_dict(), **change}
    with pytest.raises(FieldError, match=field):
        Normalization.from_dict(values)


def test_hold_serves_that_many_queries_and_sums_the_reward() -> None:
    arguments = {"horizon": 400, "num_stages": 5, "budget": 1.0}
    env = HoldDecision(gym.make("StageRouteContinuous-v0", **arguments), queries=30)
    action = np.ones(11, np.float32)
    env.reset(seed=0)
    times, total = [], 0.0
    while True:
        _, reward, terminated, truncated, info = env.step(action)
        times.append(info["t"])
        assert reward == info["score"]
        assert not truncated
        total += reward
        if terminated:
            break
    # Each stage of 80 queries: a deploy step, then 30, 30 and the 20 that are left of it.
    assert np.diff([0, *times]).tolist() == [0, 30, 30, 20] * 5
    plain = gym.make("StageRouteContinuous-v0", **arguments)
    plain.reset(seed=0)
    rewards = [plain.step(action)[1] for _ in range(405)]
    assert total == pytest.approx(sum(rewards), abs=1e-9)


def test_hold_ends_when_the_model_has_no_token_left() -> None:
    env = HoldDecision(gym.make("StageRoute-v0", horizon=400, num_stages=2, budget=1), queries=300)
    env.reset(seed=0)
    env.step(0)
    env.step(11)
    _, _, _, _, info = env.step(0)
    # 20 tokens, one used and 0.4 refilled each query: less than one is left after 32.
    assert info["t"] == 32
    assert info["invalid_actions"] == 0


def test_price_charges_the_spend_and_adapts_to_it() -> None:
    arguments = {"horizon": 200, "num_stages": 2, "budget": 1e-5, "budget_rule": "soft"}
    env = BudgetPrice(gym.make("StageRoute-v0", **arguments), price=0.5, step_size=0.1)
    env.reset(seed=0)
    env.action_space.seed(0)
    shaped, score, terminated = 0.0, 0.0, False
    while not terminated:
        allowed = env.get_wrapper_attr("action_masks")().astype(np.int8)
        _, reward, terminated, _, info = env.step(env.action_space.sample(allowed))
        shaped += reward
        score += info["score"]
    assert shaped == pytest.approx(score - 0.5 * info["spend"] / 1e-5)
    assert env.price == pytest.approx(0.5 + 0.1 * (info["spend"] / (1e-5 * 200) - 1))
    assert env.price > 0.5


@pytest.mark.parametrize("queries", [0, -1, True, 2.5])
def test_hold_refuses_what_is_no_count(queries: Any) -> None:
    with pytest.raises(FieldError, match="queries"):
        HoldDecision(gym.make("StageRoute-v0"), queries=queries)


def test_mask_and_observation_have_names_of_their_own(single: Make, vector: Make) -> None:
    env = MaskedObservation(single(), mask_key="action_mask", obs_key="observations")
    assert list(env.reset(seed=0)[0]) == ["action_mask", "observations"]
    for wrapper, wrapped in ((MaskedObservation, single()), (VectorMaskedObservation, vector(2))):
        with pytest.raises(FieldError, match="obs_key"):
            wrapper(wrapped, obs_key="mask")


def test_wrappers_refuse_wrong_prices_and_order(single: Make, vector: Make) -> None:
    with pytest.raises(FieldError, match="price"):
        BudgetPrice(single(), price=-1.0)
    with pytest.raises(FieldError, match="step_size"):
        VectorBudgetPrice(vector(1), step_size=float("nan"))
    with pytest.raises(FieldError, match="on top of HoldDecision"):
        HoldDecision(FlatObservation(single()), queries=2)
    with pytest.raises(FieldError, match="StageRouteVectorEnv"):
        VectorHoldDecision(VectorFlatObservation(vector(1)), queries=2)
    env = VectorHoldDecision(vector(1), queries=2)
    with pytest.raises(FieldError, match="before reset"):
        env.step(env.action_space.sample())


def _take(observations: Any, row: int) -> Any:
    if isinstance(observations, dict):
        return {key: _take(values, row) for key, values in observations.items()}
    return observations[row]


def _assert_equal(actual: Any, expected: Any) -> None:
    if isinstance(expected, dict):
        assert actual.keys() == expected.keys()
        for key, value in expected.items():
            _assert_equal(actual[key], value)
        return
    np.testing.assert_array_equal(actual, expected)
