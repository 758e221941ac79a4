"""Estimates of other policies against the truth that was planted."""

from __future__ import annotations

import numpy as np
import pytest

from stageroute_gym.logs import off_policy

TRUTH = np.array([0.3, 0.6])


def confounded(rng, size=20_000):
    """Hard requests score 0.3 less with every model and go to model 1 far more often."""
    hard = rng.random(size) < 0.5
    chance = np.where(hard[:, None], [0.2, 0.8], [0.8, 0.2])
    model = (rng.random(size) < chance[:, 1]).astype(np.int64)
    mean = TRUTH[model] + np.where(hard, -0.15, 0.15)
    value = (rng.random(size) < mean).astype(float)
    return value, model, chance[np.arange(size), model]


def test_propensities_undo_what_misleads_the_direct_estimate():
    value, model, propensity = confounded(np.random.default_rng(0))
    seen = np.array([value[model == m].mean() for m in range(2)])
    expected = np.tile(seen, (len(value), 1))
    for m in range(2):
        policy = np.zeros(expected.shape)
        policy[:, m] = 1.0
        found = off_policy(policy, expected, value, model, propensity)
        assert abs(found.direct - TRUTH[m]) > 0.05
        for better in (found.inverse_propensity, found.doubly_robust):
            assert better is not None
            assert better.low < TRUTH[m] < better.high
            assert better.high - better.low < 0.06


def test_intervals_cover():
    covered = np.zeros(2)
    for seed in range(200):
        value, model, propensity = confounded(np.random.default_rng(seed), 600)
        policy = np.zeros((600, 2))
        policy[:, 1] = 1.0
        found = off_policy(policy, np.full((600, 2), 0.5), value, model, propensity)
        for place, kind in enumerate((found.inverse_propensity, found.doubly_robust)):
            assert kind is not None
            covered[place] += kind.low <= TRUTH[1] <= kind.high
    assert (covered >= 180).all()


def test_right_expectations_make_the_doubly_robust_estimate_narrow():
    rng = np.random.default_rng(1)
    value, model, propensity = confounded(rng)
    policy = np.full((len(value), 2), 0.5)
    flat = off_policy(policy, np.zeros(policy.shape), value, model, propensity)
    # With expectations of 0 the correction is the plain inverse-propensity sum.
    weight = 0.5 / propensity
    assert flat.doubly_robust is not None
    assert flat.doubly_robust.value == pytest.approx((weight * value).mean())
    assert flat.inverse_propensity is not None
    assert flat.inverse_propensity.value == pytest.approx((weight * value).sum() / weight.sum())
    assert flat.effective == pytest.approx(weight.sum() ** 2 / (weight**2).sum())
    good = off_policy(policy, np.tile(TRUTH, (len(value), 1)), value, model, propensity)
    assert good.doubly_robust is not None
    width = good.doubly_robust.high - good.doubly_robust.low
    assert width < flat.doubly_robust.high - flat.doubly_robust.low


def test_too_few_requests_give_no_weighted_estimate():
    policy = np.tile([0.0, 1.0], (50, 1))
    model = np.array([1] * 10 + [0] * 40)
    found = off_policy(policy, np.full((50, 2), 0.4), np.ones(50), model, np.full(50, 0.5))
    assert found.effective == 10
    assert found.inverse_propensity is None
    assert found.doubly_robust is None
    assert found.direct == pytest.approx(0.4)
