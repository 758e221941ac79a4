"""PacedRoute's estimates: one task by hand, several against the effects they were made of."""

from __future__ import annotations

import numpy as np
import pytest
from stageroute_agents.paced.estimates import Prior, estimate_rows
from stageroute_agents.paced.evidence import NUM_SUMS

PRIOR = Prior(
    score_prior=4.0,
    prior_mean=0.5,
    price_slope=0.0,
    slope_prior=1e9,
    cost_prior=2.0,
    cell_prior=20.0,
)


def estimate(cells, *, weight=None, pending=None, list_price=None, prior=PRIOR, cheapest=1e-6):
    """Of one episode, from cells of shape (G, N, 4)."""
    groups, n = cells.shape[:2]
    parts = [np.empty((1, groups, n)) for _ in range(3)]
    estimate_rows(
        np.array(cells)[None],
        np.full((1, groups), 1 / groups) if weight is None else np.array([weight]),
        np.zeros((1, n)) if pending is None else np.array([pending], np.float64),
        np.zeros((1, n)) if list_price is None else np.array([list_price], np.float64),
        prior,
        cheapest,
        *parts,
    )
    return [part[0] for part in parts]


def test_one_task_by_hand():
    cells = np.zeros((1, 3, NUM_SUMS))
    cells[0, 0] = 12, 9, 12, 36e-4
    score, deviation, cost = estimate(cells, list_price=[1e-4, 5e-5, 0.0])
    # The level is 0.5 with the weight of three models, and 0.75 with 12 / 16 of one.
    level = (3 * 0.5 + 0.75 * 0.75) / 3.75
    mean = (9 + 4 * level) / 16
    np.testing.assert_allclose(score[0], [mean, level, level])
    np.testing.assert_allclose(deviation[0, 0], np.sqrt(mean * (1 - mean) / 16))
    np.testing.assert_allclose(deviation[0, 1], np.sqrt(level * (1 - level) / 4))
    # Known list prices, and the mean cost of all outcomes where there is none.
    np.testing.assert_allclose(cost[0], [(36e-4 + 2e-4) / 14, 5e-5, 3e-4])


def test_pending_queries_count_as_tried():
    cells = np.zeros((1, 1, NUM_SUMS))
    _, now, _ = estimate(cells)
    _, then, _ = estimate(cells, pending=[12])
    np.testing.assert_allclose(then, now / 2)


def test_list_prices_tell_of_scores():
    """Dearer models have scored better, so an untried one is expected to do so too."""
    cells = np.zeros((1, 4, NUM_SUMS))
    for m, score in ((0, 0.3), (1, 0.5)):
        cells[0, m] = 1_000, 1_000 * score, 1_000, 1.0
    prices = [1.0, np.e, np.e**2, np.e**2]
    free = PRIOR._replace(slope_prior=0.5)
    score, _, _ = estimate(cells, list_price=prices, prior=free)
    assert score[0, 2] == score[0, 3] > 0.5
    steep = PRIOR._replace(price_slope=0.1)
    score, _, _ = estimate(np.zeros((1, 4, NUM_SUMS)), list_price=prices, prior=steep)
    np.testing.assert_allclose(np.diff(score[0]), [0.1, 0.1, 0.0])


def test_several_tasks_find_the_effects_they_were_made_of():
    """Each model has been used on other tasks; its effect must not take theirs for its own."""
    rng = np.random.default_rng(0)
    of_task, of_model = np.array([-0.2, 0.0, 0.2]), np.array([0.4, 0.5, 0.6, 0.7])
    ratio, price = np.array([0.5, 1.0, 1.5]), np.array([1.0, 2.0, 4.0, 8.0])
    number = rng.integers(0, 2, (3, 4)) * 400.0 + 40.0
    score, cost = of_task[:, None] + of_model, ratio[:, None] * price
    cells = np.stack([number, number * score, number, number * cost], axis=2)
    # One cell was never tried: model and task tell what to expect of it.
    cells[2, 0] = 0.0
    prior = PRIOR._replace(score_prior=0.5, cost_prior=0.01, cell_prior=1.0)
    found, deviation, costs = estimate(cells, prior=prior)
    np.testing.assert_allclose(found, score, atol=0.02)
    np.testing.assert_allclose(costs, cost, rtol=0.1)
    assert deviation[2, 0] == deviation.max()


@pytest.mark.parametrize("groups", [1, 3])
def test_without_evidence_all_tasks_are_alike(groups):
    score, deviation, cost = estimate(np.zeros((groups, 2, NUM_SUMS)), cheapest=0.25)
    np.testing.assert_allclose(score, 0.5)
    np.testing.assert_allclose(cost, 0.25)
    assert (deviation > 0.2).all()
