"""What another policy would have brought on a log, three ways (Dudik, Langford & Li 2011, ICML).

The direct estimate fills in means by task and model and is wrong where the model of a request was
chosen for something that the task does not tell. Inverse propensity weights the requests on which
both agree by how likely that was, and needs no such assumption where the log tells its chances, but
many requests. The doubly robust one takes the direct estimate and corrects it by weighted errors.
Where the three disagree, the assumption does not carry.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from stageroute_gym.array_types import Floats, Integers

# Below this the weights of a few requests decide all.
FEWEST_EFFECTIVE = 30.0
_QUANTILE = 1.959963984540054


@dataclass(frozen=True)
class WithInterval:
    """An estimate and its 95 % interval by the normal distribution."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class OffPolicy:
    """Estimates of a policy's mean.

    Attributes:
        direct: by means of task and model; not a number where one that it needs is not known.
        inverse_propensity: self-normalised; None with fewer than 30 effective requests.
        doubly_robust: None likewise.
        effective: effective number of requests, ``(sum w)^2 / sum w^2``.
    """

    direct: float
    inverse_propensity: WithInterval | None
    doubly_robust: WithInterval | None
    effective: float


def off_policy(
    policy: Floats,
    expected: Floats,
    value: Floats,
    model: Integers,
    propensity: Floats,
) -> OffPolicy:
    """Estimate what a policy brings.

    Args:
        policy: probability with which it sends each request to each model, ``(n, N)``.
        expected: expected value of each model on each request, made without it, ``(n, N)``; not a
            number where not known.
        value: value seen, ``(n,)``.
        model: model that served, int64 ``(n,)``.
        propensity: probability with which it was drawn, in (0, 1], ``(n,)``.
    """
    rows = np.arange(len(value))
    used = policy > 0.0
    direct = np.where(used, policy * expected, 0.0).sum(axis=1)
    weight = policy[rows, model] / propensity
    total = weight.sum()
    effective = float(total**2 / (weight**2).sum()) if total > 0.0 else 0.0
    plain = float(direct.mean())
    if effective < FEWEST_EFFECTIVE:
        return OffPolicy(plain, None, None, effective)
    ratio = float((weight * value).sum() / total)
    # The delta method for a ratio of means.
    inverse = _interval(ratio + weight * (value - ratio) * len(value) / total, ratio)
    seen = np.where(used[rows, model], expected[rows, model], 0.0)
    corrected = direct + weight * (value - seen)
    robust = _interval(corrected, float(corrected.mean()))
    return OffPolicy(plain, inverse, robust if math.isfinite(robust.value) else None, effective)


def _interval(contributions: Floats, value: float) -> WithInterval:
    spread = float(contributions.std(ddof=1)) / math.sqrt(len(contributions))
    return WithInterval(value, value - _QUANTILE * spread, value + _QUANTILE * spread)
