"""What holds for every agent, whatever it does."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from speeds import quick_ones
from stageroute_agents import make, names
from stageroute_agents.base import draw_models
from worlds import make_env, make_vector, make_world

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.agents import load, parameters_of

LATE = np.array([[1, 1, 0, 0], [0, 0, 0, 0], [0, 1, 1, 1]], bool)
WORLDS = {
    "plain": {},
    "delayed": {"feedback_delay": 7},
    "mixed-alpha": {"throughput": (0.2, 0.5, 1.0, 0.3), "deployment_cost": 0.5},
    "no-models-for-a-stage": {"available": LATE, "feedback_delay": 2},
    "one-model": {"models": 1},
    "tight": {"budget": 0.05, "max_deployed": 3, "throughput": 0.5},
    "large": {"models": 17, "max_deployed": 6, "throughput": 0.3, "features": 3, "seed": 5},
}


# These compile for long.
NAMES = quick_ones(names(), *sorted({*names()} - {"feature-route", "offline-ridge"}))


def play(env: Any, agent: Any, *, deterministic: bool = False, seed: int = 1) -> tuple[list, dict]:
    """Actions of one episode, and the last ``info``."""
    observation, info = env.reset(seed=seed)
    state, actions, start, over = None, [], np.array([True]), False
    while not over:
        action, state = agent.predict(
            observation, state=state, episode_start=start, deterministic=deterministic
        )
        assert env.action_space.contains(np.asarray(action)[()])
        observation, _, over, _, info = env.step(action)
        actions.append(np.array(action))
        start = np.array([False])
    return actions, info


@pytest.mark.parametrize("continuous", [False, True])
@pytest.mark.parametrize("world", quick_ones(WORLDS, "plain", "mixed-alpha", "tight"))
@pytest.mark.parametrize("name", NAMES)
def test_an_episode_holds_no_forbidden_action(name, world, continuous):
    env = make_env(make_world(**WORLDS[world]), continuous=continuous)
    actions, info = play(env, make(name, env, seed=3))
    assert info["invalid_actions"] == 0
    again, _ = play(env, make(name, env, seed=3))
    assert all((a == b).all() for a, b in zip(actions, again, strict=True))


@pytest.mark.parametrize("continuous", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_a_batch_out_of_step_goes_on_over_several_episodes(name, continuous):
    # Under a hard budget the episodes of a batch end, and start anew, at different steps.
    world = make_world(horizon=30, budget=0.4, features=2, feedback_delay=2)
    vector = make_vector(world, 6, continuous=continuous)
    agent = make(name, vector)
    observation, _ = vector.reset(seed=0)
    state, invalid = None, 0
    for _ in range(120):
        actions, state = agent.predict(observation, state=state)
        observation, *_, info = vector.step(actions)
        invalid = max(invalid, info["invalid_actions"].max())
    assert invalid == 0


@pytest.mark.parametrize(
    "name",
    sorted(set(names()) - {"uniform", "thompson-lp", "budgeted-thompson", "litellm-adaptive"}),
)
def test_a_new_episode_starts_from_a_clean_memory(name):
    env = make_env(make_world(budget_rule="soft", features=2), continuous=True)
    agent = make(name, env)
    first, _ = play(env, agent)
    observation, _ = env.reset(seed=8)
    state = None
    for _ in range(25):
        action, state = agent.predict(observation, state=state)
        observation, *_ = env.step(action)
    observation, _ = env.reset(seed=1)
    for expected in first:
        action, state = agent.predict(observation, state=state)
        np.testing.assert_array_equal(action, expected)
        observation, *_ = env.step(action)


@pytest.mark.parametrize("name", NAMES)
def test_deterministic_actions_are_allowed_too(name):
    env = make_env(make_world())
    _, info = play(env, make(name, env), deterministic=True)
    assert info["invalid_actions"] == 0


@pytest.mark.parametrize("name", NAMES)
def test_what_an_agent_returns_has_the_dtype_and_shape_of_the_space(name):
    world = make_world()
    for continuous in (False, True):
        env = make_env(world, continuous=continuous)
        action, state = make(name, env).predict(env.reset(seed=0)[0])
        assert np.asarray(action).shape == env.action_space.shape
        assert np.asarray(action).dtype == env.action_space.dtype
        assert all(len(values) == 1 for values in state.values())


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_refuses_a_negative_number(name):
    env = make_env(make_world())
    for parameter in parameters_of(load(name)):
        with pytest.raises(ValueError, match=f"^{parameter} = -1"):
            make(name, env, **{parameter: -1})


@pytest.mark.parametrize("name", NAMES)
def test_equal_outcomes_and_costs_of_zero_do_no_harm(name):
    world = make_world()
    table = world.table
    score, cost = np.full(table.score.shape, 0.5), np.zeros(table.cost.shape)
    cost[0] = 1e-3
    object.__setattr__(table, "score", score)
    object.__setattr__(table, "cost", cost)
    env = make_env(world, continuous=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, info = play(env, make(name, env))
    assert info["invalid_actions"] == 0


def test_the_next_episode_of_a_row_draws_anew():
    """Its stream follows from the first one's, not from how much that drew."""
    env = make_env(make_world(models=6, max_deployed=2, budget_rule="soft"))
    agent = make("uniform", env)
    sets, routes = [], []
    for length in (5, 60):
        state = agent.begin([4])
        observation, _ = env.reset(seed=0)
        for _ in range(length):
            action, state = agent.predict(observation, state)
            observation, *_ = env.step(action)
        observation, _ = env.reset(seed=0)
        actions = []
        for _ in range(40):
            action, state = agent.predict(observation, state)
            actions.append(action)
            observation, *_ = env.step(action)
        routes.append(actions)
        sets.append(state["key"][0])
    assert routes[0] == routes[1]
    assert sets[0] != agent.begin([4])["key"][0]


def test_an_agent_knows_no_more_than_its_context():
    context = make_env(make_world()).agent_context
    with pytest.raises(FieldError, match="'oracle': expected another agent: this one knows"):
        make("oracle", context)
    with pytest.raises(
        FieldError, match="parameter of agent stageroute = 'gama': expected 'gamma'"
    ):
        make("stageroute", context, gama=1.0)
    with pytest.raises(FieldError, match=r"^fill_slots = 1: expected True or False"):
        make("stageroute", context, fill_slots=1)
    with pytest.raises(FieldError, match=r"^seed = -1"):
        make("stageroute", context, seed=-1)
    with pytest.raises(FieldError, match=r"^env = 3: expected an AgentContext, or an environment"):
        make("stageroute", 3)


def test_models_are_drawn_by_their_shares_and_the_mask():
    draws, masks = np.linspace(0, 1, 1000, endpoint=False), np.ones((1000, 4), np.int8)

    def drawn(*shares):
        return np.bincount(draw_models(np.tile(shares, (1000, 1)), masks, draws), minlength=4)

    np.testing.assert_allclose(drawn(0.1, 0.2, 0.7), [100, 200, 700, 0], atol=1)
    np.testing.assert_allclose(drawn(0.1, 0.2, 0.3), [100, 200, 700, 0], atol=1)
    masks[:, 1] = 0
    np.testing.assert_allclose(drawn(0.1, 0.2, 0.7), [125, 0, 875, 0], atol=1)
    assert drawn(0.0, 1.0, 0.0).tolist() == [0, 0, 0, 1000]
