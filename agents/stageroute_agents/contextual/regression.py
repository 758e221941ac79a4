"""What features tell of scores and costs beyond the models' means, and whether that is anything.

Each outcome leaves a residual: a score less what was expected of the model, or the logarithm of a
cost over what was expected. Residuals are regressed on the query's features, as ``f_m(x) = (beta +
delta_m)' z`` with standardised features ``z``, a part common to all models and one of each model's
own, ridge regressions both: ``beta ~ N(0, tau_0^2 I)``, ``delta_m ~ N(0, tau^2 I)``. The variances
``tau^2`` and ``tau_0^2`` are those that the data suggest (empirical Bayes, by expectation
maximisation: Dempster, Laird & Rubin 1977), so features that tell little are shrunk to nothing.

Whether they pay is seen from predictions one step ahead (Dawid 1984, "The prequential approach"):
with the prediction ``f`` of a residual ``r``, made before ``r`` was known, ``sum r f`` is a
martingale with the variance ``sigma^2 sum f^2`` where features are worth nothing.
"""

from __future__ import annotations

import math

import numpy as np

from stageroute_agents.arrays import Flags, Floats, Integers
from stageroute_gym.compiling import njit

SCORE, LOG_COST = range(2)
# `trials`, shape (E, 2, 5): how predictions of scores and of log costs have fared.
CROSS, POWER, SQUARES, NUMBER, PAYS = range(5)
NUM_TRIED = 5
# `spread`, shape (E, 2, 2): tau_0^2 and tau^2 over the variance of a residual.
COMMON, OWN = range(2)

# At first, features are taken to explain a tenth of the variance.
FIRST_RATIO = 0.1
_VARIANCE_WEIGHT = 4.0
_TYPICAL_VARIANCES = (0.15, 0.6)
# Features that pay are used until their evidence falls below this part of what they had to show.
_KEPT = 0.5
_LEAST_RATIO = 1e-7


@njit(cache=True)
def variance(trial: Floats, kind: int) -> float:
    """Variance of the residuals of one kind that the features do not explain."""
    squares = trial[SQUARES] + _VARIANCE_WEIGHT * _TYPICAL_VARIANCES[kind]
    return squares / (trial[NUMBER] + _VARIANCE_WEIGHT)


@njit(cache=True)
def weight(trial: Floats) -> float:
    """Factor of the predictions that fits the residuals so far best, in [0, 1]; 0: they do not pay.

    Args:
        trial: of one episode and kind, shape (5,), float64.
    """
    if trial[PAYS] == 0.0:
        return 0.0
    return min(trial[CROSS] / trial[POWER], 1.0)


@njit(cache=True)
def learn_rows(
    rows: Integers,
    models: Integers,
    query: Floats,
    residual: Floats,
    products: Floats,
    sums: Floats,
    common: Floats,
    own: Floats,
    trials: Floats,
    evidence: float,
) -> None:
    """Try the predictions on one outcome in each of some episodes, then book it.

    Args:
        rows: the episodes, each once, shape (R,), int64.
        models: model that served, shape (R,), int64.
        query: features of the query, shape (R, F), float64.
        residual: score and log cost beyond what was expected, shape (R, 2), float64.
        products: sums of ``x x'`` with ``x`` the features and 1, (E, N, F + 1, F + 1), written.
        sums: sums of ``x r``, shape (E, N, 2, F + 1), float64, written.
        common: ``beta`` for features as they come, shape (E, 2, F), float64.
        own: ``delta``, shape (E, 2, N, F), float64.
        trials: shape (E, 2, 5), float64, written.
        evidence: standard errors above 0 at which predictions count as better than none.
    """
    size = query.shape[1]
    for i in range(len(rows)):
        e, m, x = rows[i], models[i], query[i]
        product = products[e, m]
        before = product[size, size]
        for kind in range(2):
            if before > 0.0:
                # Against the model's own mean, which is known without any feature.
                shared = apart = 0.0
                for f in range(size):
                    offset = x[f] - product[size, f] / before
                    shared += common[e, kind, f] * offset
                    apart += own[e, kind, m, f] * offset
                surprise = residual[i, kind] - sums[e, m, kind, size] / before
                # All models' scores rising alike changes no choice; all models' costs rising does.
                if kind == SCORE:
                    surprise -= shared
                else:
                    apart += shared
                _try(trials[e, kind], kind, surprise, apart, evidence)
            for f in range(size):
                sums[e, m, kind, f] += x[f] * residual[i, kind]
            sums[e, m, kind, size] += residual[i, kind]
        for f in range(size):
            for g in range(size):
                product[f, g] += x[f] * x[g]
            product[f, size] += x[f]
            product[size, f] += x[f]
        product[size, size] += 1.0


@njit(cache=True)
def _try(trial: Floats, kind: int, surprise: float, predicted: float, evidence: float) -> None:
    """Book how a prediction fared, and whether predictions pay by now."""
    trial[CROSS] += surprise * predicted
    trial[POWER] += predicted * predicted
    trial[SQUARES] += (surprise - predicted) ** 2
    trial[NUMBER] += 1.0
    bar = evidence * (_KEPT if trial[PAYS] > 0.0 else 1.0)
    error = math.sqrt(variance(trial, kind) * trial[POWER])
    trial[PAYS] = 1.0 if trial[CROSS] > max(bar * error, 0.0) else 0.0


@njit(cache=True)
def fit_rows(
    rows: Integers,
    products: Floats,
    sums: Floats,
    met: Floats,
    trials: Floats,
    spread: Floats,
    common: Floats,
    own: Floats,
    centre: Floats,
    unsure: Floats,
) -> None:
    """Fit the regressions anew, and take one step of expectation maximisation.

    Args:
        rows: the episodes, shape (R,), int64.
        products: as for `learn_rows`, like what follows.
        sums: see there.
        met: number, sum and sum of squares of the features of all queries, (E, 2 F + 1), float64.
        trials: see there.
        spread: ``tau_0^2`` and ``tau^2`` over the variance, shape (E, 2, 2), float64, written.
        common: see there; written.
        own: see there; written.
        centre: mean features, shape (E, F), float64, written.
        unsure: variance of a prediction of a score, over that of a residual, (E, N), written.
    """
    n, size = products.shape[1], products.shape[2] - 1
    within = np.empty((n, size, size))
    along = np.empty((n, 2, size))
    scale = np.empty(size)
    identity = np.eye(size)
    for e in rows:
        queries = max(met[e, 0], 1.0)
        for f in range(size):
            centre[e, f] = met[e, 1 + f] / queries
            squares = met[e, 1 + size + f] / queries - centre[e, f] ** 2
            # What never varies tells nothing.
            fine = squares > 1e-12 * max(centre[e, f] ** 2, 1e-300)
            scale[f] = 1.0 / math.sqrt(squares) if fine else 0.0
        pooled, pooled_along = np.zeros((size, size)), np.zeros((2, size))
        for m in range(n):
            number = max(products[e, m, size, size], 1.0)
            for f in range(size):
                mean = products[e, m, f, size] / number
                for g in range(size):
                    inner = products[e, m, f, g] - mean * products[e, m, g, size]
                    within[m, f, g] = inner * scale[f] * scale[g]
                for kind in range(2):
                    inner = sums[e, m, kind, f] - mean * sums[e, m, kind, size]
                    along[m, kind, f] = inner * scale[f]
            pooled += within[m]
            pooled_along += along[m]
        for kind in range(2):
            noise = variance(trials[e, kind], kind)
            inverse = np.linalg.inv(pooled + identity / spread[e, kind, COMMON])
            beta = inverse @ pooled_along[kind]
            part = (beta @ beta) / noise + np.trace(inverse)
            spread[e, kind, COMMON] = max(part / size, _LEAST_RATIO)
            total, tried = 0.0, 0
            for m in range(n):
                inverse = np.linalg.inv(within[m] + identity / spread[e, kind, OWN])
                delta = inverse @ (along[m, kind] - within[m] @ beta)
                trace = np.trace(inverse)
                if products[e, m, size, size] > 0.0:
                    total += (delta @ delta) / noise + trace
                    tried += 1
                if kind == SCORE:
                    unsure[e, m] = trace
                for f in range(size):
                    own[e, kind, m, f] = delta[f] * scale[f]
            if tried > 0:
                spread[e, kind, OWN] = max(total / (tried * size), _LEAST_RATIO)
            for f in range(size):
                common[e, kind, f] = beta[f] * scale[f]


@njit(cache=True)
def effects_of(query: Floats, common: Floats, own: Floats, centre: Floats, effects: Floats) -> None:
    """Effects of a query's features on scores and log costs in an episode, not weighted yet.

    Args:
        query: features, shape (F,), float64.
        common: as for `fit_rows`, of one episode, like the next two.
        own: see there.
        centre: see there.
        effects: written, shape (N, 2), float64.
    """
    n, size = own.shape[1:]
    for kind in range(2):
        shared = 0.0
        for f in range(size):
            shared += common[kind, f] * (query[f] - centre[f])
        for m in range(n):
            effect = shared
            for f in range(size):
                effect += own[kind, m, f] * (query[f] - centre[f])
            effects[m, kind] = effect


@njit(cache=True)
def pays_rows(trials: Floats) -> Flags:
    """Where features pay for scores or for costs, shape (E,), bool."""
    return (trials[:, SCORE, PAYS] > 0.0) | (trials[:, LOG_COST, PAYS] > 0.0)


@njit(cache=True)
def weights_rows(trials: Floats) -> Floats:
    """`weight` of scores and of log costs, shape (E, 2), float64."""
    weights = np.empty((len(trials), 2))
    for e in range(len(trials)):
        for kind in range(2):
            weights[e, kind] = weight(trials[e, kind])
    return weights
