"""Means over seeds with their intervals, ranges, and corrections for many comparisons.

Everything is a function of the values alone: what resamples takes a seed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
RESAMPLES = 2000
PERMUTATIONS = 10_000


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds.

    Attributes:
        mean: the mean; None without values.
        half_width: half the width of its 95 % interval; None with fewer than two values.
        count: number of values.
    """

    mean: float | None
    half_width: float | None
    count: int

    @property
    def low(self) -> float | None:
        """Lower end of the interval; None where there is none."""
        if self.mean is None or self.half_width is None:
            return None
        return self.mean - self.half_width

    @property
    def high(self) -> float | None:
        """Upper end of the interval; None where there is none."""
        if self.mean is None or self.half_width is None:
            return None
        return self.mean + self.half_width


def estimate(values: Iterable[float | None]) -> Estimate:
    """Mean and 95 % interval by Student's t distribution; None among the values is left out."""
    known = np.array([value for value in values if value is not None], dtype=np.float64)
    count = len(known)
    if count == 0:
        return Estimate(None, None, 0)
    # fsum, since a sum must not depend on how numpy groups it on this machine.
    mean = math.fsum(known.tolist()) / count
    if count == 1:
        return Estimate(mean, None, 1)
    # Only here, since scipy is slow to load.
    from scipy.special import stdtrit

    variance = math.fsum(((known - mean) ** 2).tolist()) / (count - 1)
    quantile = float(stdtrit(count - 1, (1 + CONFIDENCE) / 2))
    return Estimate(mean, quantile * math.sqrt(variance / count), count)


@dataclass(frozen=True)
class Spread:
    """The middle and the ends of some values.

    Attributes:
        median: the median; None without values.
        minimum: the smallest value; None without values.
        maximum: the largest value; None without values.
        count: number of values.
    """

    median: float | None
    minimum: float | None
    maximum: float | None
    count: int


def spread(values: Iterable[float | None]) -> Spread:
    """Median and range; None among the values is left out."""
    known = sorted(float(value) for value in values if value is not None)
    if not known:
        return Spread(None, None, None, 0)
    middle = (known[(len(known) - 1) // 2] + known[len(known) // 2]) / 2
    return Spread(middle, known[0], known[-1], len(known))


def p_value(differences: Sequence[float]) -> float:
    """Two-sided p-value of Student's t test that the mean of differences is 0.

    Differences that are all equal give 1 where they are 0, and 0 elsewhere; fewer than two give 1.
    """
    found = estimate(differences)
    if found.mean is None or found.half_width is None or found.mean == 0:
        return 1.0
    if found.half_width == 0:
        return 0.0
    from scipy.special import stdtr, stdtrit

    deviation = found.half_width / stdtrit(found.count - 1, (1 + CONFIDENCE) / 2)
    return float(2 * stdtr(found.count - 1, -abs(found.mean) / deviation))


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for their number by Holm's method, in the same order.

    The probability that any true hypothesis has a corrected value below 0.05 is at most 0.05,
    however the tests depend on each other (Holm 1979, Scandinavian Journal of Statistics 6).
    """
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = largest
    return corrected


def interquartile_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the middle half of the values along the last axis; it weighs no outlier.

    Where the number is no multiple of four, the values at the edges count in part.
    """
    count = values.shape[-1]
    # Value i holds the ranks from i to i + 1; what of it lies between the quartiles is its weight.
    edges = np.arange(count + 1).clip(count / 4, count * 3 / 4)
    weights = np.diff(edges)
    ordered = np.sort(values, axis=-1)
    # Not as a matrix product, whose rounding depends on the machine's threads.
    return (ordered * weights).sum(axis=-1) / weights.sum()


def stratified_interval(
    scores: Sequence[NDArray[np.float64]], seed: int = 0
) -> tuple[float, float | None, float | None]:
    """Interquartile mean over the runs of several scenarios, with a stratified bootstrap interval.

    Runs are drawn with replacement within each scenario (Agarwal et al. 2021, arXiv 2108.13264).
    The percentiles are moved outwards for the small number of runs a scenario, since the plain
    ones cover too rarely (the expanded percentile interval of Hesterberg 2015, arXiv 1411.5279,
    section 3.3).

    Args:
        scores: those of each scenario's runs, shape (runs,), float64.
        seed: seed of the draws.

    Returns:
        The interquartile mean, and the ends of its 95 % interval, None with fewer than two runs.
    """
    from scipy.special import ndtr, stdtrit

    point = float(interquartile_mean(np.concatenate(scores)))
    runs = min(len(values) for values in scores)
    if runs < 2:
        return point, None, None
    generator = np.random.default_rng(seed)
    drawn = [
        values[generator.integers(0, len(values), (RESAMPLES, len(values)))] for values in scores
    ]
    means = interquartile_mean(np.concatenate(drawn, axis=1))
    quantile = -stdtrit(runs - 1, (1 - CONFIDENCE) / 2) * math.sqrt(runs / (runs - 1))
    tail = float(ndtr(-quantile))
    low, high = np.quantile(means, [tail, 1 - tail])
    return point, float(low), float(high)


def log_log_slope(x: Sequence[float], values: NDArray[np.float64]) -> Estimate:
    """Slope of the logarithm of a mean over seeds against that of ``x``, by least squares.

    The interval is Student's t with the jackknife's standard error: each seed, which has run at all
    of ``x``, is left out in turn, so that what its runs have in common cancels. It is about the
    slope of the line that fits best, not about whether the means lie on a line.

    Args:
        x: at least two different values above 0.
        values: what each seed came to at each of them, shape (len(x), seeds), float64.

    Returns:
        The slope, without an interval where there is one seed; without a mean where a mean over
        seeds, or over all but one, is not above 0 and so has no logarithm.
    """
    from scipy.special import stdtrit

    places = np.log(np.array(x, np.float64))
    places -= math.fsum(places.tolist()) / len(places)
    weights = places / math.fsum((places**2).tolist())
    seeds = values.shape[1]
    totals = np.array([math.fsum(row) for row in values.tolist()])
    others = totals[:, None] - values if seeds > 1 else totals[:, None]
    if not (totals > 0).all() or not (others > 0).all():
        return Estimate(None, None, seeds)

    def slope(sums: NDArray[np.float64]) -> float:
        return math.fsum((weights * np.log(sums)).tolist())

    if seeds == 1:
        return Estimate(slope(totals), None, 1)
    left_out = np.array([slope(each) for each in others.T])
    away = left_out - math.fsum(left_out.tolist()) / seeds
    error = math.sqrt((seeds - 1) / seeds * math.fsum((away**2).tolist()))
    quantile = float(stdtrit(seeds - 1, (1 + CONFIDENCE) / 2))
    return Estimate(slope(totals), quantile * error, seeds)


def permutation_p_value(
    first: Sequence[NDArray[np.float64]], second: Sequence[NDArray[np.float64]], seed: int = 0
) -> float:
    """One-sided p-value that the first samples lie no higher than the second, within strata.

    The test statistic is the sum over strata of the difference of the means; values change sides
    within their stratum only. Exact in level whatever the distribution (Phipson and Smyth 2010,
    Statistical Applications in Genetics and Molecular Biology 9, for the count that is added).

    Args:
        first: values of each stratum, shape (n,), float64, at least one.
        second: those to compare them with, shape (m,), float64, at least one.
        seed: seed of the permutations.
    """
    generator = np.random.default_rng(seed)
    drawn, met = np.zeros(PERMUTATIONS), 0.0
    for ours, theirs in zip(first, second, strict=True):
        pooled, count = np.concatenate([ours, theirs]), len(ours)
        weights = np.where(np.arange(len(pooled)) < count, 1 / count, -1 / (len(pooled) - count))
        met += math.fsum((pooled * weights).tolist())
        shuffled = generator.permuted(np.tile(pooled, (PERMUTATIONS, 1)), axis=1)
        # Not as a matrix product, whose rounding depends on the machine's threads.
        drawn += (shuffled * weights).sum(axis=1)
    # Arrangements that are equal but for rounding count as reaching what was met.
    reached = np.count_nonzero(drawn >= met - 1e-12)
    return float((reached + 1) / (PERMUTATIONS + 1))
