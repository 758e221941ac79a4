"""LinUCB and ParetoBandit against the regressions that they are made of."""

from __future__ import annotations

import math

import numpy as np
import pytest
from agent_cases import ONE, agent_for, batch, contextual, outcome
from stageroute_agents import make
from worlds import make_env, make_world


def test_paretobandit_stays_sound_where_features_are_collinear_and_fade():
    """One-hot tasks and a constant are collinear; the task of long ago is all but forgotten."""
    agent = agent_for("paretobandit", features=3)
    state, rng = agent.initial_state(1), np.random.default_rng(0)
    for step in range(12_000):
        task = 0 if step < 100 else 1 + step % 2
        query = np.eye(3)[task]
        state["queries"][:] = step
        agent.learn(batch(query=query), state, outcome(int(rng.integers(2)), rng.random(), 1.0))
    precision, inverse = state["precision"][0], state["inverse"][0]
    assert (np.linalg.eigvalsh(precision) > 1e-3).all()
    np.testing.assert_allclose(
        precision @ inverse, np.broadcast_to(np.eye(4), (2, 4, 4)), atol=1e-8
    )
    score, variance = agent.predictions(state, ONE)
    assert np.isfinite(score).all()
    assert (variance >= 0).all()


def test_linucb_solves_the_ridge_regression():
    agent = agent_for("linucb", {"alpha": 0.7, "lambda_0": 2.0, "eta": 3.0}, features=2)
    state = agent.initial_state(1)
    rng = np.random.default_rng(0)
    queries, scores, costs = rng.random((9, 2)), rng.random(9), rng.random(9) + 1.0
    for query, score, cost in zip(queries, scores, costs, strict=True):
        contextual(0, state, agent, query.tolist(), score, cost)
    x = np.column_stack([queries, np.ones(9)]).astype(np.float32).astype(np.float64)
    inverse = np.linalg.inv(2.0 * np.eye(3) + x.T @ x)
    np.testing.assert_allclose(state["inverse"][0, 0], inverse, rtol=1e-6)
    np.testing.assert_allclose(state["inverse"][0, 1], np.eye(3) / 2.0)
    dual = 0.0
    for cost in costs:
        dual = max(0.0, dual + 3.0 / (4.0 * math.sqrt(100)) * (cost - 1.0))
    np.testing.assert_allclose(state["dual"], dual)
    now = np.array([0.5, 0.25, 1.0])
    state["context"][:] = now
    expected = now @ inverse @ (x.T @ scores) + 0.7 * math.sqrt(now @ inverse @ now)
    expected -= dual * np.clip(now @ inverse @ (x.T @ costs), 0.5, 4.0)
    index = agent.index(batch(), state, ONE, np.ones((1, 2)))
    np.testing.assert_allclose(index[0], [expected, 0.7 * math.sqrt(now @ now / 2) - dual * 0.5])


@pytest.mark.parametrize("name", ["linucb", "paretobandit"])
def test_linear_agents_credit_the_query_whose_outcome_is_late(name):
    agent = agent_for(name, {"gamma": 1.0} if name == "paretobandit" else {}, feedback_delay=2)
    state = agent.initial_state(1)
    for number in range(5):
        row = batch(
            query=[number / 10],
            progress=[number / 100, 0],
            last_action=[0 if number > 2 else -1],
            last_score=[1.0],
        )
        agent.observe(row, state)
    # After 3 and 4 queries the outcomes of query 0 and query 1 are due, and only once each.
    np.testing.assert_allclose(state["score_sum"][0, 0], [0.0 + 0.1, 2.0], rtol=1e-6)
    agent.observe(row, state)
    np.testing.assert_allclose(state["score_sum"][0, 0], [0.0 + 0.1, 2.0], rtol=1e-6)
    if name == "paretobandit":
        np.testing.assert_array_equal(state["age"], [[0, 2]])


def test_paretobandit_forgets_and_paces_as_published():
    agent = agent_for("paretobandit", {"gamma": 0.9, "lambda_0": 1.0})
    state = agent.initial_state(1)
    contextual(0, state, agent, [0.0], 0.8, 3.0)
    contextual(1, state, agent, [0.0], 0.4, 3.0)
    contextual(0, state, agent, [0.0], 0.6, 3.0)
    # Constant feature only: A = 0.9^2 (0.9 + 1) + 1 and b = 0.9^2 0.8 + 0.6.
    matrix, vector = 0.81 * 1.9 + 1.0, 0.81 * 0.8 + 0.6
    np.testing.assert_allclose(state["inverse"][0, 0, 1, 1], 1 / matrix)
    np.testing.assert_allclose(state["score_sum"][0, 0, 1], vector)
    np.testing.assert_allclose(state["age"], [[0, 1]])
    smooth, dual = 1.0, 0.0
    for _ in range(3):
        smooth = 0.95 * smooth + 0.05 * 3.0
        dual += 0.05 * (smooth - 1.0)
    np.testing.assert_allclose(state["dual"], dual)
    seen = batch(list_price=[1.0, 2.0])
    index = agent.index(seen, state, ONE, np.ones((1, 2)))
    unit = math.log(1.0 / 0.5) / math.log(4.0 / 0.5)
    expected = vector / matrix + 0.1 * math.sqrt(1 / matrix) - (0.3 + dual) * unit
    np.testing.assert_allclose(index[0, 0], expected)
    # The ceiling 2 / (1 + lambda) rules the dearer model out.
    assert index[0, 1] < -1e8


def test_paretobandit_s_regularisation_never_fades():
    agent = agent_for("paretobandit", {"gamma": 0.5})
    state = agent.initial_state(1)
    for _ in range(300):
        contextual(0, state, agent, [0.0], 0.5, 1.0)
    assert np.linalg.eigvalsh(state["inverse"][0, 0]).max() <= 20.0


def test_paretobandit_by_its_authors_code_tracks_what_is_left_of_the_regularisation():
    agent = agent_for("paretobandit", {"gamma": 0.5, "lambda_0": 2.0, "rules": "code"})
    state = agent.initial_state(1)
    for _ in range(4):
        contextual(0, state, agent, [0.0], 1.0, 1.0)
    # Left after four halvings: 2 / 16, which is below 0.2, so what is missing of 2 is added.
    np.testing.assert_array_equal(state["regularisation"], [[2.0, 2.0]])
    # Constant: 2 / 16 + 1/8 + 1/4 + 1/2 + (2 - 1/8) + 1; the feature is 0 throughout.
    np.testing.assert_allclose(np.diag(state["precision"][0, 0]), [2.0, 2.0 + 1.875])


def test_paretobandit_by_its_authors_code_ages_no_further_than_1000_outcomes():
    seen, usable = batch(list_price=[1.0, 1.0]), np.ones((1, 2))
    gains = {}
    for rules in ("paper", "code"):
        agent = agent_for("paretobandit", {"alpha": 1.0, "rules": rules})
        state = agent.initial_state(1)
        state["context"][:] = [0.0, 1.0]
        state["age"][:] = [[0.0, 5000.0]]
        index = agent.index(seen, state, ONE, usable)[0]
        gains[rules] = index[1] - index[0]
    # sqrt(v / max(gamma^dt, 1 / V_max)) at v = 1: V_max = 200 binds, or gamma^-1000 = 20.2 does.
    assert gains["paper"] == pytest.approx(math.sqrt(200.0) - 1)
    assert gains["code"] == pytest.approx(0.997**-500 - 1)


def test_linucb_chooses_what_mabwiser_s_does():
    """One stream of queries, with a price of 0 on costs."""
    mab = pytest.importorskip("mabwiser.mab", reason="MABWiser comes with the extra dev")
    world = make_world(
        models=4,
        rows=200,
        features=3,
        horizon=500,
        stages=1,
        max_deployed=4,
        budget_rule="soft",
    )
    env = make_env(world, continuous=True)
    agent, state = make("linucb", env, alpha=0.5, lambda_0=1.0, eta=0.0), None
    peer = mab.MAB([0, 1, 2, 3], mab.LearningPolicy.LinUCB(alpha=0.5, l2_lambda=1.0))
    observation, _ = env.reset(seed=0)
    choices, over = [], False
    while not over:
        action, state = agent.predict(observation, state)
        if observation["phase"][0] > 0:
            x = np.append(observation["query"], 1.0)[None].astype(np.float64)
            choices.append(int(action.argmax()))
            assert action[choices[-1]] == 1.0
            if len(choices) > 1:
                assert peer.predict(x) == choices[-1]
        observation, score, over, *_ = env.step(action)
        if len(choices) == 1 and observation["last_action"][0] >= 0:
            peer.fit(choices, [score], x)
        elif choices:
            peer.partial_fit(choices[-1:], [score], x)
    assert len(choices) == 500
    assert len(set(choices)) == 4


@pytest.mark.parametrize("name", ["linucb", "paretobandit"])
def test_linear_agents_are_blind_where_features_are_switched_off(name):
    world = make_world(models=3, features=4, horizon=60)
    told, blind = (make_env(world, continuous=True).agent_context for _ in range(2))
    agents = (
        make(name, told, features=False),
        make(name, blind.replace(num_features=0, feature_names=())),
    )
    env = make_env(world, continuous=True)
    observation, _ = env.reset(seed=3)
    states = [None, None]
    for _ in range(60):
        actions = []
        for i, agent in enumerate(agents):
            seen = observation if i == 0 else {**observation, "query": observation["query"][:0]}
            action, states[i] = agent.predict(seen, states[i])
            actions.append(action)
        np.testing.assert_array_equal(*actions)
        observation, _, over, _, _ = env.step(actions[0])
        if over:
            break
    assert make(name, told).size == 5
