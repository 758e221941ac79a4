"""What a set is worth: exchanges against the value of every set."""

from __future__ import annotations

import itertools

import numpy as np
from stageroute_agents.paced.worth import improve_set

from stageroute_gym.optimize import route_lp


def worth(samples, cost, budget, caps, members):
    """Mean value of RouteOPT over the samples; an overspend leaves queries unanswered."""
    usable = np.zeros(len(cost))
    usable[list(members)] = caps[list(members)]
    values = []
    for score in samples[:, 0]:
        plan = route_lp(score, cost, budget, usable)
        spend = plan.probabilities @ cost
        values.append(plan.value * min(1.0, budget / spend))
    return np.mean(values)


def improved(samples, cost, budget, caps, start):
    chosen = np.isin(np.arange(len(cost)), start)
    order = np.argsort(-samples[:, 0].mean(axis=0), kind="stable")
    improve_set(samples, cost[None], np.ones(1), budget, caps, order, chosen)
    return tuple(np.flatnonzero(chosen))


def test_no_single_exchange_is_left_that_gains():
    rng = np.random.default_rng(0)
    better = 0
    for _ in range(20):
        mean, cost, caps = rng.random(6), rng.exponential(1.0, 6), np.full(6, 0.4)
        samples = np.clip(mean + rng.normal(0, 0.2, (32, 1, 6)), 0, 1)
        found = improved(samples, cost, 1.0, caps, (0, 1, 2))
        value = worth(samples, cost, 1.0, caps, found)
        better += value > worth(samples, cost, 1.0, caps, (0, 1, 2)) + 1e-9
        for leaving, entering in itertools.product(found, set(range(6)) - set(found)):
            exchanged = {*found} - {leaving} | {entering}
            # An exchange may be missed that gains on all samples, but not on the first ones.
            first = samples[:8]
            gains = worth(samples, cost, 1.0, caps, exchanged) > value + 1e-3
            seems = worth(first, cost, 1.0, caps, exchanged) > worth(first, cost, 1.0, caps, found)
            assert not (gains and seems)
    assert better > 10


def test_an_untried_model_goes_where_others_can_stand_in_for_it():
    """Three known models serve all; of two slots more, both go to what might be better."""
    known = np.array([0.6, 0.6, 0.6, 0.3, 0.3])
    rng = np.random.default_rng(1)
    samples = np.tile(np.array([*known, 0.5, 0.5, 0.5]), (64, 1, 1))
    samples[:, 0, 5:] += rng.normal(0, 0.2, (64, 3))
    found = improved(samples, np.ones(8), 2.0, np.full(8, 0.4), (0, 1, 2, 3, 4))
    assert {0, 1, 2} < set(found)
    assert len({5, 6, 7} & set(found)) == 2


def test_an_empty_set_stays_empty():
    assert improved(np.ones((4, 1, 2)), np.ones(2), 1.0, np.zeros(2), ()) == ()
