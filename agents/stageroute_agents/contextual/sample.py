"""The last queries of an episode, and what each model is taken to score and cost on them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from stageroute_agents.arrays import Flags, Floats, Integers
from stageroute_agents.contextual.prices import mix_query, solve
from stageroute_agents.contextual.regression import (
    LOG_COST,
    SCORE,
    effects_of,
    variance,
    weight,
)
from stageroute_agents.contextual.sets import best_members
from stageroute_gym.array_types import Singles
from stageroute_gym.compiling import njit


class Believed(NamedTuple):
    """What is believed of all ``E`` episodes.

    Attributes:
        score: by task, shape (E, G, N), float64, like the next two.
        deviation: of the score.
        cost: USD.
        trials: as for `stageroute_agents.contextual.regression.learn_rows`.
        common: as for `stageroute_agents.contextual.regression.fit_rows`, like the next three.
        own: see there.
        centre: see there.
        unsure: see there.
        normal: what a model's cost is to be divided by, so that the features' factors have the
            mean 1 over the sample, shape (E, N), float64.
    """

    score: Floats
    deviation: Floats
    cost: Floats
    trials: Floats
    common: Floats
    own: Floats
    centre: Floats
    unsure: Floats
    normal: Floats


class Sample(NamedTuple):
    """The last queries of all episodes, in a ring of ``S`` places each.

    Attributes:
        query: features, shape (E, S, F), float64.
        task: shape (E, S), int64.
        effects: of the features on each model's score and log cost, (E, S, N, 2), float64.
        met: number, sum and sum of squares of the features of all queries, (E, 2 F + 1), float64.
    """

    query: Floats
    task: Integers
    effects: Floats
    met: Floats


class Terms(NamedTuple):
    """What queries are judged by.

    Attributes:
        widths: of the score bound, in deviations: of the model's mean, and of the features' effect.
        cheapest: smallest cost that a query can have, USD.
        throughput: share of the queries that each model may take, shape (N,), float64.
        shared: as for `stageroute_agents.contextual.prices.solve`.
    """

    widths: tuple[float, float]
    cheapest: float
    throughput: Floats
    shared: bool


@njit(cache=True)
def note_rows(
    rows: Integers, query: Singles, first: int, task: Integers, sample: Sample, believed: Believed
) -> None:
    """Keep the queries to be routed now.

    Args:
        rows: the episodes, shape (R,), int64.
        query: observation of all episodes, shape (E, F'), float32.
        first: number of the first feature that is a number.
        task: of the query, in all episodes, shape (E,), int64.
        sample: written.
        believed: what is known.
    """
    places, size = sample.query.shape[1:]
    for e in rows:
        place = int(sample.met[e, 0]) % places
        sample.met[e, 0] += 1.0
        for f in range(size):
            value = np.float64(query[e, first + f])
            sample.query[e, place, f] = value
            sample.met[e, 1 + f] += value
            sample.met[e, 1 + size + f] += value * value
        sample.task[e, place] = task[e]
        _effects(e, place, sample, believed)


@njit(cache=True)
def _effects(e: int, place: int, sample: Sample, believed: Believed) -> None:
    effects_of(
        sample.query[e, place],
        believed.common[e],
        believed.own[e],
        believed.centre[e],
        sample.effects[e, place],
    )


@njit(cache=True)
def refresh_rows(rows: Integers, sample: Sample, believed: Believed) -> None:
    """Predict for the sample anew, after a fit."""
    for e in rows:
        for place in range(_kept(e, sample)):
            _effects(e, place, sample, believed)
        normalise(e, sample, believed)


@njit(cache=True)
def _kept(e: int, sample: Sample) -> int:
    return min(int(sample.met[e, 0]), sample.query.shape[1])


@njit(cache=True)
def normalise(e: int, sample: Sample, believed: Believed) -> None:
    """Have the features' factors of the costs average 1 over the sample of one episode."""
    part = weight(believed.trials[e, LOG_COST])
    kept, n = _kept(e, sample), sample.effects.shape[2]
    for m in range(n):
        total = 0.0
        for place in range(kept):
            total += math.exp(part * sample.effects[e, place, m, LOG_COST])
        believed.normal[e, m] = total / kept if part > 0.0 and kept > 0 else 1.0


@njit(cache=True)
def expect(
    e: int,
    task: int,
    effects: Floats,
    believed: Believed,
    terms: Terms,
    score: Floats,
    cost: Floats,
) -> None:
    """Upper bounds of the scores and expected costs of one query.

    Args:
        e: the episode.
        task: task of the query.
        effects: of its features, shape (N, 2), float64.
        believed: what is known.
        terms: what queries are judged by.
        score: written, shape (N,), float64.
        cost: written, USD, shape (N,), float64.
    """
    trials = believed.trials[e]
    of_score, of_cost = weight(trials[SCORE]), weight(trials[LOG_COST])
    noise = variance(trials[SCORE], SCORE)
    for m in range(len(score)):
        bound = believed.score[e, task, m] + of_score * effects[m, SCORE]
        bound += terms.widths[0] * believed.deviation[e, task, m]
        bound += terms.widths[1] * of_score * math.sqrt(noise * believed.unsure[e, m])
        score[m] = min(max(bound, 0.0), 1.0)
        factor = math.exp(of_cost * effects[m, LOG_COST]) / believed.normal[e, m]
        cost[m] = max(believed.cost[e, task, m] * factor, terms.cheapest)


@njit(cache=True)
def _expect_all(
    e: int, most: int, sample: Sample, believed: Believed, terms: Terms
) -> tuple[Floats, Floats]:
    kept, n = min(_kept(e, sample), most), sample.effects.shape[2]
    score, cost = np.empty((kept, n)), np.empty((kept, n))
    for place in range(kept):
        expect(
            e,
            sample.task[e, place],
            sample.effects[e, place],
            believed,
            terms,
            score[place],
            cost[place],
        )
    return score, cost


@njit(cache=True)
def choose_rows(
    rows: Integers,
    sample: Sample,
    believed: Believed,
    terms: Terms,
    budget: Floats,
    available: Singles,
    slots: int,
    most: int,
) -> Flags:
    """Choose the models to deploy in some episodes, shape (R, N), bool.

    Args:
        rows: the episodes, shape (R,), int64.
        sample: the last queries.
        believed: what is known.
        terms: what queries are judged by.
        budget: USD a query, shape (R,), float64, above 0.
        available: observation of the ``R`` episodes, shape (R, N), float32.
        slots: models that can be deployed.
        most: queries of the sample to choose by.
    """
    chosen = np.zeros(available.shape, np.bool_)
    for i in range(len(rows)):
        normalise(rows[i], sample, believed)
        score, cost = _expect_all(rows[i], most, sample, believed, terms)
        offered = available[i] > 0.0
        for m in best_members(
            score, cost, budget[i], offered, terms.throughput, slots, terms.shared
        ):
            chosen[i, m] = True
    return chosen


@njit(cache=True)
def price_rows(
    rows: Integers,
    sample: Sample,
    believed: Believed,
    terms: Terms,
    budget: Floats,
    deployed: Singles,
    prices: Floats,
    rents: Floats,
) -> None:
    """Set the prices of budget and throughput in some episodes.

    Args:
        rows: as for `choose_rows`, like what follows.
        sample: see there.
        believed: see there.
        terms: see there.
        budget: see there.
        deployed: observation of the ``R`` episodes, shape (R, N), float32.
        prices: low and high price of the budget, share of the low one, (E, 3), float64, written.
        rents: prices of throughput, shape (E, N), float64, written.
    """
    for i in range(len(rows)):
        e = rows[i]
        normalise(e, sample, believed)
        score, cost = _expect_all(e, len(sample.task[e]), sample, believed, terms)
        members = np.flatnonzero(deployed[i] > 0.0)
        low, high, part, _ = solve(
            score,
            cost,
            budget[i],
            members,
            terms.throughput,
            terms.shared,
            prices[e, 1],
            rents[e],
        )
        prices[e, 0], prices[e, 1], prices[e, 2] = low, high, part


@njit(cache=True)
def route_rows(
    rows: Integers,
    sample: Sample,
    believed: Believed,
    terms: Terms,
    usable: Flags,
    prices: Floats,
    rents: Floats,
) -> Floats:
    """Route the queries noted last at the prices; their shares, shape (R, N), float64.

    Args:
        rows: as for `price_rows`, like what follows.
        sample: see there.
        believed: see there.
        terms: see there; ``throughput`` is what each model may take of one query.
        usable: models that can serve, shape (R, N), bool.
        prices: see there.
        rents: see there.
    """
    shares = np.empty(usable.shape)
    places, n = sample.effects.shape[1:3]
    score, cost = np.empty(n), np.empty(n)
    for i in range(len(rows)):
        e = rows[i]
        place = (int(sample.met[e, 0]) - 1) % places
        effects = sample.effects[e, place]
        expect(e, sample.task[e, place], effects, believed, terms, score, cost)
        members = np.flatnonzero(usable[i])
        mix_query(score, cost, prices[e], rents[e], members, terms.throughput, shares[i])
    return shares
