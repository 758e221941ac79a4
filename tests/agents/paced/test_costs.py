"""Costs: by hand, and how list prices gain or lose their influence."""

from __future__ import annotations

import numpy as np
import pytest
from stageroute_agents.paced.costs import estimate_costs, guess_costs
from stageroute_agents.paced.evidence import COST_SUM, COSTS, NUM_SUMS

PRICES = np.array([1e-6, 1e-5, 1e-4, 1e-3])


def cells_of(numbers, means):
    cells = np.zeros((1, len(means), NUM_SUMS))
    cells[0, :, COSTS], cells[0, :, COST_SUM] = numbers, np.multiply(numbers, means)
    return cells


def guesses(numbers, means, prices=PRICES, cheapest=1e-7):
    guess, doubt = np.empty(len(means)), np.empty(len(means))
    pooled = guess_costs(
        cells_of(numbers, means), np.array(prices, np.float64), cheapest, guess, doubt
    )
    return guess, doubt, pooled


def costs_of(numbers, means, prices=PRICES, cheapest=1e-7):
    cells = cells_of(numbers, means)
    n = len(means)
    cost = np.empty((1, n))
    parts = np.ones(1), np.array(prices, np.float64), 20.0, cheapest
    estimate_costs(cells, *parts, np.empty(n), np.empty(1), cost)
    return cost[0]


def test_without_outcomes_list_prices_are_mostly_believed():
    guess, doubt, pooled = guesses([0] * 4, [0] * 4)
    told = 1 / (1 + np.exp(-1))
    middle = np.log(PRICES).mean()
    np.testing.assert_allclose(np.log(guess), told * np.log(PRICES) + (1 - told) * middle)
    spread = np.log(PRICES).var() + 0.01
    np.testing.assert_allclose(doubt, told * 0.25 + (1 - told) * spread)
    assert pooled == 1e-7


def test_two_outcomes_tell_whether_prices_inform():
    honest, sure, _ = guesses([1, 0, 0, 1], [1.2e-6, 0, 0, 9e-4])
    np.testing.assert_allclose(honest, PRICES, rtol=0.1)
    misled, unsure, _ = guesses([1, 0, 0, 1], [9e-4, 0, 0, 1.2e-6])
    np.testing.assert_allclose(misled, np.exp(np.log(PRICES).mean()), rtol=0.1)
    assert unsure.min() > 10 * sure.max()


def test_a_wrong_guess_is_soon_forgotten():
    """The list says a thousand times too much; on plain sums three such guesses would rule."""
    found = costs_of([10, 0, 0, 10], [9e-4, 0, 0, 1.2e-6])
    assert found[3] == pytest.approx(1.2e-6, rel=0.1)
    assert found[0] == pytest.approx(9e-4, rel=0.1)


def test_a_price_that_informs_counts_as_three_costs():
    numbers, means = [3, 30, 30, 3], [2e-6, 1e-5, 1e-4, 1e-3]
    found, (guess, doubt, _) = costs_of(numbers, means), guesses(numbers, means)
    np.testing.assert_allclose(doubt, 0.25, rtol=0.05)
    assert found[0] == pytest.approx(np.sqrt(guess[0] * 2e-6), rel=0.02)


def test_unlisted_models_cost_less_than_those_seen_by_a_standard_deviation():
    found = costs_of([2, 2, 0], [1e-5, 4e-5, 0], [0, 0, 0])
    # By hand: squares about the mean 2 ln(2)^2, and 1.5 for what is not known, over two models.
    deviation = np.sqrt((2 * np.log(2) ** 2 + 1.5) / 2 + 0.01)
    assert found[2] == pytest.approx(2e-5 * np.exp(-deviation))
    assert found[0] == pytest.approx(1e-5, rel=0.3)
    np.testing.assert_allclose(costs_of([0, 0], [0, 0], [0, 0], 1e-7), 1e-7)


def test_free_models_cost_nothing():
    np.testing.assert_allclose(costs_of([5, 0], [0, 0], [0, 0], 0.0), 0.0, atol=1e-200)
