"""Stages that share a budget: against an exhaustive search, and where sharing is useless."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from stageroute_agents.paced.sets import best_mixtures, shared_mixtures

from stageroute_gym.optimize import route_lp

MANY = np.array([10])


def vertices(score, cost, caps, slots):
    """Score and cost of every way to fill every set in every order: all vertices there are."""
    found = set()
    for members in itertools.combinations(range(len(score)), slots):
        for order in itertools.permutations(members):
            left, value, spend = 1.0, 0.0, 0.0
            for m in order:
                share = min(caps[m], left)
                left -= share
                value, spend = value + share * score[m], spend + share * cost[m]
            if left < 1e-12:
                found.add((spend, value))
    return np.array(sorted(found))


def concave_value(points, budget):
    """The best mixture of two points within the budget."""
    below, above = points[points[:, 0] <= budget], points[points[:, 0] > budget]
    best = below[:, 1].max()
    for (c0, v0), (c1, v1) in itertools.product(below, above):
        best = max(best, v0 + (budget - c0) / (c1 - c0) * (v1 - v0))
    return best


def test_dear_and_cheap_stages_in_turn_reach_the_concave_value():
    rng = np.random.default_rng(0)
    uneven_cases = 0
    for _ in range(60):
        score, cost = rng.random(6), rng.exponential(1.0, 6)
        caps = np.full(6, 0.4)
        points = vertices(score, cost, caps, 3)
        budget = float(rng.uniform(points[:, 0].min(), points[:, 0].max()))
        args = score[None], cost[None], np.array([budget]), caps[None], 3
        even = best_mixtures(*args)
        mixtures, uneven = shared_mixtures(*args, MANY)
        ceiling = concave_value(points, budget)
        assert even.score[0] <= ceiling + 1e-9
        if not uneven[0]:
            # The even spend is as good as any, up to what is not worth the trouble.
            assert even.score[0] >= ceiling * (1 - 1.1e-3)
            np.testing.assert_array_equal(mixtures.weights, even.weights)
            continue
        uneven_cases += 1
        # What it deploys is one of the two that mix to the ceiling: on the line at the price.
        line = ceiling + mixtures.price[0] * (mixtures.cost[0] - budget)
        assert mixtures.score[0] == pytest.approx(line, abs=1e-9)
    assert uneven_cases > 10


def test_the_budget_left_decides_the_next_stage():
    """Model 2 pays, but needs a slot for a fifth of the queries, which no stage can afford."""
    score, cost = np.array([[0.6, 0.6, 0.55, 0.9]]), np.array([[1.0, 1.0, 1.0, 10.0]])
    caps = np.full((1, 4), 0.4)
    dear, uneven = shared_mixtures(score, cost, np.array([2.5]), caps, 3, MANY)
    assert uneven[0]
    assert dear.weights[0, 3] > 0
    cheap, uneven = shared_mixtures(score, cost, np.array([1.4]), caps, 3, MANY)
    assert uneven[0]
    assert cheap.weights[0, 3] == 0


def test_the_last_stage_spends_its_own_budget():
    score, cost = np.array([[0.6, 0.6, 0.55, 0.9]]), np.array([[1.0, 1.0, 1.0, 10.0]])
    caps = np.full((1, 4), 0.4)
    mixtures, uneven = shared_mixtures(score, cost, np.array([1.4]), caps, 3, np.array([1]))
    assert not uneven[0]
    assert mixtures.cost[0] <= 1.4 + 1e-9


def test_with_slots_for_all_the_even_spend_is_route_opt():
    rng = np.random.default_rng(1)
    score, cost = rng.random((50, 5)), rng.exponential(1.0, (50, 5))
    budget, caps = rng.uniform(0.2, 1.5, 50), np.full((50, 5), 0.4)
    mixtures, uneven = shared_mixtures(score, cost, budget, caps, 5, np.full(50, 10))
    assert not uneven.any()
    np.testing.assert_allclose(
        mixtures.weights, route_lp(score, cost, budget, caps).probabilities, atol=1e-9
    )
