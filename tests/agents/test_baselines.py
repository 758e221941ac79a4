"""Each baseline against a case computed by hand, or a property of its published rule."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from stageroute_agents import make
from stageroute_agents.memory import Outcomes
from worlds import make_env, make_vector, make_world

GAMMA = 0.1


def agent_for(name: str, parameters: dict[str, Any] | None = None, **world: Any) -> Any:
    """An agent for two models (throughput 1, budget 1 USD, costs up to 4 USD) by default."""
    made = make_world(**({"models": 2, "horizon": 100, "stages": 1} | world))
    env = make_env(made, continuous=True)
    env.cost_bounds = (0.5, 4.0)
    return make(name, env, **(parameters or {}))


def batch(models: int = 2, **fields: Any) -> dict[str, np.ndarray]:
    """A route step of one episode in which all models are deployed."""
    everything = {
        "phase": [1],
        "progress": [0.5, 0.5],
        "available": np.ones(models),
        "deployed": np.ones(models),
        "pulls": np.full(models, 10),
        "mean_score": np.full(models, 0.5),
        "mean_cost": np.ones(models),
        "list_price": np.zeros(models),
        "budget_left": [0.5],
        "query": [0.0],
        "last_action": [-1],
        "last_score": [0],
        "last_cost": [0],
        "action_mask": np.ones(models + 1),
    } | fields
    return {name: np.array([value], np.float32) for name, value in everything.items()}


def outcome(model: int, score: float, cost: float) -> Outcomes:
    return Outcomes(np.array([True]), np.array([model]), np.array([score]), np.array([cost]))


def follow(agents: list[Any], world: Any, steps: int) -> list[list[np.ndarray]]:
    """What each agent would do along the episode that the first one plays."""
    env = make_env(world, continuous=True)
    observation, _ = env.reset(seed=0)
    states, actions = [None] * len(agents), []
    for _ in range(steps):
        row = []
        for i, agent in enumerate(agents):
            action, states[i] = agent.predict(observation, state=states[i])
            row.append(action)
        actions.append(row)
        observation, _, over, _, _ = env.step(row[0])
        if over:
            break
    return actions


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
    score, variance = agent.predictions({**state, **batch(query=np.eye(3)[0])})
    assert np.isfinite(score).all()
    assert (variance >= 0).all()


def test_ucb_bwk_is_stageroute_with_a_smaller_budget_in_the_paper_s_special_case():
    common = {"models": 5, "stages": 1, "max_deployed": 5, "budget_rule": "soft", "horizon": 200}
    world, smaller = make_world(**common), make_world(**common, budget=0.75)
    stageroute = make("stageroute", make_env(smaller, continuous=True), gamma=GAMMA)
    bwk = make("ucb-bwk", make_env(world, continuous=True), gamma=GAMMA, epsilon=0.25)
    actions = follow([stageroute, bwk], world, 200)
    mixed = 0
    for first, second in actions:
        np.testing.assert_array_equal(first, second)
        mixed += (first > 0).sum() == 2
    assert mixed > 50


def test_pd_bwk_ranks_by_bang_per_buck_and_prices_by_hedge():
    agent = agent_for("pd-bwk", {"C_rad": 0.0})
    state = agent.initial_state(1)
    # B = 1 * 100 / 4 = 25; without a radius the bounds are the means, as shares of c2 = 4.
    epsilon, time = math.sqrt(math.log(2) / 25), 0.25
    seen = batch(mean_score=[0.6, 0.9], mean_cost=[0.8, 2.0])
    index = agent.index(seen | state, np.ones((1, 2)))
    # At v = (1, 1), to a common factor: 0.6 / (0.2 + 0.25) and 0.9 / (0.5 + 0.25).
    np.testing.assert_allclose(index[0, 0] / index[0, 1], (0.6 / 0.45) / (0.9 / 0.75))
    agent.learn(seen, state, outcome(1, 1.0, 3.0))
    money, clock = (1 + epsilon) ** 0.5, (1 + epsilon) ** time
    np.testing.assert_allclose(np.exp(state["log_price"]), money / clock)
    index = agent.index(seen | state, np.ones((1, 2)))
    expected = [0.6 / (money * 0.2 + clock * time), 0.9 / (money * 0.5 + clock * time)]
    np.testing.assert_allclose(index[0, 0] / index[0, 1], expected[0] / expected[1])
    untried = agent.index(batch(pulls=[0, 10]) | state, np.ones((1, 2)))
    assert untried[0, 0] == np.inf


def test_lagrange_bwk_updates_both_players_as_published():
    agent = agent_for("lagrange-bwk")
    state = agent.initial_state(1)
    seen = batch()
    agent.learn(seen, state, outcome(-1, 0.0, 0.0))
    rate = min(0.6, 2 * math.sqrt(0.6 * 2 * math.log(2) / 100))
    np.testing.assert_allclose(agent.shares(seen | state), [[0.5, 0.5]])
    # The declined query earned 1 - 0 for money, 0 for time; the payoff lies in [1 - 4, 2].
    hedge = math.sqrt(8 * math.log(2) / 100) / 5
    np.testing.assert_allclose(state["log_price"], -hedge)
    state["log_price"][:] = 0.0
    agent.learn(seen, state, outcome(0, 0.8, 3.0))
    # At equal weights of money and time: L = 0.8 + (1 - 3) / 2, scaled to (L + 3) / 5.
    gain = ((0.8 - 1.0 + 3.0) / 5) / 0.5
    step = rate / 6 * gain
    np.testing.assert_allclose(state["log_weights"], [[step / 2, -step / 2]])
    np.testing.assert_allclose(state["log_price"], 2 * hedge)
    weights = np.exp([step / 2, -step / 2])
    mixed = (1 - rate) * weights / weights.sum() + rate / 2
    np.testing.assert_allclose(agent.shares(seen | state), [mixed])


def test_thompson_sampling_draws_from_the_beta_posteriors():
    agent = agent_for("thompson-lp")
    seen = batch(pulls=[30, 0], mean_score=[0.8, 0.0], mean_cost=[1.0, 0.0])
    draws = [agent.estimates(seen) for _ in range(4_000)]
    score, cost = (np.concatenate([draw[i] for draw in draws]) for i in range(2))
    # Beta(1 + 24, 1 + 6) and Beta(1, 1); costs Beta(1 + 7.5, 1 + 22.5) and Beta(1, 1) of 4 USD.
    np.testing.assert_allclose(score.mean(axis=0), [25 / 32, 0.5], atol=0.02)
    np.testing.assert_allclose(score.var(axis=0), [25 * 7 / (32**2 * 33), 1 / 12], rtol=0.1)
    np.testing.assert_allclose(cost.mean(axis=0), [4 * 8.5 / 32, 2.0], atol=0.05)


def test_thompson_sampling_routes_by_the_programme_on_its_draws():
    agent = agent_for("thompson-lp")
    many = batch(pulls=[10**7, 10**7], mean_score=[0.2, 0.9], mean_cost=[0.5, 2.5])
    # 0.5 p + 2.5 (1 - p) = 1.
    np.testing.assert_allclose(agent.shares(many), [[0.75, 0.25]], atol=0.01)


def test_budgeted_thompson_counts_trials_and_ranks_by_the_ratio():
    agent = agent_for("budgeted-thompson")
    state = agent.initial_state(1)
    for _ in range(2_000):
        agent.learn(batch(), state, outcome(1, 0.3, 1.0))
    np.testing.assert_allclose(state["score_ones"], [[0, 600]], atol=80)
    np.testing.assert_allclose(state["cost_ones"], [[0, 500]], atol=80)
    certain = {"score_ones": np.array([[5e6, 9e6]]), "cost_ones": np.array([[1e6, 3e6]])}
    index = agent.index(batch(pulls=[1e7, 1e7]) | certain, np.ones((1, 2)))
    np.testing.assert_allclose(index, [[5.0, 3.0]], rtol=0.01)


def test_epsilon_greedy_explores_a_fixed_share_and_paces_its_budget():
    agent = agent_for("epsilon-greedy", {"epsilon": 0.2})
    np.testing.assert_allclose(agent.budgets(batch(progress=[0.75, 0], budget_left=[0.5])), [2.0])
    rich = batch(mean_score=[0.2, 0.9], mean_cost=[0.5, 1.5], budget_left=[0.9])
    np.testing.assert_allclose(agent.shares(rich), [[0.1, 0.9]])
    poor = batch(mean_score=[0.2, 0.9], mean_cost=[0.5, 1.5], budget_left=[0.1])
    np.testing.assert_allclose(agent.shares(poor), [[0.9, 0.1]])


def contextual(model: int, state: dict, agent: Any, x: list, score: float, cost: float) -> None:
    """One query with the features ``x``, served by ``model``."""
    nothing = Outcomes(np.array([False]), np.array([-1]), np.zeros(1), np.zeros(1))
    agent.learn(batch(query=x), state, nothing)
    state["queries"] += 1
    agent.learn(batch(query=x, phase=[0]), state, outcome(model, score, cost))


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
    index = agent.index(state, np.ones((1, 2)))
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
        agent.observe(row, state, None)
    # After 3 and 4 queries the outcomes of query 0 and query 1 are due, and only once each.
    np.testing.assert_allclose(state["score_sum"][0, 0], [0.0 + 0.1, 2.0], rtol=1e-6)
    agent.observe(row, state, None)
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
    index = agent.index(seen | state, np.ones((1, 2)))
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


def test_the_sliding_window_holds_the_last_tau_queries():
    agent = agent_for("sw-ucb", {"tau": 4, "xi": 0.6})
    state = agent.initial_state(1)
    history = [(0, 1.0, 2.0), (1, 0.5, 1.0), (1, 0.1, 3.0), (-1, 0.0, 0.0), (1, 0.3, 1.0)]
    for number, (model, score, cost) in enumerate([*history, (0, 0.6, 0.7)], start=1):
        state["queries"][:] = number
        agent.learn(batch(), state, outcome(model, score, cost))
    # Left: (1, 0.1, 3), declined, (1, 0.3, 1), (0, 0.6, 0.7).
    score, cost = agent.estimates(batch() | state)
    pad = 0.6 * math.log(4)
    np.testing.assert_allclose(score, [[0.6 + math.sqrt(pad), 0.2 + math.sqrt(pad / 2)]])
    np.testing.assert_allclose(cost, [[0.7, 2.0]])


def test_discounted_ucb_weighs_by_age():
    agent = agent_for("d-ucb", {"gamma": 0.5, "xi": 0.6})
    state = agent.initial_state(1)
    for model, score, cost in [(0, 1.0, 2.0), (1, 0.5, 1.0), (0, 0.2, 1.0)]:
        agent.learn(batch(), state, outcome(model, score, cost))
    score, cost = agent.estimates(batch() | state)
    pad = 0.6 * math.log(1.75)
    expected = [0.45 / 1.25 + 2 * math.sqrt(pad / 1.25), 0.5 + 2 * math.sqrt(pad / 0.5)]
    np.testing.assert_allclose(score, [expected])
    np.testing.assert_allclose(cost, [[1.5 / 1.25, 1.0]])


@pytest.mark.parametrize("name", ["sw-ucb", "d-ucb"])
def test_policies_that_forget_notice_a_change_that_the_mean_hides(name):
    agent = agent_for(name, {"tau": 50} if name == "sw-ucb" else {"gamma": 0.95}, horizon=2_000)
    state = agent.initial_state(1)
    for number in range(1, 1_201):
        state["queries"][:] = number
        good = 0 if number <= 1_000 else 1
        agent.learn(batch(), state, outcome(number % 2, float(number % 2 == good), 1.0))
    score, _ = agent.estimates(batch() | state)
    assert score[0, 1] > score[0, 0]


def test_cucb_pads_by_the_published_radius():
    agent = agent_for("cucb")
    score, cost = agent.estimates(batch(pulls=[60, 0], mean_score=[0.3, 0], progress=[0.6, 0]))
    np.testing.assert_allclose(score, [[0.3 + math.sqrt(1.5 * math.log(61) / 60), 1.0]], rtol=1e-6)
    np.testing.assert_allclose(cost, [[1.0, 0.5]])


def test_explore_then_commit_explores_then_holds_on_to_its_means():
    agent = agent_for("explore-then-commit", {"m": 20})
    state = agent.initial_state(1)
    early = batch(pulls=[20, 15], mean_score=[0.9, 0.5], mean_cost=[2.5, 0.5])
    agent.learn(early, state, outcome(-1, 0.0, 0.0))
    np.testing.assert_allclose(agent.shares(early | state), [[0.0, 1.0]], atol=1e-6)
    later = batch(pulls=[90, 20], mean_score=[0.0, 0.5], mean_cost=[9.0, 0.5])
    agent.learn(later, state, outcome(-1, 0.0, 0.0))
    # Committed to 0.9 for 2.5 USD and 0.5 for 0.5 USD, whatever came after the 20th try.
    np.testing.assert_allclose(agent.shares(later | state), [[0.25, 0.75]], atol=1e-6)


def test_ablations_switch_off_one_part_each():
    world = make_world(
        models=6,
        max_deployed=4,
        horizon=300,
        stages=5,
        budget=0.6,
        throughput=0.6,
        budget_rule="soft",
    )
    env = make_env(world, continuous=True)
    names = ["stageroute", "stageroute-mean-deployment", "stageroute-fixed-routing"]
    agents = [make(name, env) for name in [*names, "stageroute-unfilled"]]
    actions = follow(agents, world, 305)
    deploying = [row for row in actions if row[0].sum() > 1.5]
    assert len(deploying) == 5
    assert all((row[0] == row[2]).all() for row in deploying)
    assert all((row[3] <= row[0]).all() for row in deploying)
    assert any(row[3].sum() < 4 for row in deploying)
    routing = [row for row in actions if not any(row is other for other in deploying)]
    assert all((row[0] == row[1]).all() for row in routing)
    fixed, resolved = (len({tuple(row[i]) for row in routing}) for i in (2, 0))
    assert fixed <= 5 < resolved
    starts = [i + 1 for i, row in enumerate(actions) if any(row is d for d in deploying)]
    assert all((actions[i][0] == actions[i][2]).all() for i in starts)


def test_deployment_without_optimism_takes_an_untried_model_for_an_average_one():
    agent = agent_for("stageroute-mean-deployment", models=3)
    seen = batch(3, pulls=[9, 1, 0], mean_score=[0.9, 0.5, 0.0], mean_cost=[2.0, 1.0, 0.0])
    score, cost = agent.deployment_estimates(seen)
    np.testing.assert_allclose(score, [[0.9, 0.5, 0.7]], rtol=1e-6)
    np.testing.assert_allclose(cost, [[2.0, 1.0, 1.5]], rtol=1e-6)


def test_all_algorithms_without_slots_deploy_what_their_index_ranks_best():
    world = make_world(models=6, max_deployed=3)
    env = make_vector(world, 2, continuous=True)
    for name in ("pd-bwk", "linucb", "paretobandit", "ucb-bwk", "sw-ucb", "d-ucb"):
        agent = make(name, env)
        seen = batch(models=6, phase=[0], pulls=np.arange(1, 7), deployed=np.zeros(6))
        seen["mean_score"] = np.linspace(0.1, 0.9, 6, dtype=np.float32)[None]
        everything = seen | agent.initial_state(1)
        index = agent.index(everything, np.ones((1, 6)))
        chosen = agent.plan(everything)[0]
        assert chosen.sum() == 3
        assert index[0, chosen].min() >= index[0, ~chosen].max()
