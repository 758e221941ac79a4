"""From an action to the model that serves the query, as compiled functions."""

from __future__ import annotations

import numpy as np

from stageroute_gym.array_types import Singles
from stageroute_gym.simulator.arrays import (
    CAPS,
    CHOSEN_SIZE,
    INVALID,
    KEY,
    NO_MODEL,
    QUERIES,
    SHARES,
    STAGE,
    THROUGHPUT,
    EpisodeArrays,
    WorldArrays,
    index,
    inlined,
)
from stageroute_gym.simulator.draws import uniform
from stageroute_gym.simulator.projection import asks, fit, sample


@inlined
def allowed_model(e: int, world: WorldArrays, state: EpisodeArrays, action: int) -> int:
    """The model of a discrete action; none for PASS, and for what the mask forbids."""
    allowed = state.mask[e, index(action)] != 0
    if not allowed:
        state.counters[e, INVALID] += 1
    # That indexes are not negative is known already; said here, it spares the compiler the
    # handling of negative ones.
    return action if allowed and 0 <= action < world.models.shape[1] else NO_MODEL


@inlined
def drawn_model(e: int, world: WorldArrays, state: EpisodeArrays, weights: Singles) -> int:
    """The model drawn for the current query by the weights of a continuous action."""
    size = state.counters[e, CHOSEN_SIZE]
    members = state.members[e, index(state.counters[e, STAGE])]
    shares, caps = state.routing[e, SHARES, :size], state.routing[e, CAPS, :size]
    for i in range(size):
        m = members[i]
        ready = state.mask[e, m] != 0
        shares[i] = max(np.float64(weights[m]), 0.0) if ready else 0.0
        caps[i] = world.models[THROUGHPUT, m]
    total = fit(shares, caps)
    model = NO_MODEL
    if total > 0.0:
        draw = uniform(state.counters[e, KEY], 2 * state.counters[e, QUERIES] + 1)
        place = sample(shares, total, draw)
        if place >= 0:
            model = int(np.int64(members[place]))
    elif asks(weights):
        state.counters[e, INVALID] += 1
    return model
