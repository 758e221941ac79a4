"""Confidence bounds of StageRoute (Li & Li 2026, arXiv 2506.17254) on scores and costs.

Each bound is written once, as a compiled function of scalars (``*_scalar``) that other compiled
code calls inside its loops; the public functions apply it to arrays of any shape.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from stageroute_gym.array_types import Floats
from stageroute_gym.compiling import njit, vectorize
from stageroute_gym.errors import FieldError


@njit(cache=True)
def confidence_radius_scalar(mean: float, pulls: float, gamma: float) -> float:
    """``f_rad`` of one mean; infinite where nothing was pulled."""
    if pulls <= 0.0:
        return math.inf
    return math.sqrt(gamma * mean / pulls) + gamma / pulls


@njit(cache=True)
def score_upper_bound_scalar(mean_score: float, pulls: float, gamma: float) -> float:
    """``mu^U`` of one model; see `score_upper_bound`."""
    if pulls <= 0.0:
        return 1.0
    upper = mean_score + 2.0 * confidence_radius_scalar(mean_score, pulls + 1.0, gamma)
    return min(max(upper, 0.0), 1.0)


@njit(cache=True)
def cost_lower_bound_scalar(
    mean_cost: float, pulls: float, gamma: float, cost_min: float, cost_max: float, scale: float
) -> float:
    """``c^L`` of one model in USD; see `cost_lower_bound`."""
    if pulls <= 0.0:
        return cost_min
    # The radius depends on the scale of what it bounds, and the theory is for values in [0, 1].
    share = mean_cost / scale
    lower = scale * (share - 2.0 * confidence_radius_scalar(share, pulls + 1.0, gamma))
    return min(max(lower, cost_min), cost_max)


@vectorize(cache=True)
def _confidence_radius(mean: float, pulls: float, gamma: float) -> float:
    return confidence_radius_scalar(mean, pulls, gamma)


@vectorize(cache=True)
def _score_upper_bound(mean_score: float, pulls: float, gamma: float) -> float:
    return score_upper_bound_scalar(mean_score, pulls, gamma)


@vectorize(cache=True)
def _cost_lower_bound(
    mean_cost: float, pulls: float, gamma: float, cost_min: float, cost_max: float, scale: float
) -> float:
    return cost_lower_bound_scalar(mean_cost, pulls, gamma, cost_min, cost_max, scale)


def confidence_radius(mean: ArrayLike, pulls: ArrayLike, gamma: float) -> Floats:
    """Return ``f_rad(v, n) = sqrt(gamma v / n) + gamma / n`` of StageRoute's bounds.

    Args:
        mean: empirical mean ``v`` of a quantity in [0, 1], any shape.
        pulls: number of observations ``n``, broadcast against ``mean``; 0 gives infinity.
        gamma: confidence scale, at least 0; ``Theta(log(N T / delta))`` in the theory.

    Returns:
        float64 of the broadcast shape, in the unit of ``mean``.

    Raises:
        FieldError: an argument is negative or not a number.

    """
    v, n = _not_negative("mean", mean), _not_negative("pulls", pulls)
    return np.asarray(_confidence_radius(v, n, _scale(gamma)))


def score_upper_bound(mean_score: ArrayLike, pulls: ArrayLike, gamma: float) -> Floats:
    """Optimistic scores ``mu^U = clip(mean + 2 f_rad(mean, n + 1), 0, 1)``.

    Args:
        mean_score: empirical mean score of each model, in [0, 1], any shape.
        pulls: number of scores seen, broadcast against ``mean_score``; 0 gives the bound 1.
        gamma: confidence scale, at least 0.

    Returns:
        float64 of the broadcast shape, in [0, 1].

    Raises:
        FieldError: an argument is negative or not a number.

    """
    mean, n = _not_negative("mean_score", mean_score), _not_negative("pulls", pulls)
    return np.asarray(_score_upper_bound(mean, n, _scale(gamma)))


def cost_lower_bound(
    mean_cost: ArrayLike,
    pulls: ArrayLike,
    gamma: float,
    cost_min: float,
    cost_max: float,
    scale: float | None = None,
) -> Floats:
    """Optimistic costs ``c^L = clip(mean - 2 f_rad(mean, n + 1), c1, c2)``, means over a scale.

    Args:
        mean_cost: empirical mean cost of each model, USD, any shape.
        pulls: number of costs seen, broadcast against ``mean_cost``; 0 gives ``cost_min``.
        gamma: confidence scale, at least 0.
        cost_min: ``c1``, the least cost of a query, USD, at least 0.
        cost_max: ``c2``, the largest cost of a query, USD, above 0 and not below ``cost_min``.
        scale: what costs are divided by before the radius is taken, USD, above 0; None takes
            ``cost_max``, so that they lie in [0, 1] as in the theory.

    Returns:
        float64 of the broadcast shape, USD, in [``cost_min``, ``cost_max``].

    Raises:
        FieldError: an argument is negative or not a number, or the range of costs is empty.

    """
    mean, n = _not_negative("mean_cost", mean_cost), _not_negative("pulls", pulls)
    if not 0.0 <= cost_min < math.inf:
        raise FieldError("cost_min", cost_min, "a number of USD, at least 0")
    if not (0.0 < cost_max < math.inf and cost_max >= cost_min):
        raise FieldError("cost_max", cost_max, f"USD above 0, at least cost_min = {cost_min!r}")
    divisor = cost_max if scale is None else scale
    if not 0.0 < divisor < math.inf:
        raise FieldError("scale", scale, "a number of USD, above 0")
    low, high = np.float64(cost_min), np.float64(cost_max)
    return np.asarray(_cost_lower_bound(mean, n, _scale(gamma), low, high, np.float64(divisor)))


def _not_negative(field: str, value: ArrayLike) -> Floats:
    array = np.asarray(value, dtype=np.float64)
    good = (array >= 0.0) & (array < math.inf)
    if not good.all():
        raise FieldError(field, float(array[~good][0]), "numbers, at least 0")
    return array


def _scale(gamma: float) -> np.float64:
    if not 0.0 <= gamma < math.inf:
        raise FieldError("gamma", gamma, "a number, at least 0")
    return np.float64(gamma)
