"""Random numbers of agents: one stream for each episode, whichever episodes run beside it.

Each episode has a key. A draw is a function of the key, of what it is drawn for and of the moment
in the episode, so that nothing but the key is remembered, and a batch draws what its episodes would
draw alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from stageroute_agents.arrays import Floats, Integers
from stageroute_gym.compiling import njit
from stageroute_gym.simulator.draws import bits, uniform

Keys = NDArray[np.uint64]

# What a number is drawn for; numbers for different ends at one moment are independent.
ACTION, SET, SCORE, COST, SCORE_TRIAL, COST_TRIAL = range(6)


def episode_keys(agent_seed: int, seeds: Iterable[int]) -> Keys:
    """Keys of the episodes with these seeds, shape (E,), uint64.

    Args:
        agent_seed: seed of the agent's own random numbers, at least 0.
        seeds: seeds of the episodes, each at least 0.
    """
    sequences = (np.random.SeedSequence([agent_seed, seed]) for seed in seeds)
    return np.array([sequence.generate_state(1, np.uint64)[0] for sequence in sequences], np.uint64)


@njit(cache=True)
def next_keys(keys: Keys) -> Keys:
    """Keys of the episodes that follow those with ``keys``, shape (E,), uint64."""
    following = np.empty_like(keys)
    for e in range(len(keys)):
        following[e] = bits(keys[e], 0)
    return following


@njit(cache=True)
def draw_uniforms(keys: Keys, moments: Integers, purpose: int, number: int) -> Floats:
    """Numbers in [0, 1), shape (E, number), float64.

    Args:
        keys: keys of the episodes, shape (E,), uint64.
        moments: a number for the decision, different in each decision of an episode, shape (E,),
            int64.
        purpose: one of this module's constants.
        number: how many for each episode.
    """
    drawn = np.empty((len(keys), number))
    for e in range(len(keys)):
        key = bits(bits(keys[e], purpose), moments[e])
        for i in range(number):
            drawn[e, i] = uniform(key, i)
    return drawn


@njit(cache=True)
def draw_means(
    keys: Keys,
    moments: Integers,
    purpose: int,
    successes: Floats,
    trials: Floats,
    usable: NDArray[np.bool_],
) -> Floats:
    """Draws from ``Beta(1 + successes, 1 + trials - successes)``; 0 for unusable models.

    Args:
        keys: as for `draw_uniforms`, like the next two.
        moments: see there.
        purpose: see there.
        successes: shape (E, N), float64.
        trials: shape (E, N), float64.
        usable: shape (E, N), bool.

    Returns:
        Shape (E, N), float64.
    """
    drawn = np.zeros(usable.shape)
    for e in range(usable.shape[0]):
        key = bits(bits(keys[e], purpose), moments[e])
        for m in range(usable.shape[1]):
            if usable[e, m]:
                ones = successes[e, m]
                # A float32 mean may exceed 1 by a rounding.
                zeros = max(trials[e, m] - ones, 0.0)
                of_model = bits(key, m)
                first = _gamma(bits(of_model, 0), 1.0 + ones)
                second = _gamma(bits(of_model, 1), 1.0 + zeros)
                drawn[e, m] = first / (first + second)
    return drawn


@njit(cache=True)
def _gamma(key: int, shape: float) -> float:
    """A draw of the gamma distribution, for a shape of at least 1.

    Marsaglia & Tsang 2000, "A simple method for generating gamma variables".
    """
    scale = shape - 1.0 / 3.0
    width = 1.0 / math.sqrt(9.0 * scale)
    index = 0
    while True:
        # Box & Muller; 1 - u is never 0.
        radius = math.sqrt(-2.0 * math.log(1.0 - uniform(key, index)))
        normal = radius * math.cos(2.0 * math.pi * uniform(key, index + 1))
        level = uniform(key, index + 2)
        index += 3
        cube = (1.0 + width * normal) ** 3
        if cube <= 0.0:
            continue
        bound = 0.5 * normal * normal + scale * (1.0 - cube + math.log(cube))
        if level == 0.0 or math.log(level) < bound:
            return scale * cube
