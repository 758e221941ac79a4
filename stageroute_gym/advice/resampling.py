"""How sure a plan is: resamples of the queries, and plans scored on queries they were not made on.

A plan is scored too well on the queries it was made from, the more so the more small groups there
are. So the queries are cut into folds, and what the plan made from nine tenths brings on the tenth
left out is its held-out value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from stageroute_gym.advice.evidence import FOLDS, Evidence, Sums
from stageroute_gym.advice.plans import Limits, Plan, Worth, choose
from stageroute_gym.array_types import Floats

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A value and its 95 % bootstrap interval, by percentiles over resamples of the queries."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, value: float, resampled: Floats) -> Interval:
        """The interval of a value by its resamples; not a number where no resample has one."""
        known = resampled[np.isfinite(resampled)]
        if not len(known):
            return cls(value, np.nan, np.nan)
        tail = (1.0 - CONFIDENCE) / 2.0
        low, high = np.quantile(known, [tail, 1.0 - tail])
        return cls(value, float(low), float(high))


@dataclass(frozen=True, eq=False)
class Resampled:
    """What the resamples say.

    Attributes:
        plans: worth of each plan on each resample, arrays ``(R, 3)`` in the order of `Worth`.
        held_out: by plan, the held-out worth on all queries.
        held_out_resampled: by plan, the held-out worth on each resample, ``(R, 3)``.
        single_score: mean score of each model on each resample, ``(R, N)``.
        single_cost: mean cost of each model, USD, ``(R, N)``.
        sets: how often each set was the best of a resample.
    """

    plans: Mapping[str, Floats]
    held_out: Mapping[str, Worth]
    held_out_resampled: Mapping[str, Floats]
    single_score: Floats
    single_cost: Floats
    sets: Counter[tuple[int, ...]]


def held_out_plans(sums: Sums, limits: Limits, start: Plan, *, blind: bool) -> list[Plan]:
    """For each fold, the plan made from all the others; where that cannot be, ``start``."""
    plans = []
    for fold in range(FOLDS):
        others = [other for other in range(FOLDS) if other != fold]
        cells = sums.means(others).merged() if blind else sums.estimates(others)
        plan = choose(cells, limits, start)
        plans.append(start if plan is None else plan)
    return plans


def held_out_worth(plans: list[Plan], sums: Sums) -> Worth:
    """What the plans of the folds bring together, each on its own fold."""
    worths = [plan.on(sums.means([fold])) for fold, plan in enumerate(plans)]
    return Worth(*(sum(parts) for parts in zip(*worths, strict=True)))


def resample(
    evidence: Evidence,
    limits: Limits,
    plans: Mapping[str, Plan],
    folds: Mapping[str, list[Plan]],
    refitted: Plan,
    resamples: int,
    seed: int,
) -> Resampled:
    """Draw resamples of the queries and look at the plans on each.

    Args:
        evidence: the outcomes.
        limits: what the refitted plan keeps to.
        plans: the plans to look at, by name.
        folds: by the same names, what `held_out_plans` made.
        refitted: the plan that is made anew on each resample, to see how often its set is the best.
        resamples: how many.
        seed: of the draws.
    """
    generator = np.random.default_rng(seed)
    worths: dict[str, list[Worth]] = {name: [] for name in plans}
    held: dict[str, list[Worth]] = {name: [] for name in plans}
    scores, costs = [], []
    sets: Counter[tuple[int, ...]] = Counter()
    blind = len(refitted.shares) == 1
    for _ in range(resamples):
        sums = evidence.sums(generator)
        cells = sums.means()
        merged = cells.merged()
        scores.append(merged.score[0])
        costs.append(merged.cost[0])
        for name, plan in plans.items():
            worths[name].append(plan.on(cells))
            held[name].append(held_out_worth(folds[name], sums))
        again = choose(merged if blind else sums.estimates(), limits, refitted)
        if again is not None:
            sets[again.models] += 1
    whole = evidence.sums()
    return Resampled(
        plans={name: np.array(rows) for name, rows in worths.items()},
        held_out={name: held_out_worth(folds[name], whole) for name in plans},
        held_out_resampled={name: np.array(rows) for name, rows in held.items()},
        single_score=np.array(scores),
        single_cost=np.array(costs),
        sets=sets,
    )
