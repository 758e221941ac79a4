"""Scenarios drawn at random, for an agent that is to play ones it never saw.

They have nothing of any recorded data: models, costs, scores and prices are invented. All tables
have `NUM_MODELS` columns, so that one network input fits them all; of most, some never come on
offer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from stageroute_gym.array_types import Floats
from stageroute_gym.problem import Problem
from stageroute_gym.scenarios import Scenario
from stageroute_gym.workloads import OutcomeTable, Schedule

NUM_MODELS = 30
_NUM_QUERIES = 1_000
_FEWEST_MODELS = 4


def random_scenario(seed: int) -> Scenario:
    """A scenario with random models, pool, arrivals, withdrawals, limits and budget.

    The number of models, the horizon and the budget are drawn on a logarithmic scale: 4 to 30,
    2,000 to 40,000, and from the cheapest mixture at the start to the dearest at the end.

    Args:
        seed: what it is drawn from, at least 0.
    """
    rng = np.random.default_rng([seed, 0])
    models = _log_uniform(rng, _FEWEST_MODELS, NUM_MODELS)
    slots = int(rng.integers(2, 9))
    # Full slots can always serve every query.
    least = 1.0 / min(slots, models)
    throughput = max(rng.uniform(0.2, 1.0), least)
    caps = np.full(NUM_MODELS, throughput)
    if rng.random() < 0.2:
        caps = np.maximum(caps * rng.uniform(0.5, 1.0, NUM_MODELS), least)
    horizon = _log_uniform(rng, 2_000, 40_000)
    stages = int(rng.integers(5, 41))
    workload = RandomModels(seed=seed, models=models, least_throughput=float(caps.min()))
    cost = np.sort(workload.means[1][:models])
    low = float(_first_shares(caps.min(), models) @ cost)
    high = float(_first_shares(caps.min(), models) @ cost[::-1])
    budget = float(np.exp(rng.uniform(math.log(1.1 * low), math.log(1.2 * max(high, 1.2 * low)))))
    problem = Problem(
        horizon=horizon,
        num_stages=stages,
        max_deployed=slots,
        budget=budget,
        throughput=tuple(caps.tolist()),
    )
    return Scenario(f"random-{seed}", 1, problem, workload, "invented models")


@dataclass(frozen=True)
class RandomModels:
    """Invented models with random scores, costs, list prices, arrivals and withdrawals.

    Args:
        seed: what all is drawn from, at least 0.
        models: how many of the `NUM_MODELS` models of the table ever come on offer.
        least_throughput: smallest share of a model; the models on offer always suffice for every
            query.
    """

    seed: int
    models: int
    least_throughput: float

    @cached_property
    def means(self) -> tuple[Floats, Floats]:
        """Mean score and mean cost in USD that each model is drawn with, shape (N,) each."""
        rng = np.random.default_rng([self.seed, 1])
        spread = rng.uniform(0.5, 7.0)  # up to three decades
        shape = rng.uniform(0.4, 1.5)
        place = rng.random(NUM_MODELS) ** shape
        link = rng.uniform(-0.3, 1.0)
        noise = math.sqrt(1.0 - link**2)
        ability = link * (place - place.mean()) / place.std() + noise * rng.normal(size=NUM_MODELS)
        logit = rng.normal(0.3, 0.9) + rng.uniform(0.1, 1.2) * ability
        score = np.clip(1.0 / (1.0 + np.exp(-logit)), 0.02, 0.98)
        return score, 10 ** rng.uniform(-5.0, 0.0) * np.exp(spread * place)

    def build(self, problem: Problem) -> tuple[OutcomeTable, Schedule]:
        """The outcomes, and when models come and go."""
        table = self._table()
        return table, self._schedule(table, problem)

    def _table(self) -> OutcomeTable:
        """The outcomes: yes or no, graded or continuous scores, log-normal costs."""
        rng = np.random.default_rng([self.seed, 2])
        mean_score, mean_cost = self.means
        shape = (_NUM_QUERIES, NUM_MODELS)
        weight = rng.uniform(0.3, 4.0)
        chance = rng.beta(weight * mean_score, weight * (1.0 - mean_score), shape)
        kind = rng.integers(3)
        score = chance
        if kind == 0:
            score = (rng.random(shape) < mean_score).astype(np.float64)
        elif kind == 1:
            score = rng.binomial(4, chance) / 4
        # A long query is dear with every model; the tail is heavy in some scenarios.
        width = rng.uniform(0.1, 1.3)
        length = rng.normal(0.0, width, (_NUM_QUERIES, 1)) + rng.normal(0.0, 0.2, shape)
        cost = np.exp(length)
        listed = mean_cost * np.exp(rng.normal(0.0, rng.uniform(0.0, 0.5), NUM_MODELS))
        known = rng.random(NUM_MODELS) < rng.choice([0.0, 0.0, 0.8, 1.0, 1.0])
        return OutcomeTable(
            models=tuple(f"model-{m}" for m in range(NUM_MODELS)),
            score=score,
            cost=cost * (mean_cost / cost.mean(axis=0)),
            task=np.zeros(_NUM_QUERIES, np.int64),
            task_names=("random",),
            list_price=np.where(known, listed, 0.0),
        )

    def _schedule(self, table: OutcomeTable, problem: Problem) -> Schedule:
        """Arrivals at random moments; some models are withdrawn later, if enough remain."""
        rng = np.random.default_rng([self.seed, 3])
        stages = len(problem.stage_lengths)
        enough = min(math.ceil(1.0 / self.least_throughput), self.models)
        at_start = int(rng.integers(min(max(enough, 2), self.models), self.models + 1))
        arrival = np.full(NUM_MODELS, stages)
        arrival[: self.models] = 0
        # The mean score is no secret of the order: some pools get better over time.
        order = rng.permutation(self.models)
        if rng.random() < 0.5:
            noise = rng.normal(0.0, 0.1, self.models)
            order = np.argsort(self.means[0][: self.models] + noise, kind="stable")
        later = order[at_start:]
        arrival[later] = np.sort(rng.integers(1, stages, len(later)))
        available = np.arange(stages)[:, None] >= arrival
        if rng.random() < 0.3:
            for model in rng.permutation(self.models)[: self.models // 3]:
                moment = int(rng.integers(1, stages))
                rest = available.copy()
                rest[moment:, model] = False
                if (rest.sum(axis=1) >= enough).all():
                    available = rest
        return Schedule.stationary(table, available)


def _first_shares(throughput: float, models: int) -> Floats:
    """Shares of the models in order if each of them takes all that it can."""
    before = np.arange(models) * throughput
    return np.clip(1.0 - before, 0.0, throughput)


def _log_uniform(rng: np.random.Generator, low: int, high: int) -> int:
    return round(math.exp(rng.uniform(math.log(low), math.log(high))))
