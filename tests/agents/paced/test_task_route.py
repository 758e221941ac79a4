"""RouteOPT over tasks against HiGHS, and against RouteOPT where there is one task."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog
from stageroute_agents.paced.task_route import query_budget, route_paced_rows, route_tasks_kernel

from stageroute_gym.optimize import route_lp


def random_case(rng, groups, models):
    """A problem of every kind: ties, zero costs, budgets that bind, do not, or cannot be met."""
    score, cost = rng.random((groups, models)), rng.exponential(1.0, (groups, models))
    if rng.random() < 0.3:
        score, cost = np.round(score, 1), np.round(cost, 1)
    weight = rng.dirichlet(np.ones(groups))
    caps = rng.choice([0.0, 0.2, 0.4, 1.0], models)
    if not caps.any():
        caps[0] = 0.4
    budget = float(rng.choice([0.05, 0.3, 0.8, 3.0]))
    return score, cost, weight, budget, caps


def by_highs(score, cost, weight, budget, caps):
    """Value and cost of the best mixture, or of the cheapest one where none is affordable."""
    groups, models = score.shape
    equal = np.kron(np.eye(groups), np.ones(models))
    mass = np.full(groups, min(1.0, caps.sum()))
    bounds = [(0.0, cap) for _ in range(groups) for cap in caps]
    spend = (weight[:, None] * cost).ravel()
    worth = (weight[:, None] * score).ravel()
    found = linprog(-worth, spend[None], [budget], equal, mass, bounds, method="highs")
    if found.status == 0:
        return -found.fun, spend @ found.x
    cheapest = linprog(spend, None, None, equal, mass, bounds, method="highs")
    return None, cheapest.fun


@pytest.mark.parametrize(("groups", "models"), [(1, 5), (3, 4), (8, 6)])
def test_equals_highs(groups, models):
    rng = np.random.default_rng(groups)
    affordable = 0
    for _ in range(300):
        case = random_case(rng, groups, models)
        score, cost, weight, budget, caps = case
        cheap, dear = np.zeros(score.shape), np.zeros(score.shape)
        part, value, spend = route_tasks_kernel(*case, cheap, dear)
        shares = (part * dear if part > 0 else 0) + ((1 - part) * cheap if part < 1 else 0)
        best, of_best = by_highs(*case)
        np.testing.assert_allclose(shares.sum(axis=1), min(1.0, caps.sum()), atol=1e-9)
        assert ((shares >= -1e-12) & (shares <= caps + 1e-12)).all()
        assert weight @ (shares * score).sum(axis=1) == pytest.approx(value, abs=1e-9)
        assert weight @ (shares * cost).sum(axis=1) == pytest.approx(spend, abs=1e-9)
        if best is None:
            assert spend == pytest.approx(of_best, abs=1e-9)
        else:
            affordable += 1
            assert value == pytest.approx(best, abs=1e-8)
            assert spend <= budget + 1e-9
    assert 50 < affordable < 300


def routed(score, cost, weight, budget, caps, task):
    """The shares for one query, with the whole budget for it, of arrays (G, N), (G,) and (N,)."""
    shares = np.empty((1, len(caps)))
    route_paced_rows(
        np.zeros(1, np.int64),
        score[None],
        np.zeros((1, *score.shape)),
        cost[None],
        np.array([weight], np.float64),
        np.array([task]),
        np.zeros(1, np.int64),
        np.full(1, np.nan),
        np.array([budget]),
        (caps > 0)[None].astype(np.float32),
        caps,
        np.array([1]),
        (1.0, 1, -1.0),
        shares,
    )
    return shares[0]


def test_one_task_is_route_opt():
    rng = np.random.default_rng(0)
    rows, models = 200, 6
    score, cost = rng.random((rows, 1, models)), rng.exponential(1.0, (rows, 1, models))
    caps = rng.choice([0.2, 0.4, 1.0], (rows, models))
    budget = rng.uniform(0.1, 2.0, rows)
    plan = route_lp(score[:, 0], cost[:, 0], budget, caps)
    for row in range(rows):
        shares = routed(score[row], cost[row], [1.0], budget[row], caps[row], 0)
        np.testing.assert_allclose(shares, plan.probabilities[row], atol=1e-9)


def test_a_task_is_routed_by_its_own_scores():
    """Model 1 is worth its price on the second task only."""
    score, cost = np.array([[0.6, 0.6], [0.2, 0.9]]), np.array([[1.0, 3.0], [1.0, 3.0]])
    for task, expected in ((0, [1.0, 0.0]), (1, [0.0, 1.0])):
        shares = routed(score, cost, [0.5, 0.5], 2.0, np.ones(2), task)
        np.testing.assert_allclose(shares, expected, atol=1e-12)


def test_a_query_may_cost_what_is_left_over_the_queries_left():
    assert query_budget(30.0, np.nan, 40, 60, 100) == 0.5
    assert query_budget(30.0, 20.0, 40, 60, 100) == 0.5
    assert query_budget(30.0, 20.0, 60, 60, 100) == 10.0
    assert query_budget(-3.0, np.nan, 40, 60, 100) == query_budget(3.0, 4.0, 40, 60, 100) == 0.0
