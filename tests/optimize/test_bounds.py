"""Confidence bounds against the formulas worked out by hand."""

import math

import numpy as np
import pytest

from stageroute_gym.errors import FieldError
from stageroute_gym.optimize import confidence_radius, cost_lower_bound, score_upper_bound
from stageroute_gym.optimize.bounds import cost_lower_bound_scalar, score_upper_bound_scalar


def test_radius_by_hand():
    # sqrt(0.1 * 0.4 / 4) + 0.1 / 4
    assert confidence_radius(0.4, 4, 0.1) == pytest.approx(0.125, abs=1e-15)
    assert confidence_radius([0.0, 0.5], [0, 0], 0.1).tolist() == [math.inf, math.inf]


def test_score_bound_by_hand():
    # n + 1 = 10: 0.4 + 2 (sqrt(0.1 * 0.4 / 10) + 0.01)
    expected = 0.4 + 2 * (math.sqrt(0.004) + 0.01)
    assert score_upper_bound(0.4, 9, 0.1) == pytest.approx(expected, abs=1e-15)
    assert score_upper_bound([0.4, 0.0, 0.99], [0, 9, 9], 0.1).tolist() == [1.0, 0.02, 1.0]


def test_cost_bound_by_hand():
    # As a share of c2 = 2e-3: 0.4 - 2 (sqrt(0.1 * 0.4 / 10) + 0.01)
    expected = 2e-3 * (0.4 - 2 * (math.sqrt(0.004) + 0.01))
    assert cost_lower_bound(8e-4, 9, 0.1, 1e-5, 2e-3) == pytest.approx(expected, abs=1e-18)
    assert cost_lower_bound([8e-4, 1e-4], [0, 1], 0.1, 1e-5, 2e-3).tolist() == [1e-5, 1e-5]


def test_gamma_zero_gives_the_means():
    assert score_upper_bound(0.3, 5, 0.0) == 0.3
    assert cost_lower_bound(0.5, 5, 0.0, 0.0, 1.0) == 0.5


def test_a_smaller_scale_of_costs_narrows_their_bound():
    # 0.5 USD of 2: 0.25 - 2 (sqrt(0.1 0.25 / 100) + 0.1 / 100), times 2.
    expected = 2 * (0.25 - 2 * (math.sqrt(0.025 / 100) + 0.001))
    assert cost_lower_bound(0.5, 99, 0.1, 0.0, 30.0, 2.0) == pytest.approx(expected, abs=1e-15)
    assert cost_lower_bound(0.5, 99, 0.1, 0.0, 30.0) < expected


def test_the_other_radius_and_the_variance_by_hand():
    # sqrt(0.1 * 0.4 / 4 + 0.1 / 4)
    assert confidence_radius(0.4, 4, 0.1, radius="joint") == pytest.approx(math.sqrt(0.035))
    # n + 1 = 10, v = 0.09: 0.2 + 2 (sqrt(0.1 * 0.09 / 10) + 0.01)
    upper = score_upper_bound(0.2, 9, 0.1, variance=0.09)
    assert upper == pytest.approx(0.2 + 2 * (0.03 + 0.01), abs=1e-15)
    # 0.5 USD of 2 with a variance of 0.36 USD^2: v = 0.09, 0.25 - 2 sqrt(0.1 (0.09 + 1) / 100).
    lower = cost_lower_bound(0.5, 99, 0.1, 0.0, 30.0, 2.0, variance=0.36, radius="joint")
    assert lower == pytest.approx(2 * (0.25 - 2 * math.sqrt(0.109 / 100)), abs=1e-15)
    assert cost_lower_bound(0.5, 0, 0.1, 0.01, 30.0, variance=0.36, radius="joint") == 0.01


def test_arrays_equal_the_scalar_kernels_and_keep_the_shape():
    rng = np.random.default_rng(0)
    mean, pulls = rng.random((3, 4)), rng.integers(0, 50, (3, 4))
    upper = score_upper_bound(mean, pulls, 0.1)
    lower = cost_lower_bound(mean, pulls, 0.1, 0.01, 1.0)
    assert upper.shape == lower.shape == (3, 4)
    assert upper.dtype == lower.dtype == np.float64
    for index in np.ndindex(3, 4):
        v, n = float(mean[index]), float(pulls[index])
        assert upper[index] == score_upper_bound_scalar(v, v, n, 0.1, False)
        assert lower[index] == cost_lower_bound_scalar(v, v, n, 0.1, 0.01, 1.0, 1.0, False)


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: confidence_radius(-0.1, 1, 0.1), "spread"),
        (lambda: confidence_radius(0.1, -1, 0.1), "pulls"),
        (lambda: confidence_radius(0.1, 1, math.nan), "gamma"),
        (lambda: score_upper_bound(math.nan, 1, 0.1), "mean_score"),
        (lambda: cost_lower_bound(math.inf, 1, 0.1, 0.0, 1.0), "mean_cost"),
        (lambda: cost_lower_bound(0.1, 1, 0.1, -1.0, 1.0), "cost_min"),
        (lambda: cost_lower_bound(0.1, 1, 0.1, 0.5, 0.1), "cost_max"),
        (lambda: cost_lower_bound(0.1, 1, 0.1, 0.0, 1.0, 0.0), "scale"),
        (lambda: cost_lower_bound(0.1, 1, 0.1, 0.0, 1.0, variance=-1.0), "variance"),
        (lambda: score_upper_bound(0.1, 1, 0.1, radius="square"), "radius"),
    ],
)
def test_bad_values_are_refused(call, field):
    with pytest.raises(FieldError) as caught:
        call()
    assert caught.value.field == field
