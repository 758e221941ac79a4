"""Means of small groups, drawn towards what model and group tell apart: empirical Bayes.

The mean of a model over thirty queries of a task is mostly luck, and a plan that takes the best of
many such means takes the luckiest. So each mean is drawn towards an additive estimate (how good the
model is, how hard the task is), the more the fewer queries it rests on: by the ratio of what the
tasks truly differ in to that and the noise, both estimated from the data (method of moments, as in
Efron & Morris 1975, "Data analysis using Stein's estimator and its generalizations").
"""

from __future__ import annotations

import numpy as np

from stageroute_gym.array_types import Floats

_ROUNDS = 50
_CONVERGED = 1e-12


def shrunk(mean: Floats, count: Floats, variance: Floats) -> Floats:
    """Draw means towards an additive estimate.

    Args:
        mean: mean score of each model in each group, ``(G, N)``; not read where ``count`` is 0.
        count: queries that each rests on, ``(G, N)``.
        variance: variance of a single score of each model within a group, ``(N,)``.

    Returns:
        The means drawn towards the estimate, ``(G, N)``; not a number where ``count`` is 0. With
        one group or one model they are the means themselves.
    """
    known = count > 0.0
    groups, models = known.any(axis=1).sum(), known.any(axis=0).sum()
    if groups < 2 or models < 2:
        return np.where(known, mean, np.nan)
    centre = _additive(np.where(known, mean, 0.0), count)
    deviation = np.where(known, mean - centre, 0.0)
    noise = variance / np.where(known, count, 1.0)
    # Estimating the additive part takes up some of the deviation.
    cells = known.sum()
    freedom = (cells - groups - models + 1) / cells
    weight = np.sqrt(count)
    excess = (weight * (deviation**2 - freedom * noise)).sum() / weight.sum()
    signal = max(excess / freedom, 0.0) if freedom > 0.0 else 0.0
    spread = signal + noise
    kept = np.divide(signal, spread, out=np.ones_like(spread), where=spread > 0.0)
    return np.where(known, centre + kept * deviation, np.nan)


def _additive(mean: Floats, count: Floats) -> Floats:
    """Weighted least squares of group plus model, by turns (backfitting)."""
    rows, columns = count.sum(axis=1), count.sum(axis=0)
    group, model = np.zeros(len(rows)), np.zeros(len(columns))
    for _ in range(_ROUNDS):
        before = model
        group = np.divide(
            (count * (mean - model)).sum(axis=1), rows, out=np.zeros_like(rows), where=rows > 0.0
        )
        model = np.divide(
            (count * (mean - group[:, None])).sum(axis=0),
            columns,
            out=np.zeros_like(columns),
            where=columns > 0.0,
        )
        if np.abs(model - before).max() < _CONVERGED:
            break
    return group[:, None] + model
