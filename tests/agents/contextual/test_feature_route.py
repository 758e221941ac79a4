"""FeatureRoute: its regressions, prices and sets against plain numpy, HiGHS and brute force."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.optimize import linprog
from stageroute_agents.contextual.feature_route import FeatureRoute
from stageroute_agents.contextual.prices import solve
from stageroute_agents.contextual.regression import (
    NUM_TRIED,
    OWN,
    PAYS,
    SCORE,
    fit_rows,
    learn_rows,
)
from stageroute_agents.contextual.sets import best_members
from stageroute_agents.paced.paced_route import PacedRoute

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation import evaluate
from stageroute_gym.vector import StageRouteContinuousVectorEnv, StageRouteVectorEnv

ROW = np.zeros(1, np.int64)


def books(models, size):
    """Empty books of one episode."""
    return {
        "products": np.zeros((1, models, size + 1, size + 1)),
        "sums": np.zeros((1, models, 2, size + 1)),
        "common": np.zeros((1, 2, size)),
        "own": np.zeros((1, 2, models, size)),
        "trials": np.zeros((1, 2, NUM_TRIED)),
    }


def fitted(x, models, residual, known, spread):
    """Outcomes booked one by one, then fitted once."""
    size = x.shape[1]
    for row, model, r in zip(x, models, residual, strict=True):
        learn_rows(ROW, np.array([model]), row[None], r[None], *known.values(), 2.5)
    met = np.concatenate([[len(x)], x.sum(axis=0), (x**2).sum(axis=0)])[None]
    centre, unsure = np.zeros((1, size)), np.zeros((1, known["own"].shape[2]))
    fit_rows(
        ROW,
        known["products"],
        known["sums"],
        met,
        known["trials"],
        spread,
        known["common"],
        known["own"],
        centre,
        unsure,
    )
    return centre[0], unsure[0]


def test_regressions_are_ridge_regressions_on_standardised_features():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3)) * [1.0, 5.0, 0.2] + [0.0, 3.0, 1.0]
    models, residual = rng.integers(0, 2, 60), rng.normal(size=(60, 2))
    known, spread = books(2, 3), np.array([[[0.5, 0.02], [0.1, 0.3]]])
    first = spread.copy()
    centre, unsure = fitted(x, models, residual, known, spread)
    np.testing.assert_allclose(centre, x.mean(axis=0))
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    for kind in range(2):
        within, along = np.zeros((2, 3, 3)), np.zeros((2, 3))
        for m in range(2):
            of = z[models == m] - z[models == m].mean(axis=0)
            within[m], along[m] = of.T @ of, of.T @ residual[models == m, kind]
        common = np.eye(3) / first[0, kind, 0]
        beta = np.linalg.solve(within.sum(axis=0) + common, along.sum(axis=0))
        np.testing.assert_allclose(known["common"][0, kind] * x.std(axis=0), beta, rtol=1e-9)
        for m in range(2):
            ridge = within[m] + np.eye(3) / first[0, kind, OWN]
            delta = np.linalg.solve(ridge, along[m] - within[m] @ beta)
            np.testing.assert_allclose(known["own"][0, kind, m] * x.std(axis=0), delta, rtol=1e-9)
            if kind == SCORE:
                np.testing.assert_allclose(unsure[m], np.trace(np.linalg.inv(ridge)))


def test_predictions_are_tried_before_the_outcome_is_booked():
    known = books(1, 1)
    known["own"][0, SCORE, 0, 0] = 2.0
    for x, r in ((1.0, 5.0), (3.0, 6.0), (2.0, 0.5)):
        of_query = np.array([[x]]), np.array([[r, 0.0]])
        learn_rows(ROW, ROW, *of_query, *known.values(), 2.5)
    # The first outcome has nothing to be compared with; the others have the means before.
    trial, predicted, surprise = known["trials"][0, SCORE], [4.0, 0.0], [1.0, 0.5 - 5.5]
    np.testing.assert_allclose(trial[0], np.dot(surprise, predicted))
    np.testing.assert_allclose(trial[1], np.dot(predicted, predicted))
    np.testing.assert_allclose(trial[2], (surprise[0] - 4.0) ** 2 + surprise[1] ** 2)
    assert trial[3] == 2


@pytest.mark.parametrize("worth", [0.0, 0.3])
def test_features_pay_where_they_tell_something(worth):
    rng = np.random.default_rng(1)
    known, spread = books(2, 4), np.full((1, 2, 2), 0.025)
    for _ in range(10):
        x, models = rng.normal(size=(60, 4)), rng.integers(0, 2, 60)
        residual = rng.normal(size=(60, 2)) * 0.4
        residual[:, SCORE] += worth * np.where(models == 0, 1, -1) * x[:, 2]
        known["trials"][0, :, PAYS] = 0.0
        fitted(x, models, residual, known, spread)
    assert known["trials"][0, SCORE, PAYS] == float(worth > 0)
    assert (spread[0, SCORE, OWN] > spread[0, 1, OWN] * 3) == (worth > 0)


def programme(score, cost, budget, throughput, *, shared):
    """The programme over the queries of a sample, by HiGHS."""
    queries, n = score.shape
    rows = [cost.ravel() / queries]
    limits = [budget]
    caps = np.ones(n) if shared else throughput
    for query in range(queries):
        one = np.zeros((queries, n))
        one[query] = 1.0
        rows.append(one.ravel())
        limits.append(1.0)
    if shared:
        for m in range(n):
            load = np.zeros((queries, n))
            load[:, m] = 1.0 / queries
            rows.append(load.ravel())
            limits.append(throughput[m])
    bounds = [(0, cap) for cap in np.tile(caps, queries)]
    found = linprog(-score.ravel() / queries, np.array(rows), limits, bounds=bounds)
    assert found.status == 0
    return -found.fun


@pytest.mark.slow
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("budget", [0.3, 1.0, 2.0, 9.0])
def test_prices_are_those_of_the_programme(shared, budget):
    rng = np.random.default_rng(2)
    score, throughput = rng.random((64, 4)), np.array([0.5, 0.4, 0.3, 0.6])
    cost = np.array([0.5, 1.0, 2.0, 4.0]) * rng.lognormal(0, 0.3, (64, 1))
    best = programme(score, cost, budget, throughput, shared=shared)
    rents = np.zeros(4)
    low, high, part, value = solve(
        score, cost, budget, np.arange(4), throughput, shared, 0.0, rents
    )
    assert 0 <= low <= high
    assert 0 <= part <= 1
    assert value >= best - 1e-9  # any prices bound the programme from above
    # With rents it is descent by coordinates, which stops a little above.
    assert value <= best * (1.01 if shared else 1 + 1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("budget", [0.4, 1.0, 3.0])
def test_sets_are_nearly_the_best(budget):
    rng = np.random.default_rng(3)
    price = np.array([0.3, 0.5, 1.0, 1.2, 2.0, 4.0])
    score = np.clip(0.3 + 0.1 * price + 0.25 * rng.normal(size=(60, 6)), 0, 1)
    cost, throughput = price * rng.lognormal(0, 0.3, (60, 1)), np.full(6, 0.5)

    def value(members):
        numbers = np.array(sorted(members))
        return solve(score, cost, budget, numbers, throughput, False, 0.0, np.zeros(6))[3]

    best = max(value(members) for members in itertools.combinations(range(6), 3))
    found = best_members(score, cost, budget, np.ones(6, np.bool_), throughput, 3, False)
    assert len(set(found.tolist())) == 3
    assert value(found) >= 0.99 * best
    few = best_members(score, cost, budget, price < 0.6, throughput, 3, False)
    assert few.tolist() == [0, 1]


@pytest.mark.slow
@pytest.mark.parametrize("env_class", [StageRouteVectorEnv, StageRouteContinuousVectorEnv])
def test_it_is_paced_route_until_features_pay(env_class):
    env = env_class(2, scenario="noise-features", horizon=300, feedback_delay=3)
    agents = FeatureRoute(env.agent_context, evidence=1e9), PacedRoute(env.agent_context)
    observation, _ = env.reset(seed=5)
    states = [agent.begin([5, 6]) for agent in agents]
    for _ in range(250):
        actions = []
        for i, agent in enumerate(agents):
            action, states[i] = agent.predict(observation, states[i])
            actions.append(action)
        np.testing.assert_array_equal(*actions)
        observation, *_ = env.step(actions[0])


@pytest.mark.slow
@pytest.mark.parametrize("env_class", [StageRouteVectorEnv, StageRouteContinuousVectorEnv])
def test_a_batch_routes_by_features_as_single_episodes_do(env_class):
    scenario = {"scenario": "per-query", "horizon": 400, "num_stages": 4, "max_deployed": 3}

    def play(seeds):
        env = env_class(len(seeds), **scenario)
        agent = FeatureRoute(env.agent_context, evidence=0.5)
        observation, _ = env.reset(seed=seeds[0])
        state, actions = agent.begin(seeds), []
        for _ in range(300):
            action, state = agent.predict(observation, state)
            actions.append(action)
            observation, *_ = env.step(action)
        return np.stack(actions, axis=1), state

    together, state = play([3, 4])
    assert state["trials"][:, :, PAYS].any()
    np.testing.assert_array_equal(together[0], play([3])[0][0])
    np.testing.assert_array_equal(together[1], play([4])[0][0])


@pytest.mark.slow
def test_it_gains_by_features_that_tell_and_loses_nothing_by_others():
    gains = {}
    for name in ("per-query", "noise-features"):
        scores = [
            evaluate(agent, name, range(3), env_id="StageRoute-v0", horizon=5_000)["score"]
            for agent in ("feature-route", "paced-route")
        ]
        gains[name] = float((scores[0] / scores[1] - 1).mean())
    assert gains["per-query"] > 0.2
    assert math.fabs(gains["noise-features"]) < 0.02


@pytest.mark.parametrize(
    ("field", "value"), [("evidence", 0.0), ("feature_width", -1.0), ("set_width", -0.1)]
)
def test_bad_parameters_are_named(field, value):
    context = StageRouteVectorEnv(1, horizon=100).agent_context
    with pytest.raises(FieldError, match=f"{field} = "):
        FeatureRoute(context, **{field: value})
