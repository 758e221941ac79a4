"""What PacedRoute remembers of the outcomes, and how it notices that a model has changed."""

from __future__ import annotations

import math

from stageroute_agents.arrays import Floats, Integers
from stageroute_gym.compiling import njit

# `cells`, shape (E, G, N, 5): what has been observed of each model on each of G tasks. Scores and
# costs are counted apart, since a model may change in one of them only. SPREAD is the sum of the
# squared deviations of the scores from their mean (Welford 1962), which a shift of that leaves.
SCORES, SCORE_SUM, SPREAD, COSTS, COST_SUM = range(5)
NUM_SUMS = 5
# `watches`, shape (E, N, 2, 6): surprises of a model's scores and of the logarithms of its costs,
# that is observed less expected, of all its outcomes and of the last few.
SCORE, LOG_COST = range(2)
ALL, ALL_SUM, ALL_SQUARES, LATE, LATE_SUM, EVIDENCE = range(6)
NUM_WATCHED = 6

# Variances of scores and of log costs are those of the data and of pseudo-observations.
_VARIANCE_WEIGHT = 4.0
_TYPICAL_VARIANCES = (0.15, 0.6)
# In nats; a single outcome proves no change.
_LARGEST_STEP = 3.0


@njit(cache=True)
def learn_rows(
    cells: Floats,
    watches: Floats,
    rows: Integers,
    tasks: Integers,
    models: Integers,
    score: Floats,
    cost: Floats,
    expected_score: Floats,
    expected_cost: Floats,
    memory: float,
    threshold: float,
) -> None:
    """Book one outcome in each of some episodes, and forget what no longer holds.

    A change of a model is found by a CUSUM (Page 1954, "Continuous inspection schemes") on the log
    likelihood ratio of its last outcomes' mean against all outcomes' mean. Where it passes
    ``threshold``, all that is known of the model moves to the mean and shrinks to the weight of the
    last outcomes.

    Args:
        cells: read and written, shape (E, G, N, 5), float64.
        watches: read and written, shape (E, N, 2, 6), float64.
        rows: the episodes, each once, shape (R,), int64.
        tasks: task of the query, shape (R,), int64.
        models: model that served it, shape (R,), int64.
        score: its score, shape (R,), float64.
        cost: its cost in USD, shape (R,), float64.
        expected_score: what was expected of that model on that task, shape (R,), float64.
        expected_cost: the same of the cost in USD, shape (R,), float64.
        memory: number of outcomes that are the last ones; their weights fade geometrically.
        threshold: evidence of a change in nats; infinite: none is looked for.
    """
    for i in range(len(rows)):
        e, m = rows[i], models[i]
        if threshold < math.inf:
            surprise = score[i] - expected_score[i]
            shift, kept = _watch(watches[e, m], SCORE, surprise, memory, threshold)
            if kept < 1.0:
                _forget_scores(cells[e], m, shift, kept)
            if cost[i] > 0.0 and expected_cost[i] > 0.0:
                surprise = math.log(cost[i] / expected_cost[i])
                shift, kept = _watch(watches[e, m], LOG_COST, surprise, memory, threshold)
                if kept < 1.0:
                    _forget_costs(cells[e], m, shift, kept)
        cell = cells[e, tasks[i], m]
        before = cell[SCORE_SUM] / max(cell[SCORES], 1.0)
        cell[SCORES] += 1.0
        cell[SCORE_SUM] += score[i]
        if cell[SCORES] > 1.0:
            cell[SPREAD] += (score[i] - before) * (score[i] - cell[SCORE_SUM] / cell[SCORES])
        cell[COSTS] += 1.0
        cell[COST_SUM] += cost[i]


@njit(cache=True)
def _forget_scores(cells: Floats, model: int, shift: float, kept: float) -> None:
    for g in range(cells.shape[0]):
        number = cells[g, model, SCORES] * kept
        total = cells[g, model, SCORE_SUM] * kept + number * shift
        cells[g, model, SCORES] = number
        cells[g, model, SPREAD] *= kept
        cells[g, model, SCORE_SUM] = min(max(total, 0.0), number)


@njit(cache=True)
def _forget_costs(cells: Floats, model: int, shift: float, kept: float) -> None:
    for g in range(cells.shape[0]):
        cells[g, model, COSTS] *= kept
        cells[g, model, COST_SUM] *= kept * math.exp(shift)


@njit(cache=True)
def _watch(
    watches: Floats, kind: int, surprise: float, memory: float, threshold: float
) -> tuple[float, float]:
    """Book a surprise; by how much the mean has changed, and the part of the weight to keep."""
    watch = watches[kind]
    number, late = watch[ALL], watch[LATE]
    mean = watch[ALL_SUM] / max(number, 1.0)
    late_mean = watch[LATE_SUM] / max(late, 1.0)
    squares = max(watch[ALL_SQUARES] - number * mean * mean, 0.0)
    squares += _VARIANCE_WEIGHT * _TYPICAL_VARIANCES[kind]
    variance = squares / (number + _VARIANCE_WEIGHT)
    # A mean of few outcomes predicts the next one worse.
    of_all, of_late = 1.0 + 1.0 / (number + 1.0), 1.0 + 1.0 / (late + 1.0)
    step = 0.5 * (
        (surprise - mean) ** 2 / (variance * of_all)
        - (surprise - late_mean) ** 2 / (variance * of_late)
        + math.log(of_all / of_late)
    )
    watch[EVIDENCE] = max(watch[EVIDENCE] + min(step, _LARGEST_STEP), 0.0)
    fading = 1.0 - 1.0 / memory
    watch[ALL] += 1.0
    watch[ALL_SUM] += surprise
    watch[ALL_SQUARES] += surprise * surprise
    watch[LATE] = watch[LATE] * fading + 1.0
    watch[LATE_SUM] = watch[LATE_SUM] * fading + surprise
    if watch[EVIDENCE] <= threshold:
        return 0.0, 1.0
    mean = watch[ALL_SUM] / watch[ALL]
    shift = watch[LATE_SUM] / watch[LATE] - mean
    kept = watch[LATE] / watch[ALL]
    # What is expected moves with the shift, so the surprises fall back to their old mean.
    watch[ALL] = watch[LATE]
    watch[ALL_SUM] = watch[LATE_SUM] = mean * watch[LATE]
    watch[ALL_SQUARES] *= kept
    watch[EVIDENCE] = 0.0
    return shift, kept
