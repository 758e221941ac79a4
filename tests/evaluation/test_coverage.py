"""How often the intervals hold what they estimate, by simulation at 10 and 20 seeds.

The populations are 300 episodes each of real agents, from which seeds are drawn anew.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from stageroute_gym.evaluation import estimate, evaluate
from stageroute_gym.evaluation.measures import OF_EPISODES
from stageroute_gym.evaluation.ranking import shared_ranks
from stageroute_gym.evaluation.statistics import (
    interquartile_mean,
    log_log_slope,
    stratified_interval,
)

pytestmark = pytest.mark.slow

EPISODES, SAMPLES = 300, 1000
AGENTS = ("uniform", "linucb", "explore-then-commit")
SHORT = {"horizon": 1000, "num_stages": 8}


@pytest.fixture(scope="module")
def populations() -> dict[str, pl.DataFrame]:
    return {
        agent: evaluate(agent, "routerbench", range(EPISODES), **SHORT)
        for agent in (*AGENTS, "stageroute")
    }


def coverage(population: NDArray[np.float64], seeds: int) -> float:
    """Share of samples whose interval holds the population's mean."""
    generator = np.random.default_rng(seeds)
    truth, hits = population.mean(), 0
    for _ in range(SAMPLES):
        found = estimate(population[generator.integers(0, len(population), seeds)])
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= truth <= found.high
    return hits / SAMPLES


@pytest.mark.parametrize("seeds", [10, 20])
@pytest.mark.parametrize("agent", AGENTS)
def test_intervals_of_scores_and_of_differences_cover(
    populations: dict[str, pl.DataFrame], agent: str, seeds: int
) -> None:
    shown = [m.key for m in OF_EPISODES if m.summary == "interval"]
    assert "score_over_horizon_oracle" in shown
    for key in shown:
        values = populations[agent][key].to_numpy()
        assert coverage(values, seeds) >= 0.9, key
        assert coverage(values - populations["uniform"][key].to_numpy(), seeds) >= 0.9, key


def test_intervals_of_what_is_shown_as_a_range_would_not_cover(
    populations: dict[str, pl.DataFrame],
) -> None:
    ranges = [m.key for m in OF_EPISODES if m.summary == "range"]
    for key in ("spend_over_budget", "unserved", "regret"):
        assert key in ranges
        covered = [coverage(rows[key].to_numpy(), 10) for rows in populations.values()]
        assert min(covered) < 0.9, key


@pytest.mark.parametrize("seeds", [10, 20])
def test_stratified_bootstrap_covers(populations: dict[str, pl.DataFrame], seeds: int) -> None:
    strata = [populations[agent]["score_over_horizon_oracle"].to_numpy() for agent in AGENTS]
    truth = float(interquartile_mean(np.concatenate(strata)))
    generator, hits, samples = np.random.default_rng(0), 0, 200
    for sample in range(samples):
        drawn = [values[generator.integers(0, EPISODES, seeds)] for values in strata]
        _, low, high = stratified_interval(drawn, seed=sample)
        assert low is not None
        assert high is not None
        hits += low <= truth <= high
    assert hits / samples >= 0.9


@pytest.mark.parametrize("seeds", [10, 20])
def test_intervals_of_ranks_hold_all_true_ranks_together(seeds: int) -> None:
    # Three alike, one a little and one far behind; equal means share the ranks 1 to 3.
    means = {"a": 1.0, "b": 1.0, "c": 1.0, "d": 0.9, "e": 0.0}
    truths = {"a": (1, 3), "b": (1, 3), "c": (1, 3), "d": (4, 4), "e": (5, 5)}
    generator, hits, samples = np.random.default_rng(1), 0, 300
    for _ in range(samples):
        common = generator.normal(size=seeds)
        scores = {
            label: dict(enumerate(mean + 0.1 * (common + generator.normal(size=seeds))))
            for label, mean in means.items()
        }
        found = shared_ranks(scores)
        hits += all(
            found[label][0] <= low and high <= found[label][1]
            for label, (low, high) in truths.items()
        )
    assert hits / samples >= 0.93


def _common(generator: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Factors of mean 1, some of which a seed has at all horizons."""
    common = generator.lognormal(-0.18, 0.6, shape[1])
    return common * generator.lognormal(-0.08, 0.4, shape)


def _found_or_not(generator: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Factors of mean 1: half of the seeds find the model at once, and lose little."""
    lucky = generator.random(shape[1]) < 0.5
    return np.where(lucky, 0.1, 1.9) * generator.lognormal(-0.02, 0.2, shape)


@pytest.mark.parametrize("seeds", [16, 32])
@pytest.mark.parametrize("factors", [_common, _found_or_not])
def test_intervals_of_slopes_cover(factors: Any, seeds: int) -> None:
    generator, hits, samples = np.random.default_rng(2), 0, 1000
    x = np.logspace(3, 6, 7)
    for _ in range(samples):
        found = log_log_slope(x.tolist(), x[:, None] ** (2 / 3) * factors(generator, (7, seeds)))
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= 2 / 3 <= found.high
    assert hits / samples >= 0.9
