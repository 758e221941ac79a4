"""RouteOPT over tasks against HiGHS, and against RouteOPT where there is one task."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog
from stageroute_agents.paced.task_route import (
    Settings,
    query_budget,
    route_paced_rows,
    route_tasks_kernel,
)

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
    """Value of the best mixture, where queries may be declined."""
    groups, models = score.shape
    served = np.kron(np.eye(groups), np.ones(models))
    bounds = [(0.0, cap) for _ in range(groups) for cap in caps]
    limits = np.append(np.ones(groups), budget)
    rows = np.vstack([served, (weight[:, None] * cost).ravel()])
    found = linprog(-(weight[:, None] * score).ravel(), rows, limits, bounds=bounds, method="highs")
    return -found.fun


@pytest.mark.parametrize(("groups", "models"), [(1, 5), (3, 4), (8, 6)])
def test_equals_highs(groups, models):
    rng = np.random.default_rng(groups)
    declined = 0
    for _ in range(300):
        case = random_case(rng, groups, models)
        score, cost, weight, budget, caps = case
        cheap, dear = np.zeros(score.shape), np.zeros(score.shape)
        part, value, spend = route_tasks_kernel(*case, cheap, dear)
        shares = (part * dear if part > 0 else 0) + ((1 - part) * cheap if part < 1 else 0)
        assert (shares.sum(axis=1) <= 1.0 + 1e-9).all()
        assert ((shares >= -1e-12) & (shares <= caps + 1e-12)).all()
        assert weight @ (shares * score).sum(axis=1) == pytest.approx(value, abs=1e-9)
        assert weight @ (shares * cost).sum(axis=1) == pytest.approx(spend, abs=1e-9)
        assert value == pytest.approx(by_highs(*case), abs=1e-8)
        assert spend <= budget + 1e-9
        declined += bool((shares.sum(axis=1) < min(1.0, caps.sum()) - 1e-6).any())
        # What the continuous environment can carry out: all of a query, or every model at its cap.
        for vertex in (part > 0 and dear, part < 1 and cheap):
            for row in vertex if vertex is not False else ():
                assert row.sum() == pytest.approx(1.0) or np.isin(row, [*caps, 0.0]).all()
    assert 50 < declined < 300


def routed(score, cost, weight, budget, caps, task, *, continuous=False, key=0):
    """The shares for one query, with the whole budget for it, of arrays (G, N), (G,) and (N,)."""
    shares = np.empty((1, len(caps)))
    route_paced_rows(
        np.zeros(1, np.int64),
        score[None],
        np.zeros((1, *score.shape)),
        np.ones((1, len(caps))),
        cost[None],
        np.array([weight], np.float64),
        np.array([task]),
        np.zeros(1, np.int64),
        np.full(1, np.nan),
        np.array([budget]),
        (caps > 0)[None].astype(np.float32),
        caps,
        np.array([1]),
        np.array([key], np.uint64),
        Settings(1.0, 1, 0, -1.0, continuous),
        shares,
    )
    return shares[0]


def test_one_task_is_route_opt_where_it_serves_all():
    rng = np.random.default_rng(0)
    served = 0
    for _ in range(200):
        score, cost = rng.random((1, 6)), rng.exponential(1.0, (1, 6))
        caps, budget = rng.choice([0.2, 0.4, 1.0], 6), rng.uniform(0.1, 2.0)
        shares = routed(score, cost, [1.0], budget, caps, 0)
        plan = route_lp(score[0], cost[0], budget, caps)
        assert shares @ score[0] >= plan.value - 1e-9 or not plan.feasible
        if shares.sum() > 1.0 - 1e-9:
            served += 1
            np.testing.assert_allclose(shares, plan.probabilities, atol=1e-9)
    assert served > 100


def test_declined_queries_are_declined_one_by_one_where_shares_are_the_action():
    """Half of the queries can be paid for; the environment would scale a share of 0.5 up to 1."""
    score, cost, caps = np.array([[0.5]]), np.array([[2.0]]), np.ones(1)
    assert routed(score, cost, [1.0], 1.0, caps, 0)[0] == 0.5
    shares = [
        routed(score, cost, [1.0], 1.0, caps, 0, continuous=True, key=key)[0] for key in range(400)
    ]
    assert set(shares) == {0.0, 1.0}
    assert np.mean(shares) == pytest.approx(0.5, abs=0.1)


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
