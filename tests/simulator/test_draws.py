from __future__ import annotations

import numpy as np
import pytest
from numba import njit
from reference import alias_row, splitmix
from scipy.stats import chisquare

from stageroute_gym.simulator.draws import draw_row, uniform
from stageroute_gym.simulator.episodes import draw_key
from stageroute_gym.simulator.world import alias_table

KEYS = [0, 1, 2**63, 2**64 - 1, 0x0123456789ABCDEF]


@njit
def many_uniforms(key, start, count):
    return np.array([uniform(key, start + i) for i in range(count)])


@njit
def many_rows(sampler, mix, key, count):
    return np.array([draw_row(sampler, mix, key, i) for i in range(count)])


def signed(key: int) -> int:
    """The key as the state holds it."""
    return int(np.array(key, np.uint64).view(np.int64))


@pytest.mark.parametrize("key", KEYS)
def test_draws_equal_splitmix_in_python(key):
    expected = [splitmix(key, index) for index in range(100)]
    assert many_uniforms(signed(key), 0, 100).tolist() == expected


def test_the_generator_s_published_first_outputs():
    """SplitMix64 from 1234567, as its author's C code prints them."""
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    expected = [(number >> 11) / 2**53 for number in published]
    assert many_uniforms(1234567, 0, 3).tolist() == expected


@pytest.mark.parametrize("key", KEYS)
def test_draws_are_uniform(key):
    draws = many_uniforms(signed(key), 0, 200_000)
    assert draws.min() >= 0
    assert draws.max() < 1
    counts, _ = np.histogram(draws, 100, (0, 1))
    assert chisquare(counts).pvalue > 1e-4


@pytest.mark.parametrize("lag", [1, 2, 3])
def test_neighbouring_draws_are_independent(lag):
    draws = many_uniforms(99, 0, 200_000)
    cells = (draws[:-lag] * 10).astype(int) * 10 + (draws[lag:] * 10).astype(int)
    assert chisquare(np.bincount(cells, minlength=100)).pvalue > 1e-4


def test_neighbouring_keys_have_nothing_in_common():
    assert abs(np.corrcoef(many_uniforms(5, 0, 50_000), many_uniforms(6, 0, 50_000))[0, 1]) < 0.02


def test_keys_of_an_episode_use_all_64_bits():
    generator = np.random.default_rng(0)
    keys = [int(draw_key(generator)[0]) for _ in range(2000)]
    assert len(set(keys)) == 2000
    shares = np.mean([[(key >> bit) & 1 for bit in range(64)] for key in keys], axis=0)
    assert (abs(shares - 0.5) < 0.06).all()


@pytest.mark.parametrize("key", KEYS)
def test_rows_equal_the_alias_method_in_python(key):
    rng = np.random.default_rng(1)
    mixes = rng.dirichlet(np.full(9, 0.3), 3)
    sampler = np.stack([alias_table(mix) for mix in mixes])
    for mix in range(3):
        table = sampler[mix].tolist()
        expected = [alias_row(table, splitmix(key, 2 * query)) for query in range(100)]
        assert many_rows(sampler, mix, signed(key), 100).tolist() == expected


@pytest.mark.parametrize("seed", range(5))
def test_rows_follow_the_weights(seed):
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.full(30, 0.5))
    weights[rng.integers(30, size=8)] = 0.0
    weights /= weights.sum()
    rows = many_rows(alias_table(weights)[None], 0, seed, 300_000)
    counts = np.bincount(rows, minlength=30)
    assert (counts[weights == 0] == 0).all()
    used = weights * 300_000 >= 5
    expected = weights[used] / weights[used].sum() * counts[used].sum()
    assert chisquare(counts[used], expected).pvalue > 1e-4
