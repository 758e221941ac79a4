"""What changes with the limits: the price of each, and the plans at rising budgets."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.advice.evidence import Cells
from stageroute_gym.advice.plans import Limits, Plan, Worth, choose

FRONTIER_POINTS = 24
# Steps in which the price of a constraint is told.
DOLLAR = 1e-3  # USD a query: one USD more per 1,000 queries
SCORE_STEP = 0.01
THROUGHPUT_STEP = 0.1
RESOLUTION = 1e-6
SAME_BUDGET = 1e-9  # budgets that differ by less than this part are one


@dataclass(frozen=True, eq=False)
class Variation:
    """The best plan when one limit is changed.

    Attributes:
        change: the change in words.
        plan: the best plan then; None where the floor for the score is out of reach.
        gain: expected score more than the plan's or, with a floor for the score, USD a query more;
            None without a plan.
    """

    change: str
    plan: Plan | None
    gain: float | None


def vary(change: str, cells: Cells, limits: Limits, plan: Plan) -> Variation:
    """The best plan under changed limits, and what it gains on ``plan``."""
    varied = choose(cells, limits, plan)
    if varied is None:
        return Variation(change, None, None)
    before, after = _objective(limits, plan.worth), _objective(limits, varied.worth)
    gain = after - before
    unit = 1.0 if limits.min_score is None else before
    # What the programmes cannot resolve is no gain.
    return Variation(change, varied, gain if abs(gain) > RESOLUTION * unit else 0.0)


def _objective(limits: Limits, worth: Worth) -> float:
    return worth.score if limits.min_score is None else worth.cost


def prices(cells: Cells, limits: Limits, plan: Plan) -> tuple[Variation, ...]:
    """What a step in each constraint brings, each solved anew."""
    steps = []
    if limits.min_score is None:
        for change, budget in (
            ("budget + 10 %", 1.1 * limits.budget),
            ("budget + 1 USD per 1,000 queries", limits.budget + DOLLAR),
        ):
            steps.append((change, replace(limits, budget=budget)))
    else:
        for step in (SCORE_STEP, -SCORE_STEP):
            floor = limits.min_score + step
            if 0.0 <= floor <= 1.0:
                steps.append((f"floor {step:+g}", replace(limits, min_score=floor)))
    slots = limits.max_deployed
    if slots < len(limits.throughput):
        steps.append(("one more slot", replace(limits, max_deployed=slots + 1)))
    if slots > 1:
        steps.append(("one slot less", replace(limits, max_deployed=slots - 1)))
    if (limits.throughput < 1.0).any():
        more = np.minimum(1.0, limits.throughput * (1.0 + THROUGHPUT_STEP))
        steps.append(("throughput of each model + 10 %", replace(limits, throughput=more)))
    return tuple(vary(change, cells, changed, plan) for change, changed in steps)


def frontier(
    cells: Cells,
    limits: Limits,
    plan: Plan,
    least: Plan | None,
    mean_cost: NDArray[np.float64],
) -> tuple[tuple[float, Plan], ...]:
    """The best plan at each of rising budgets, from the least that serves all queries on.

    The models' mean costs are among the budgets, so that the line passes no model's own dot.
    """
    free = replace(limits, min_score=None, budget=math.inf)
    richest = choose(cells, free)
    assert richest is not None
    own = plan.worth.cost if limits.min_score is not None else limits.budget
    low, high = least.worth.cost if least else own, richest.worth.cost
    budgets = {own}
    if 0.0 < low < high:
        budgets |= set(np.geomspace(low, high, FRONTIER_POINTS).tolist())
        budgets |= {cost for cost in mean_cost.tolist() if low < cost < high}
    elif high > 0.0:
        budgets.add(high)
    points = []
    before = plan
    for budget in sorted(b for b in budgets if b > 0.0):
        # Below the least budget that serves all, some queries are declined.
        at = replace(free, budget=budget, decline=least is None or budget < low)
        # Just enough for the cheapest plan is enough for no other, which a search finds slowly.
        enough = least is not None and low <= budget <= low * (1.0 + SAME_BUDGET)
        best = least if enough else choose(cells, at, before)
        assert best is not None
        points.append((budget, best))
        before = best
    return tuple(points)
