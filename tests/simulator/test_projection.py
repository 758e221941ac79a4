from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from stageroute_gym.simulator.projection import SHARE_TOLERANCE, project, sample

MODELS = st.integers(1, 8)


@st.composite
def cases(draw):
    """Weights, which of them may be used, and caps, with ties and zeros."""
    n = draw(MODELS)
    number = st.sampled_from([0.0, 0.1, 0.25, 1 / 3, 0.5, 1.0]) | st.floats(-1, 1, width=32)
    cap = st.sampled_from([0.05, 0.25, 1 / 3, 0.5, 1.0]) | st.floats(1e-3, 1)
    weights = draw(arrays.arrays(np.float32, n, elements=number.map(np.float32)))
    usable = draw(arrays.arrays(np.int8, n, elements=st.integers(0, 1)))
    caps = draw(arrays.arrays(np.float64, n, elements=cap))
    return weights, usable, caps


def projected(weights, usable, caps):
    shares = np.full(len(weights), np.nan)
    total = project(weights, usable, caps, shares)
    return shares, total


def by_bisection(weights, caps):
    """``min(cap, s * weight)`` for the ``s`` at which the sum reaches 1, as nearly as it can."""
    low, high = 0.0, 1.0
    while np.minimum(caps, high * weights).sum() < min(1.0, caps[weights > 0].sum()) - 1e-14:
        high *= 2
        if high > 1e60:
            break
    for _ in range(300):
        middle = (low + high) / 2
        if np.minimum(caps, middle * weights).sum() < 1:
            low = middle
        else:
            high = middle
    return np.minimum(caps, high * weights)


@settings(max_examples=500, deadline=None)
@given(cases())
@example((np.ones(3, np.float32), np.ones(3, np.int8), np.full(3, 1 / 3)))
@example((np.ones(3, np.float32), np.ones(3, np.int8), np.full(3, 0.2)))
@example((np.array([1, 1e-30], np.float32), np.ones(2, np.int8), np.array([0.5, 1.0])))
def test_shares_respect_everything_asked(case):
    weights, usable, caps = case
    shares, total = projected(*case)
    wanted = np.where(usable, np.maximum(weights.astype(float), 0), 0.0)
    assert total == pytest.approx(shares.sum(), rel=1e-14)
    if not wanted.any():
        assert total == 0
        return
    assert (shares >= 0).all()
    assert (shares[wanted == 0] == 0).all()
    if (wanted <= caps + SHARE_TOLERANCE).all() and abs(wanted.sum() - 1) <= SHARE_TOLERANCE:
        assert (shares == wanted).all()
        return
    assert (shares <= caps + 1e-12).all()
    assert total == pytest.approx(min(1.0, caps[wanted > 0].sum()), abs=1e-9)
    # Models below their cap keep the proportions in which they were asked for.
    free = shares < caps * (1 - 1e-9)
    scale = shares[free & (wanted > 0)] / wanted[free & (wanted > 0)]
    assert np.allclose(scale, scale[:1], rtol=1e-9)
    assert np.allclose(shares, by_bisection(wanted, caps), rtol=0, atol=1e-9)


@settings(max_examples=200, deadline=None)
@given(cases())
def test_projecting_twice_changes_nothing(case):
    shares, total = projected(*case)
    if abs(total - 1) > SHARE_TOLERANCE:
        return  # what does not fill the caps is scaled up again
    again, _ = projected(shares, case[1], case[2])
    assert (again == shares).all()


def test_by_hand():
    caps = np.array([0.4, 0.4, 1.0])
    usable = np.ones(3, np.int8)
    assert projected(np.array([1.0, 1.0, 0.0]), usable, caps)[0].tolist() == [0.4, 0.4, 0.0]
    assert projected(np.array([0.2, 0.3, 0.5]), usable, caps)[0].tolist() == [0.2, 0.3, 0.5]
    over = projected(np.array([0.8, 0.1, 0.1]), usable, caps)[0]
    assert over == pytest.approx([0.4, 0.3, 0.3])
    # Both of the first two hit their cap, one after the other.
    twice = projected(np.array([0.7, 0.2, 0.1]), usable, np.array([0.4, 0.25, 1.0]))[0]
    assert twice == pytest.approx([0.4, 0.25, 0.35])


@settings(max_examples=200, deadline=None)
@given(cases(), st.floats(0, 1, exclude_max=True))
def test_a_draw_lands_where_the_cumulated_shares_say(case, draw):
    shares, total = projected(*case)
    if total == 0:
        return
    chosen = sample(shares, total, draw)
    if total < 1 - SHARE_TOLERANCE and draw >= total:
        assert chosen == -1
        return
    assert shares[chosen] > 0
    bounds = np.cumsum(shares)
    assert draw <= bounds[chosen] + 2 * SHARE_TOLERANCE
    assert draw >= bounds[chosen] - shares[chosen] - 2 * SHARE_TOLERANCE


def test_the_last_draw_never_falls_beside_a_full_distribution():
    """Shares of thirds add up to less than the largest draw below 1."""
    shares = np.array([1 / 3, 1 / 3, 1 / 3, 0.0]) - 1e-8
    assert sample(shares, shares.sum(), np.nextafter(1.0, 0.0)) == 2


def test_draws_follow_the_shares():
    shares = np.array([0.5, 0.0, 0.2, 0.1])
    draws = (np.arange(100_000) + 0.5) / 100_000
    counts = np.bincount([sample(shares, shares.sum(), draw) + 1 for draw in draws], minlength=5)
    assert counts / 100_000 == pytest.approx([0.2, 0.5, 0.0, 0.2, 0.1], abs=1e-5)
