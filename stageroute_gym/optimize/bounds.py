"""Confidence bounds of StageRoute (Li & Li 2026, arXiv 2506.17254) on scores and costs.

Each bound is written once, as a compiled function of scalars (``*_scalar``) that other compiled
code calls inside its loops; the public functions apply it to arrays of any shape.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from stageroute_gym.array_types import Floats
from stageroute_gym.checks import choice
from stageroute_gym.compiling import njit, vectorize
from stageroute_gym.errors import FieldError

# The two radii in circulation, see `confidence_radius`.
RADII = ("sum", "joint")


@njit(cache=True)
def confidence_radius_scalar(spread: float, pulls: float, gamma: float, joint: bool) -> float:
    """The radius of one mean, `confidence_radius`; infinite where nothing was pulled.

    Args:
        spread: the empirical mean, or variance, of what the radius is for, on a scale of [0, 1].
        pulls: how many outcomes it is of, at least 0.
        gamma: confidence scale, at least 0.
        joint: whether by the radius ``"joint"``.
    """
    if pulls <= 0.0:
        return math.inf
    if joint:
        return math.sqrt(gamma * spread / pulls + gamma / pulls)
    return math.sqrt(gamma * spread / pulls) + gamma / pulls


@njit(cache=True)
def score_upper_bound_scalar(
    mean_score: float, spread: float, pulls: float, gamma: float, joint: bool
) -> float:
    """``mu^U`` of one model; see `score_upper_bound`."""
    if pulls <= 0.0:
        return 1.0
    upper = mean_score + 2.0 * confidence_radius_scalar(spread, pulls + 1.0, gamma, joint)
    return min(max(upper, 0.0), 1.0)


@njit(cache=True)
def cost_lower_bound_scalar(
    mean_cost: float,
    spread: float,
    pulls: float,
    gamma: float,
    cost_min: float,
    cost_max: float,
    scale: float,
    joint: bool,
) -> float:
    """``c^L`` of one model in USD; see `cost_lower_bound`. ``spread`` is that of costs / scale."""
    if pulls <= 0.0:
        return cost_min
    # The radius depends on the scale of what it bounds, and the theory is for values in [0, 1].
    share = mean_cost / scale
    lower = scale * (share - 2.0 * confidence_radius_scalar(spread, pulls + 1.0, gamma, joint))
    return min(max(lower, cost_min), cost_max)


@vectorize(cache=True)
def _confidence_radius(spread: float, pulls: float, gamma: float, joint: bool) -> float:
    return confidence_radius_scalar(spread, pulls, gamma, joint)


@vectorize(cache=True)
def _score_upper_bound(
    mean_score: float, spread: float, pulls: float, gamma: float, joint: bool
) -> float:
    return score_upper_bound_scalar(mean_score, spread, pulls, gamma, joint)


@vectorize(cache=True)
def _cost_lower_bound(
    mean_cost: float,
    spread: float,
    pulls: float,
    gamma: float,
    cost_min: float,
    cost_max: float,
    scale: float,
    joint: bool,
) -> float:
    return cost_lower_bound_scalar(
        mean_cost, spread, pulls, gamma, cost_min, cost_max, scale, joint
    )


def is_joint(radius: str) -> bool:
    """Whether a radius takes one root of both terms, see `confidence_radius`.

    Raises:
        FieldError: if there is no such radius.
    """
    return choice("radius", radius, RADII) == "joint"


def confidence_radius(
    spread: ArrayLike, pulls: ArrayLike, gamma: float, *, radius: str = "sum"
) -> Floats:
    """Return ``f_rad(v, n) = sqrt(gamma v / n) + gamma / n`` of StageRoute's bounds.

    Args:
        spread: ``v``, the empirical mean of a quantity in [0, 1], or its empirical variance, any
            shape.
        pulls: number of observations ``n``, broadcast against ``spread``; 0 gives infinity.
        gamma: confidence scale, at least 0; ``Theta(log(N T / delta))`` in the theory.
        radius: ``"sum"`` for the paper's, as above; ``"joint"`` for the other one in circulation,
            ``sqrt(gamma v / n + gamma / n)``, which falls as ``1 / sqrt(n)`` even at ``v = 0``.

    Returns:
        float64 of the broadcast shape, in the unit of the quantity.

    Raises:
        FieldError: an argument is negative or not a number, or there is no such radius.

    """
    v, n = _not_negative("spread", spread), _not_negative("pulls", pulls)
    return np.asarray(_confidence_radius(v, n, _scale(gamma), is_joint(radius)))


def score_upper_bound(
    mean_score: ArrayLike,
    pulls: ArrayLike,
    gamma: float,
    *,
    variance: ArrayLike | None = None,
    radius: str = "sum",
) -> Floats:
    """Optimistic scores ``mu^U = clip(mean + 2 f_rad(v, n + 1), 0, 1)``.

    Args:
        mean_score: empirical mean score of each model, in [0, 1], any shape.
        pulls: number of scores seen, broadcast against ``mean_score``; 0 gives the bound 1.
        gamma: confidence scale, at least 0.
        variance: empirical variance of the scores, broadcast likewise, for ``v``; None takes the
            mean for it, as the paper does.
        radius: as for `confidence_radius`.

    Returns:
        float64 of the broadcast shape, in [0, 1].

    Raises:
        FieldError: an argument is negative or not a number, or there is no such radius.

    """
    mean, n = _not_negative("mean_score", mean_score), _not_negative("pulls", pulls)
    spread = mean if variance is None else _not_negative("variance", variance)
    return np.asarray(_score_upper_bound(mean, spread, n, _scale(gamma), is_joint(radius)))


def cost_lower_bound(
    mean_cost: ArrayLike,
    pulls: ArrayLike,
    gamma: float,
    cost_min: float,
    cost_max: float,
    scale: float | None = None,
    *,
    variance: ArrayLike | None = None,
    radius: str = "sum",
) -> Floats:
    """Optimistic costs ``c^L = clip(mean - 2 f_rad(v, n + 1), c1, c2)``, means over a scale.

    Args:
        mean_cost: empirical mean cost of each model, USD, any shape.
        pulls: number of costs seen, broadcast against ``mean_cost``; 0 gives ``cost_min``.
        gamma: confidence scale, at least 0.
        cost_min: ``c1``, the least cost of a query, USD, at least 0.
        cost_max: ``c2``, the largest cost of a query, USD, above 0 and not below ``cost_min``.
        scale: what costs are divided by before the radius is taken, USD, above 0; None takes
            ``cost_max``, so that they lie in [0, 1] as in the theory.
        variance: empirical variance of the costs, USD squared, broadcast likewise, for ``v``; None
            takes the mean over the scale for it, as the paper does.
        radius: as for `confidence_radius`.

    Returns:
        float64 of the broadcast shape, USD, in [``cost_min``, ``cost_max``].

    Raises:
        FieldError: an argument is negative or not a number, the range of costs is empty, or there
            is no such radius.

    """
    mean, n = _not_negative("mean_cost", mean_cost), _not_negative("pulls", pulls)
    if not 0.0 <= cost_min < math.inf:
        raise FieldError("cost_min", cost_min, "a number of USD, at least 0")
    if not (0.0 < cost_max < math.inf and cost_max >= cost_min):
        raise FieldError("cost_max", cost_max, f"USD above 0, at least cost_min = {cost_min!r}")
    divisor = cost_max if scale is None else scale
    if not 0.0 < divisor < math.inf:
        raise FieldError("scale", scale, "a number of USD, above 0")
    spread = (
        mean / divisor
        if variance is None
        else _not_negative("variance", variance) / np.float64(divisor) ** 2
    )
    bounds = np.float64(cost_min), np.float64(cost_max), np.float64(divisor)
    joint = is_joint(radius)
    return np.asarray(_cost_lower_bound(mean, spread, n, _scale(gamma), *bounds, joint))


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
