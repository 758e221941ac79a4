"""LiteLLM's router, LinCBwK, the offline ridge router and PORT against plain restatements."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from agent_cases import ONE, agent_for, batch, contextual, outcome
from scipy.spatial import cKDTree
from stageroute_agents.contextual.history import Past, read_past
from stageroute_agents.contextual.litellm_adaptive import LiteLlmAdaptive
from stageroute_agents.contextual.offline_ridge import OfflineRidge, ridge_regression
from stageroute_agents.contextual.port import Port, neighbour_means

from stageroute_gym.errors import FieldError
from stageroute_gym.vector import StageRouteContinuousVectorEnv, StageRouteVectorEnv


def context_for(**changes):
    plain = agent_for("linucb", features=2).context
    return plain.replace(**changes)


def test_litellm_weighs_quality_by_type_and_price():
    context = context_for(num_tasks=2)
    agent = LiteLlmAdaptive(context, exploration_rate=0.0, tiers=[1, 3])
    state = agent.initial_state(1)
    seen = [(0, 1, 1.0), (0, 1, 0.5), (1, 0, 0.25), (0, 0, 1.0)]
    beliefs = {(g, m): [10 * (0.3, 0.7)[m], 10 * (0.7, 0.3)[m]] for g in (0, 1) for m in (0, 1)}
    for task, model, score in seen:
        contextual(model, state, agent, np.eye(2)[task], score, 1.0)
        beliefs[task, model][0] += score
        beliefs[task, model][1] += 1 - score
    for (task, model), (a, b) in beliefs.items():
        np.testing.assert_allclose(state["beliefs"][0, task, model], [a, b])
    state["type"][:] = 0
    shown = batch(list_price=[1.0, 3.0], query=[1.0, 0.0])
    at_hand = (beliefs[0, 0], 1), (beliefs[0, 1], 0)
    expected = [0.7 * a / (a + b) + 0.3 * k for (a, b), k in at_hand]
    caps = np.ones((1, 2))
    np.testing.assert_allclose(agent.index(shown, state, ONE, caps)[0], expected)
    alike = agent.index(batch(query=[1.0, 0.0], mean_cost=[2.0, 2.0]), state, ONE, caps)[0]
    np.testing.assert_allclose(alike - expected, [-0.15, 0.15])
    deploying = batch(list_price=[1.0, 3.0], query=[0.0, 0.0], phase=[0])
    mixed = [
        np.average([beliefs[0, m], beliefs[1, m]], axis=0, weights=[0.75, 0.25]) for m in (0, 1)
    ]
    expected = [0.7 * a / (a + b) + 0.3 * k for (a, b), k in zip(mixed, (1, 0), strict=True)]
    np.testing.assert_allclose(agent.index(deploying, state, ONE, caps)[0], expected, rtol=1e-6)


def test_litellm_drops_what_would_overfill_a_belief():
    agent = LiteLlmAdaptive(context_for(num_features=0, feature_names=()))
    state = agent.initial_state(1)
    for step in range(300):
        state["queries"][:] = step
        agent.learn(batch(), state, outcome(0, 1.0, 1.0))
    np.testing.assert_allclose(state["beliefs"][0, 0, 0], [195.0, 5.0])


def test_litellm_draws_around_its_beliefs():
    agent = LiteLlmAdaptive(context_for(num_features=0, feature_names=()))
    state = agent.initial_state(1)
    caps = np.ones((1, 2))
    drawn = []
    for step in range(2_000):
        shown = batch(progress=[step / 100, 0.0])
        drawn.append(agent.index(shown, state, ONE, caps)[0])
    quality = (np.array(drawn) - 0.15) / 0.7
    np.testing.assert_allclose(quality.mean(axis=0), 0.5, atol=0.02)
    np.testing.assert_allclose(quality.var(axis=0), 0.25 / 11, rtol=0.15)


@pytest.mark.parametrize("tiers", [[1], [1, 4], "12", -1])
def test_litellm_s_tiers_are_checked(tiers):
    with pytest.raises(FieldError, match="tiers = "):
        LiteLlmAdaptive(context_for(), tiers=tiers)


def test_lincbwk_goes_by_its_rules():
    agent = agent_for("lincbwk", {"width": 0.01, "delta": 0.1}, features=2)
    state = agent.initial_state(1)
    rng = np.random.default_rng(0)
    queries, scores, costs = rng.random((9, 2)), rng.random(9), 4 * rng.random(9)
    models = rng.integers(0, 2, 9)
    weight, eta = 1.0, math.sqrt(math.log(2) / 100)
    for query, model, score, cost in zip(queries, models, scores, costs, strict=True):
        contextual(int(model), state, agent, query.tolist(), score, cost)
        weight *= (1 + eta) ** (cost / 4 - 1 / 4)
    x = np.column_stack([queries, np.ones(9)]).astype(np.float32).astype(np.float64)
    now = np.array([0.5, 0.25, 1.0])
    state["context"][:] = now
    m, theta = 6, weight / (1 + weight)
    rho = math.sqrt(m * math.log((1 + 10 * m) / 0.1)) + math.sqrt(m)
    expected = []
    for model in (0, 1):
        of = models == model
        inverse = np.linalg.inv(np.eye(3) + x[of].T @ x[of])
        radius = 0.01 * rho * math.sqrt(now @ inverse @ now)
        best = np.clip(now @ inverse @ x[of].T @ scores[of] + radius, 0, 1)
        cheapest = np.clip(now @ inverse @ x[of].T @ (costs[of] / 4) - radius, 0, 1)
        expected.append(best - 4 * theta * cheapest)
    found = agent.index(batch(), state, ONE, np.ones((1, 2)))[0]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    spent = agent.shares(batch(budget_left=[0.0]), state, ONE)
    assert spent.sum() == 0


def test_ridge_regressions_leave_the_constant_free():
    rng = np.random.default_rng(1)
    query, outcomes = rng.normal(size=(40, 3)) * [1, 4, 0] + [0, 2, 5], rng.random((2, 40))
    found = ridge_regression(query, outcomes, 7.0)
    z = np.column_stack([(query[:, :2] - query[:, :2].mean(0)) / query[:, :2].std(0), np.ones(40)])
    # As least squares with a row for each penalty.
    penalty = math.sqrt(7.0) * np.eye(3)[:2]
    for told, y in zip(found, outcomes, strict=True):
        best = np.linalg.lstsq(np.vstack([z, penalty]), np.append(y, [0, 0]))[0]
        np.testing.assert_allclose(query @ told[:-1] + told[-1], z @ best)


def history_file(folder, rows=200):
    """A file in which the first of two features tells which of two models is right."""
    rng = np.random.default_rng(2)
    told = rng.normal(size=(rows, 2))
    columns = {"query_id": [f"q{i}" for i in range(rows)], "task": ["all"] * rows}
    for model, sign in (("dear", 1), ("cheap", -1)):
        columns[f"score:{model}"] = (sign * told[:, 0] > 0).astype(float)
        columns[f"cost:{model}"] = np.full(rows, {"dear": 2.0, "cheap": 1.0}[model])
    columns |= {"feature:a": told[:, 0], "feature:b": told[:, 1]}
    path = folder / "history.parquet"
    pl.DataFrame(columns).write_parquet(path)
    return str(path)


def test_a_history_is_read_for_the_models_and_features_of_the_scenario(tmp_path):
    path = history_file(tmp_path)
    context = context_for(models=("cheap", "dear"), feature_names=("feature:a", "feature:b"))
    past = read_past(path, context)
    assert past.query.shape == (200, 2)
    np.testing.assert_allclose(past.query.std(axis=0), 1.0, rtol=1e-6)
    assert (past.cost == [1.0, 2.0]).all()
    turned = read_past(path, context.replace(feature_names=("feature:b", "feature:a")))
    assert (turned.query == past.query[:, ::-1]).all()
    names = ("task:law", "feature:a", "feature:c")
    with pytest.raises(
        FieldError, match=r"features of history = .*: expected feature:c among them"
    ):
        read_past(path, context.replace(num_features=3, feature_names=names))
    with pytest.raises(
        FieldError, match=r"^feature_names = \(\): expected names of the 2 features"
    ):
        read_past(path, context.replace(feature_names=()))
    with pytest.raises(FieldError, match=r"^data of history = .*: expected an existing file"):
        read_past("nowhere.parquet", context)
    with pytest.raises(FieldError, match="expected a file with the model other"):
        read_past(path, context.replace(models=("cheap", "other")))
    with pytest.raises(FieldError, match=r"^history = 3"):
        OfflineRidge(context, history=3)


@pytest.mark.parametrize("env_class", [StageRouteVectorEnv, StageRouteContinuousVectorEnv])
@pytest.mark.parametrize(("name", "better"), [("offline-ridge", 0.85), ("port", 0.6)])
def test_agents_with_a_history_route_by_it(tmp_path, name, better, env_class):
    path = history_file(tmp_path)
    env = env_class(
        4,
        scenario="recorded",
        data=path,
        features="columns",
        horizon=200,
        num_stages=2,
        throughput=1.0,
        budget=2.0,
    )
    agent = {"offline-ridge": OfflineRidge, "port": Port}[name](env.agent_context, history=path)
    observation, _ = env.reset(seed=0)
    state, total = agent.begin(range(4)), np.zeros(4)
    for _ in range(190):
        action, state = agent.predict(observation, state)
        observation, reward, over, *_ = env.step(action)
        assert not over.any()
        total += reward
    # Each model alone is right on half of the queries.
    assert total.mean() / 190 > better


def test_neighbours_are_those_of_a_tree():
    rng = np.random.default_rng(3)
    query, score, cost = rng.normal(size=(50, 3)), rng.random((50, 4)), rng.random((50, 4))
    model, now = rng.integers(0, 4, 50), rng.normal(size=3)
    means = np.zeros((4, 2))
    neighbour_means(now, query, np.full(50, -1), score, cost, 5, means)
    _, near = cKDTree(query).query(now, 5)
    np.testing.assert_allclose(means[:, 0], score[near].mean(axis=0))
    np.testing.assert_allclose(means[:, 1], cost[near].mean(axis=0))
    one = Past(query, model, score[:, :1], cost[:, :1])
    neighbour_means(now, *one, 5, means)
    for m in range(4):
        of, of_score, of_cost = one.of_model(m)
        _, near = cKDTree(of).query(now, 5)
        np.testing.assert_allclose(means[m], [of_score[near].mean(), of_cost[near].mean()])


def test_port_s_prices_minimise_the_dual():
    agent = Port(context_for(), alpha=0.5, eps=0.1)
    rng = np.random.default_rng(4)
    estimates, budgets = rng.random((30, 2, 2)), np.array([20.0, 40.0])

    def dual(gamma):
        worth = 0.5 * estimates[:, :, 0] - gamma * estimates[:, :, 1]
        return 0.1 * gamma @ budgets + worth.max(axis=1).sum()

    found = agent.prices(estimates, budgets)
    grid = np.linspace(0, 1, 101)
    best = min(dual(np.array([a, b])) for a in grid for b in grid)
    # The dual has kinks, at which L-BFGS-B may stop short.
    assert dual(found) <= dual(np.full(2, 0.5)) + 1e-12
    assert best - 0.05 <= dual(found) <= 1.05 * best


def test_port_declines_where_a_model_s_budget_is_used_up():
    agent = Port(context_for(), alpha=1.0)
    state = agent.initial_state(1)
    state["fitted"][:], state["priced"][:] = True, True
    state["now"][0, :, 0] = [0.9, 0.1]
    state["budgets"][:] = 1.0
    np.testing.assert_allclose(agent.shares(batch(), state, ONE), [[1.0, 0.0]])
    state["spent"][0, 0] = 1.0
    np.testing.assert_allclose(agent.shares(batch(), state, ONE), [[0.0, 0.0]])
