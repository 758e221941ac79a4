"""Advice on what to deploy and where to send queries, from outcomes and limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from stageroute_gym import checks
from stageroute_gym.advice.evidence import Cells, Evidence
from stageroute_gym.advice.plans import Limits, Plan, choose, least_cost, most_served
from stageroute_gym.advice.resampling import Interval, held_out_plans, resample
from stageroute_gym.advice.variations import Variation, frontier, prices, vary
from stageroute_gym.advice.wishes import Wishes
from stageroute_gym.errors import FieldError

RESAMPLES = 200

BY_GROUP = "by task"
BLIND = "blind"


@dataclass(frozen=True)
class Measured:
    """What a plan brings, with 95 % bootstrap intervals over queries.

    Attributes:
        score: mean score on the queries it was made from; optimistic where plans go by task.
        cost: mean cost there, USD a query.
        held_out_score: mean score of plans made without the queries that they are scored on.
        held_out_cost: their mean cost, USD a query.
        served: share of the queries that is served.
    """

    score: Interval
    cost: Interval
    held_out_score: Interval
    held_out_cost: Interval
    served: float


@dataclass(frozen=True)
class Single:
    """One model alone.

    Attributes:
        model: its name.
        score: mean score where it serves every query.
        cost: mean cost, USD a query.
        ahead: how much the plan scores more, paired over resamples; held out.
        allowed: share of the queries that it could serve within budget and throughput.
    """

    model: str
    score: Interval
    cost: Interval
    ahead: Interval
    allowed: float


@dataclass(frozen=True, eq=False)
class Advice:
    """What to deploy, where to send queries, and how sure that is.

    Attributes:
        source: where the outcomes are from.
        evidence: the outcomes.
        cells: what is expected of each model in each group.
        wishes: what was asked for.
        limits: what the plans keep to.
        chosen: what was left open, and what was taken.
        plan: the plan advised.
        measured: by plan what it brings: `BY_GROUP` (where there are several groups), `BLIND`.
        blind: the best plan with one mixture for all queries; the plan itself where it is that.
        ahead_of_blind: score of the plan less that of the blind one, held out.
        least: the cheapest plan that serves all queries; None where no budget is enough.
        most_served: largest share of the queries that can be served within the limits.
        sets: sets by the share of resamples in which they are the best, the most frequent first.
        resamples: number of resamples.
        prices: what a step in each constraint brings.
        without: what is lost without each model of the set.
        singles: each model alone, in the order of the models.
        frontier: the best plan at each of rising budgets, USD a query.
    """

    source: str
    evidence: Evidence
    cells: Cells
    wishes: Wishes
    limits: Limits
    chosen: tuple[str, ...]
    plan: Plan
    measured: Mapping[str, Measured]
    blind: Plan
    ahead_of_blind: Interval
    least: Plan | None
    most_served: float
    sets: tuple[tuple[tuple[int, ...], float], ...]
    resamples: int
    prices: tuple[Variation, ...]
    without: tuple[Variation, ...]
    singles: tuple[Single, ...]
    frontier: tuple[tuple[float, Plan], ...]

    @property
    def by_group(self) -> bool:
        """Whether shares go by group."""
        return len(self.evidence.groups) > 1

    @property
    def main(self) -> Measured:
        """What the plan advised brings."""
        return self.measured[BY_GROUP if self.by_group else BLIND]


def advise(
    evidence: Evidence,
    wishes: Wishes | None = None,
    *,
    source: str = "",
    spent: float | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Advice:
    """The exact best set and shares, and how sure they are.

    Args:
        evidence: the outcomes.
        wishes: the limits; None leaves all to the data.
        source: where the outcomes are from, for the reader.
        spent: what is spent today, USD a query; the budget where none was asked for.
        resamples: number of bootstrap resamples of the queries, at least 2.
        seed: of the resamples.

    Raises:
        FieldError: if a wish does not fit the outcomes; nothing has been computed then.
    """
    checks.count("resamples", resamples, 2)
    if evidence.num_queries < 2:
        allowed = "at least two: plans are scored on queries that they were not made from"
        raise FieldError("queries with outcomes", evidence.num_queries, allowed)
    asked = wishes or Wishes()
    sums = evidence.sums()
    means = sums.means()
    merged = means.merged()
    by_group = len(evidence.groups) > 1
    cells = sums.estimates() if by_group else merged
    limits, chosen = asked.limits(evidence.models, cells, merged.cost[0], spent)
    least = least_cost(cells, limits)
    if limits.min_score is None and (least is None or least.worth.cost > limits.budget):
        limits = replace(limits, decline=True)
    served = most_served(cells, limits) if limits.decline else 1.0
    plan = choose(cells, limits)
    assert plan is not None
    blind = (choose(merged, limits) or plan) if by_group else plan
    plans = {BY_GROUP: plan, BLIND: blind} if by_group else {BLIND: plan}
    folds = {
        name: held_out_plans(sums, limits, one, blind=name == BLIND) for name, one in plans.items()
    }
    drawn = resample(evidence, limits, plans, folds, plan, resamples, seed)

    def measured(name: str) -> Measured:
        on, held = plans[name].on(means), drawn.held_out[name]
        spread, held_spread = drawn.plans[name], drawn.held_out_resampled[name]
        return Measured(
            Interval.of(on.score, spread[:, 0]),
            Interval.of(on.cost, spread[:, 1]),
            Interval.of(held.score, held_spread[:, 0]),
            Interval.of(held.cost, held_spread[:, 1]),
            on.served,
        )

    main = BY_GROUP if by_group else BLIND
    held, held_spread = drawn.held_out[main], drawn.held_out_resampled[main]
    total = sum(drawn.sets.values())
    singles = tuple(
        Single(
            name,
            Interval.of(float(merged.score[0, m]), drawn.single_score[:, m]),
            Interval.of(float(merged.cost[0, m]), drawn.single_cost[:, m]),
            Interval.of(
                held.score - float(merged.score[0, m]),
                held_spread[:, 0] - drawn.single_score[:, m],
            ),
            _allowed(limits, m, float(merged.cost[0, m])),
        )
        for m, name in enumerate(evidence.models)
    )
    return Advice(
        source=source,
        evidence=evidence,
        cells=cells,
        wishes=asked,
        limits=limits,
        chosen=chosen,
        plan=plan,
        measured={name: measured(name) for name in plans},
        blind=blind,
        ahead_of_blind=Interval.of(
            held.score - drawn.held_out[BLIND].score,
            held_spread[:, 0] - drawn.held_out_resampled[BLIND][:, 0],
        ),
        least=least,
        most_served=served,
        sets=tuple((models, number / total) for models, number in drawn.sets.most_common()),
        resamples=resamples,
        prices=prices(cells, limits, plan),
        without=tuple(
            vary(f"without {evidence.models[model]}", cells, limits.without(model), plan)
            for model in plan.models
        ),
        singles=singles,
        frontier=frontier(cells, limits, plan, least, merged.cost[0]),
    )


def _allowed(limits: Limits, model: int, cost: float) -> float:
    affordable = limits.budget / cost if cost > limits.budget else 1.0
    return min(affordable, float(limits.throughput[model]))
