"""Scores by empirical Bayes: by hand, and against the worlds they were drawn from."""

from __future__ import annotations

import numpy as np
import pytest
from stageroute_agents.paced.evidence import NUM_SUMS, SCORE_SUM, SCORES, SPREAD
from stageroute_agents.paced.scores import score_effects, score_variances, standard_logs


def effects(cells, *, prices=None, slope=0.0, scale=1.0):
    """Mean and variance of each model's, from cells of shape (N, 5) of one task."""
    n = len(cells)
    log_price, variance, of_model, doubt = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    standard_logs(np.zeros(n) if prices is None else np.array(prices, np.float64), log_price)
    cells = np.array(cells)[None]
    score_variances(cells, scale, variance)
    score_effects(
        cells,
        np.ones(1),
        log_price,
        slope,
        scale,
        cells[0, :, SCORES].copy(),
        np.zeros(n),
        variance,
        of_model,
        np.empty(1),
        doubt,
    )
    return of_model, doubt


def cells_of(scores):
    """The evidence of lists of scores, one list a model."""
    cells = np.zeros((len(scores), NUM_SUMS))
    for cell, row in zip(cells, scores, strict=True):
        if len(row):
            cell[[SCORES, SCORE_SUM, SPREAD]] = len(row), np.sum(row), len(row) * np.var(row)
    return cells


def test_list_prices_are_standardised():
    logs = np.empty(4)
    standard_logs(np.array([1.0, np.e**2, 0.0, np.e**4]), logs)
    np.testing.assert_allclose(logs, np.array([-1, 0, 0, 1]) * np.sqrt(1.5))
    standard_logs(np.full(4, 3.0), logs)
    np.testing.assert_array_equal(logs, 0.0)


def test_variances_by_hand():
    variance = np.empty(3)
    score_variances(cells_of([[0, 1, 0, 1, 1], [0.5, 0.5], []])[None], 1.0, variance)
    own = 5 * np.var([0, 1, 0, 1, 1])
    pooled = (0.15 + own) / (1 + 4 + 1)
    np.testing.assert_allclose(
        variance, [(4 * pooled + own) / 8, 4 * pooled / 5, pooled], rtol=1e-12
    )


def test_near_constant_scores_are_known_after_a_few():
    steady = [[0.8, 0.81, 0.79] * 5, [0.6, 0.61, 0.59] * 5]
    _, doubt = effects(cells_of(steady))
    _, unsure = effects(cells_of([[1, 1, 1, 1, 0] * 3, [1, 1, 1, 0, 0] * 3]))
    assert (np.sqrt(doubt) < 0.03).all()
    assert (np.sqrt(unsure) > 0.07).all()


def test_models_that_are_alike_are_taken_for_alike():
    rng = np.random.default_rng(0)
    same = cells_of([rng.random(60) < 0.5 for _ in range(20)] + [[]])
    spread = cells_of([rng.random(60) < p for p in np.linspace(0.05, 0.95, 20)] + [[]])
    (mean, doubt), (_, wide) = effects(same), effects(spread)
    assert mean[-1] == pytest.approx(0.5, abs=0.06)
    assert doubt[-1] < 0.3 * wide[-1]
    # They are drawn together more than the others.
    raw = same[:-1, SCORE_SUM] / same[:-1, SCORES]
    assert np.std(mean[:-1]) < 0.8 * np.std(raw)


@pytest.mark.parametrize("slope", [-0.15, 0.15])
def test_the_sign_of_the_slope_is_learned(slope):
    """Prices are expected to tell of better scores; an untried model's follow what is seen."""
    rng = np.random.default_rng(1)
    prices = np.exp(np.arange(50.0) / 5)
    truth = 0.5 + slope * (np.arange(50) - 24.5) / 15
    scores = [rng.random(100) < p for p in truth[:-1]] + [[]]
    mean, _ = effects(cells_of(scores), prices=prices, slope=0.5)
    assert mean[-1] == pytest.approx(truth[-1], abs=0.12)
