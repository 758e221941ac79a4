"""PacedRoute's estimates: one task by hand, several against the effects they were made of."""

from __future__ import annotations

import numpy as np
import pytest
from stageroute_agents.paced.estimates import Prior, estimate_rows
from stageroute_agents.paced.evidence import NUM_SUMS, SCORES, SPREAD

PRIOR = Prior(price_slope=0.0, cell_prior=20.0)


def estimate(
    cells, *, weight=None, pending=None, scale=1.0, list_price=None, prior=PRIOR, cheapest=1e-6
):
    """Score, deviation, noise and cost of one episode, from cells of shape (G, N, 5)."""
    groups, n = cells.shape[:2]
    score, deviation, cost = (np.empty((1, groups, n)) for _ in range(3))
    noise = np.empty((1, n))
    estimate_rows(
        np.array(cells)[None],
        np.full((1, groups), 1 / groups) if weight is None else np.array([weight]),
        np.zeros((1, n)) if pending is None else np.array([pending], np.float64),
        np.array([scale]),
        np.zeros((1, n)) if list_price is None else np.array([list_price], np.float64),
        prior,
        cheapest,
        score,
        deviation,
        noise,
        cost,
    )
    return score[0], deviation[0], noise[0], cost[0]


def test_before_anything_is_seen():
    score, deviation, noise, _ = estimate(np.zeros((1, 2, NUM_SUMS)))
    np.testing.assert_allclose(score, 0.65)
    np.testing.assert_allclose(deviation, 0.2)
    np.testing.assert_allclose(noise, np.sqrt(0.15))


def test_pending_queries_count_as_tried():
    cells = np.zeros((1, 1, NUM_SUMS))
    _, now, noise, _ = estimate(cells)
    _, then, _, _ = estimate(cells, pending=[12])
    np.testing.assert_allclose(1 / then**2, 1 / now**2 + 12 / noise**2)


def test_scores_of_any_scale_are_the_same_but_for_it():
    rng = np.random.default_rng(0)
    cells = np.zeros((1, 5, NUM_SUMS))
    cells[0, :, SCORES] = rng.integers(0, 30, 5)
    cells[0, :, 1] = cells[0, :, SCORES] * rng.random(5)
    cells[0, :, SPREAD] = 0.2 * cells[0, :, SCORES]
    usual = estimate(cells, list_price=[1, 2, 3, 4, 5], prior=Prior(0.5, 20.0))
    cells[0, :, 1] *= 1e-3
    cells[0, :, SPREAD] *= 1e-6
    tiny = estimate(cells, scale=1e-3, list_price=[1, 2, 3, 4, 5], prior=Prior(0.5, 20.0))
    for large, small in zip(usual[:3], tiny[:3], strict=True):
        np.testing.assert_allclose(small, 1e-3 * large)


def test_several_tasks_find_the_effects_they_were_made_of():
    """Each model has been used on other tasks; its effect must not take theirs for its own."""
    rng = np.random.default_rng(0)
    of_task, of_model = np.array([-0.2, 0.0, 0.2]), np.array([0.4, 0.5, 0.6, 0.7])
    ratio, price = np.array([0.5, 1.0, 1.5]), np.array([1.0, 2.0, 4.0, 8.0])
    number = rng.integers(0, 2, (3, 4)) * 400.0 + 40.0
    score, cost = of_task[:, None] + of_model, ratio[:, None] * price
    cells = np.stack([number, number * score, 0 * number, number, number * cost], axis=2)
    # One cell was never tried: model and task tell what to expect of it.
    cells[2, 0] = 0.0
    found, deviation, _, costs = estimate(cells, prior=PRIOR._replace(cell_prior=1.0))
    np.testing.assert_allclose(found, score, atol=0.02)
    np.testing.assert_allclose(costs, cost, rtol=0.1)
    assert deviation[2, 0] == deviation.max()


@pytest.mark.parametrize("groups", [1, 3])
def test_without_evidence_all_tasks_are_alike(groups):
    score, deviation, _, cost = estimate(np.zeros((groups, 2, NUM_SUMS)), cheapest=0.25)
    np.testing.assert_allclose(score, 0.65)
    np.testing.assert_allclose(cost, 0.25)
    assert (deviation >= 0.2 - 1e-12).all()
