from __future__ import annotations

import random

import numpy as np
import polars as pl
import pytest
from results import rows
from scipy import stats

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation import compare, estimate
from stageroute_gym.evaluation.comparison import improvement
from stageroute_gym.evaluation.statistics import (
    holm,
    interquartile_mean,
    log_log_slope,
    p_value,
    spread,
    stratified_interval,
)


def test_estimate_of_a_case_worked_by_hand() -> None:
    # Mean 4, standard deviation 2, n = 4: half-width t(3, 0.975) * 2 / sqrt(4) = 3.182446.
    found = estimate([2.0, 4.0, 4.0, 6.0])
    assert found.mean == 4.0
    assert found.count == 4
    deviation = (8 / 3) ** 0.5
    assert found.half_width == pytest.approx(3.182446305 * deviation / 2, rel=1e-9)
    assert found.low == pytest.approx(4.0 - 3.182446305 * deviation / 2)
    assert found.high == pytest.approx(4.0 + 3.182446305 * deviation / 2)


def test_estimate_without_an_interval() -> None:
    assert estimate([]).mean is None
    assert estimate([None]).count == 0
    single = estimate([None, 1.5])
    assert (single.mean, single.half_width, single.low, single.high) == (1.5, None, None, None)


def test_estimate_does_not_depend_on_the_order() -> None:
    values = [random.Random(0).random() * 10**k for k in range(-8, 8)]
    shuffled = random.Random(1).sample(values, len(values))
    assert estimate(values) == estimate(shuffled)


def test_paired_difference_by_hand() -> None:
    # Differences 1, 2, 3: mean 2, standard deviation 1, half-width t(2, 0.975) / sqrt(3).
    results = rows({("s", "a"): [1, 4, 9], ("s", "b"): [0, 2, 6, 50]})
    found = compare(results, "a", "b").row(0, named=True)
    assert found["difference"] == 2.0
    assert found["seeds"] == 3
    assert found["high"] - 2.0 == pytest.approx(4.302652730 / 3**0.5, rel=1e-9)
    assert 2.0 - found["low"] == pytest.approx(4.302652730 / 3**0.5, rel=1e-9)
    assert found["improvement"] == 1.0
    backwards = compare(results, "b", "a").row(0, named=True)
    assert backwards["difference"] == -2.0
    assert backwards["improvement"] == 0.0


def test_probability_of_improvement_by_hand() -> None:
    # Two of four ahead and one equal: 2.5 / 4. Wilson's interval of 5 of 8 is that of R's
    # prop.test(5, 8, correct = FALSE).
    assert improvement([1.0, 2.0, 0.0, -1.0]).mean == 0.625
    found = improvement([1.0] * 5 + [-1.0] * 3)
    assert (found.low, found.high) == pytest.approx((0.3057, 0.8632), abs=1e-4)
    assert improvement([]).mean is None


def test_spread_by_hand() -> None:
    found = spread([3.0, None, 1.0, 2.0, 10.0])
    assert (found.median, found.minimum, found.maximum, found.count) == (2.5, 1.0, 10.0, 4)
    assert spread([None]).median is None


def test_holms_correction_by_hand() -> None:
    # 0.01 x 4; 0.02 x 3, then 0.03 x 2 is smaller and stays at that; 0.5 x 1.
    assert holm([0.03, 0.01, 0.5, 0.02]) == pytest.approx([0.06, 0.04, 0.5, 0.06])
    assert holm([]) == []


def test_p_value_equals_scipys() -> None:
    differences = [0.3, -0.1, 0.4, 0.2, 0.6]
    assert p_value(differences) == pytest.approx(stats.ttest_1samp(differences, 0.0).pvalue)
    assert p_value([0.1, 0.1]) == 0.0
    assert p_value([0.0, 0.0]) == 1.0
    assert p_value([0.1]) == 1.0


def test_interquartile_mean_equals_the_trimmed_mean_and_takes_parts_of_values() -> None:
    values = np.random.default_rng(0).normal(size=40)
    assert interquartile_mean(values) == pytest.approx(stats.trim_mean(values, 0.25))
    # Of five values the middle 2.5: three quarters of the second and fourth, the whole third.
    assert interquartile_mean(np.array([9.0, 1, 2, 3, -9])) == pytest.approx(2.0)
    assert interquartile_mean(np.array([0.0, 0, 1, 4, 9])) == pytest.approx(4 / 2.5)


def test_bootstrap_is_the_same_at_every_call_and_none_with_one_run() -> None:
    scores = [np.random.default_rng(seed).random(10) for seed in (0, 1)]
    assert stratified_interval(scores) == stratified_interval(scores)
    assert stratified_interval([np.array([0.5])]) == (0.5, None, None)


def test_slope_of_a_power_law_is_its_exponent() -> None:
    x = [1e3, 1e4, 1e5, 1e6]
    exact = np.array(x)[:, None] ** (2 / 3) * np.array([[1.0, 3.0, 5.0]])
    found = log_log_slope(x, exact)
    # Factors that a seed has at all of x cancel.
    assert found.mean == pytest.approx(2 / 3, abs=1e-12)
    assert found.half_width == pytest.approx(0, abs=1e-12)
    assert log_log_slope(x, exact[:, :1]).half_width is None
    assert log_log_slope(x, exact - exact.mean()).mean is None


def test_slope_and_its_interval_by_hand() -> None:
    # Sums 6 and 60 at 1 and 10: slope 1. Without one seed each: 25 / 2.5, 19 / 2, 16 / 1.5.
    found = log_log_slope([1.0, 10.0], np.array([[1.0, 2.0, 3.0], [10.0, 22.0, 28.0]]))
    assert found.mean == pytest.approx(1.0)
    without = np.log10([10.0, 9.5, 16 / 1.5])
    error = (2 / 3 * ((without - without.mean()) ** 2).sum()) ** 0.5
    assert found.half_width == pytest.approx(4.302652730 * error, rel=1e-9)
    assert found.half_width == pytest.approx(0.1252, abs=1e-4)


def test_slope_equals_scipys_regression() -> None:
    x = [10.0, 20.0, 80.0, 500.0]
    values = np.random.default_rng(0).lognormal(size=(4, 6))
    theirs = stats.linregress(np.log(x), np.log(values.mean(axis=1))).slope
    assert log_log_slope(x, values).mean == pytest.approx(theirs)


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("first", ("aa", "b")),
        ("second", ("a", "bb")),
        ("column", ("a", "b", "scor")),
        ("results", ("a", "c")),
    ],
)
def test_compare_names_what_is_missing(field: str, arguments: tuple[str, ...]) -> None:
    results = rows({("s", "a"): [1.0], ("s", "b"): [2.0], ("t", "c"): [2.0]})
    with pytest.raises(FieldError) as caught:
        compare(results, *arguments)
    assert caught.value.field == field


def test_compare_refuses_two_episodes_of_a_seed() -> None:
    results = rows({("s", "a"): [1.0], ("s", "b"): [2.0]})
    with pytest.raises(FieldError, match="one episode a seed"):
        compare(pl.concat([results, results]), "a", "b")
