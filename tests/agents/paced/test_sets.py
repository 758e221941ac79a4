"""Sets to deploy: against an exhaustive search, where stages share a budget, and among many."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from stageroute_agents.paced.sets import best_sets, set_at_price
from stageroute_agents.paced.task_route import route_tasks_kernel

from stageroute_gym.optimize import horizon_oracle

MANY, LAST = np.array([10]), np.array([1])


def within(score, cost, budget, caps, members):
    """The best value of a set, where queries may be declined."""
    usable = np.where(np.isin(np.arange(len(score)), members), caps, 0.0)
    scratch = np.zeros((2, 1, len(score)))
    return route_tasks_kernel(score[None], cost[None], np.ones(1), budget, usable, *scratch)[1]


def random_case(rng, models):
    score, cost = rng.random(models), rng.exponential(1.0, models)
    return score, cost, float(rng.uniform(0.05, 1.5)), rng.choice([0.3, 0.4, 1.0], models)


def sets_of(score, cost, budget, caps, slots, stages):
    return best_sets(score[None], cost[None], np.array([budget]), caps[None], slots, stages)


@pytest.mark.parametrize("slots", [1, 3])
def test_the_last_stage_has_the_best_set_of_all(slots):
    rng = np.random.default_rng(slots)
    for _ in range(60):
        case = random_case(rng, 7)
        sets = sets_of(*case, slots, LAST)
        best = max(within(*case, each) for each in itertools.combinations(range(7), slots))
        assert not sets.uneven[0]
        assert sets.chosen.sum() <= slots
        assert within(*case, np.flatnonzero(sets.chosen[0])) == pytest.approx(best, abs=1e-9)


def test_many_sets_are_not_searched_and_lose_little():
    """27 of 88 models, nearly alike: branch and bound would take hours."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        score, cost = 0.5 + 0.01 * rng.random(88), rng.exponential(1.0, 88)
        caps, budget = np.full(88, 0.02), float(rng.uniform(0.05, 0.5))
        sets = sets_of(score, cost, budget, caps, 27, LAST)
        assert sets.chosen.sum() <= 27
        value = within(score, cost, budget, caps, np.flatnonzero(sets.chosen[0]))
        # Of all models no more than one is missing.
        assert value >= within(score, cost, budget, caps, range(88)) * (1 - 2 / 27) or (
            value >= np.sort(score)[-27:].sum() * 0.02 * (1 - 2 / 27)
        )


def test_stages_in_turn_reach_what_the_horizon_oracle_does():
    rng = np.random.default_rng(0)
    uneven = 0
    for _ in range(60):
        score, cost, budget, _ = random_case(rng, 6)
        caps, stages = np.full(6, 0.4), 40
        sets = sets_of(score, cost, budget, caps, 3, np.array([stages]))
        ceiling = horizon_oracle(
            *(np.tile(row, (stages, 1)) for row in (score, cost, np.ones(6, bool))),
            np.full(stages, 1.0),
            budget,
            caps,
            3,
        ).value
        even = within(score, cost, budget, caps, np.flatnonzero(sets.chosen[0]))
        if sets.uneven[0]:
            uneven += 1
            # What it deploys is one of the two that mix to the ceiling: on the line at the price.
            shares = np.zeros(6)
            value, spend = set_at_price(score, cost, sets.price[0], caps, 3, shares)
            line = ceiling / stages - sets.price[0] * budget
            assert value - sets.price[0] * spend == pytest.approx(line, rel=2e-3)
        else:
            assert even >= ceiling / stages * (1 - 2e-3)
    assert uneven > 5


def test_the_budget_left_decides_the_next_stage():
    """Model 3 pays, but needs a slot for a fifth of the queries, which no stage can afford."""
    score, cost = np.array([0.6, 0.6, 0.55, 0.9]), np.array([1.0, 1.0, 1.0, 10.0])
    caps = np.full(4, 0.4)
    dear = sets_of(score, cost, 2.5, caps, 3, MANY)
    assert dear.uneven[0]
    assert dear.chosen[0, 3]
    cheap = sets_of(score, cost, 1.4, caps, 3, MANY)
    assert cheap.uneven[0]
    assert not cheap.chosen[0, 3]
    assert not sets_of(score, cost, 1.4, caps, 3, LAST).uneven[0]


def test_what_cannot_serve_all_goes_to_the_best_ratio():
    """The cheapest model is over the budget: it is not worth having for that alone."""
    score, cost = np.array([0.2, 0.9]), np.array([2.0, 4.0])
    sets = sets_of(score, cost, 1.0, np.ones(2), 1, MANY)
    np.testing.assert_array_equal(sets.chosen[0], [False, True])


def test_at_an_infinite_price_only_what_is_free_serves():
    shares = np.empty(3)
    args = np.array([0.5, 0.9, 0.2]), np.array([0.0, 1.0, 0.0])
    value, spend = set_at_price(*args, math.inf, np.full(3, 0.6), 2, shares)
    np.testing.assert_allclose(shares, [0.6, 0.0, 0.4])
    assert (value, spend) == (pytest.approx(0.38), 0.0)
