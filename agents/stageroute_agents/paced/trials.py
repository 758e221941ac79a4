"""What a model is worth that is tried first and kept if it proves good, within the queries left."""

from __future__ import annotations

import math

import numpy as np

from stageroute_agents.arrays import Floats, Integers
from stageroute_gym.compiling import njit

# Trials are looked at whose lengths differ by this factor.
_STEP = 2.0
# Of the table of `indifference`: points in each doubling of the queries over the trial, doublings.
_POINTS, _DOUBLINGS = 8, 40
_BISECTIONS = 60
_LARGEST_Z = 10.0


def expected_gain(z: float) -> float:
    """``E max(0, X - z)`` of a standard normal ``X``."""
    density = math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    return density - z * 0.5 * math.erfc(z / math.sqrt(2.0))


def indifference(ratio: float) -> float:
    """The ``z`` at which a trial pays back just what it loses: ``z = ratio E max(0, X - z)``.

    Args:
        ratio: queries after the trial over queries of the trial, at least 0.
    """
    low, high = 0.0, _LARGEST_Z
    for _ in range(_BISECTIONS):
        z = 0.5 * (low + high)
        if ratio * expected_gain(z) > z:
            low = z
        else:
            high = z
    return 0.5 * (low + high)


_TABLE = np.array(
    [indifference(2.0 ** (i / _POINTS) - 1.0) for i in range(_POINTS * _DOUBLINGS + 2)]
)


@njit(cache=True)
def trial_bonus(deviation: float, noise: float, queries: float, least: float) -> float:
    """By how much what a model is worth exceeds its expected score.

    A trial of ``b`` of the ``n`` queries left reveals a model's mean score up to what is known of
    it then; the last ``n - b`` go to it or to an alternative, whichever is better. The bonus is
    that of the alternative at which such a trial is worth its loss, for the best ``b``: with
    ``s_b^2 = s^4 / (s^2 + noise^2 / b)``, the variance of the expectation after the trial, it is
    ``z s_b`` where ``z b = (n - b) E max(0, X - z)``. It is a lower bound of the finite-horizon
    Gittins index (Lattimore 2016, arXiv 1511.06014), with one time to stop; the best ``b`` is the
    idea of Frazier & Powell's KG(*) (2010, "Paradoxes in learning and the marginal value of
    information"). It has no parameter, and vanishes as the horizon comes near: exploration stops
    when it cannot pay back.

    Args:
        deviation: ``s``, standard deviation of what its mean score is taken to be.
        noise: standard deviation of one score.
        queries: ``n``, queries that it can serve until the end.
        least: queries of the shortest trial, at least 1: all that it serves in a stage, for a model
            that has to be deployed for it.
    """
    if deviation <= 0.0:
        return 0.0
    best, trial = 0.0, least
    ratio = noise * noise / (deviation * deviation)
    while trial < queries:
        place = _POINTS * math.log2(queries / trial)
        i = min(int(place), len(_TABLE) - 2)
        z = _TABLE[i] + min(place - i, 1.0) * (_TABLE[i + 1] - _TABLE[i])
        best = max(best, z / math.sqrt(1.0 + ratio / trial))
        trial *= _STEP
    return best * deviation


@njit(cache=True)
def bound_rows(
    score: Floats,
    deviation: Floats,
    noise: Floats,
    caps: Floats,
    queries: Integers,
    trial: Integers,
    width: float,
    bound: Floats,
) -> None:
    """Write each model's expected score with its bonus, at most 1.

    Args:
        score: shape (R, N), float64.
        deviation: shape (R, N), float64.
        noise: shape (R, N), float64.
        caps: throughput, 0 for models that are not on offer, shape (R, N), float64.
        queries: queries left whose outcomes will be known, shape (R,), int64.
        trial: queries in the shortest trial, of which a model serves its throughput, (R,), int64.
        width: factor of the bonus.
        bound: written, shape (R, N), float64.
    """
    for i in range(len(score)):
        for m in range(score.shape[1]):
            bonus = 0.0
            if caps[i, m] > 0.0:
                bonus = trial_bonus(
                    deviation[i, m],
                    noise[i, m],
                    caps[i, m] * queries[i],
                    max(caps[i, m] * trial[i], 1.0),
                )
            bound[i, m] = min(score[i, m] + width * bonus, 1.0)
