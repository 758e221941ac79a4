"""A plan: the set to deploy and the share of each group's queries that each model serves."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.advice.evidence import Cells
from stageroute_gym.array_types import Floats
from stageroute_gym.optimize import TaskPlan, deploy_by_task


@dataclass(frozen=True, eq=False)
class Limits:
    """What a plan has to keep to.

    Attributes:
        budget: USD a query; infinity: none.
        max_deployed: how many models may be deployed at once.
        throughput: largest share of all queries that each model may serve, ``(N,)``; 0: not used.
        min_score: mean score to reach at the least cost; None: the best score within the budget.
        decline: whether queries may be declined, scoring and costing nothing.
    """

    budget: float
    max_deployed: int
    throughput: Floats
    min_score: float | None = None
    decline: bool = False

    def without(self, model: int) -> Limits:
        """The same, and one model may not be used."""
        throughput = self.throughput.copy()
        throughput[model] = 0.0
        return replace(self, throughput=throughput)


class Worth(NamedTuple):
    """What a plan brings: mean score (0 for a query declined), cost in USD, share served."""

    score: float
    cost: float
    served: float


@dataclass(frozen=True, eq=False)
class Plan:
    """A set and its shares.

    Attributes:
        models: models that serve queries, ascending.
        shares: share of each group's queries that each model serves, ``(G, N)``; a group without
            queries has the mix of all others.
        mix: share of all queries that each model serves, ``(N,)``.
        worth: what it brings on the means it was made from.
        price: score that one more USD a query would bring at the margin; with ``min_score``, USD a
            query that a score higher by 1 would cost at the margin.
    """

    models: tuple[int, ...]
    shares: Floats
    mix: Floats
    worth: Worth
    price: float

    def on(self, cells: Cells) -> Worth:
        """What the plan brings on other means.

        Shares of a group that go to models of which nothing is known there are passed on to the
        others in proportion.
        """
        shares = np.broadcast_to(self.shares, cells.score.shape)
        known = np.where(cells.known, shares, 0.0)
        rows, left = shares.sum(axis=1), known.sum(axis=1)
        scale = np.divide(rows, left, out=np.zeros_like(rows), where=left > 0.0)
        mass = cells.weight[:, None] * known * scale[:, None]
        score = float((mass * np.where(cells.known, cells.score, 0.0)).sum())
        cost = float((mass * np.where(cells.known, cells.cost, 0.0)).sum())
        return Worth(score, cost, float(mass.sum()))


def choose(cells: Cells, limits: Limits, start: Plan | None = None) -> Plan | None:
    """The best plan within the limits, exact.

    Args:
        cells: what is known.
        limits: what to keep to. Where not all queries can be served within them, they may be
            declined, unless there is a floor for the score.
        start: a plan that is near, which saves time.

    Returns:
        The plan; None where the floor is out of reach.
    """
    score, cost, budget = cells.score, cells.cost, limits.budget
    if limits.min_score is not None:
        # The same programme, costs and scores exchanged.
        best = float(score[cells.known].max())
        if limits.min_score > best:
            return None
        # In units of the scores, so that as many digits are left whatever their scale.
        most = 2.0 * best or 1.0
        score, cost, budget = -cells.cost, most - cells.score, most - limits.min_score
    present = cells.weight > 0.0
    arguments = (
        cells.weight[present],
        score[present],
        cost[present],
        budget,
        limits.throughput,
        limits.max_deployed,
    )
    allowed = cells.known[present]
    first = None if start is None else np.array(start.models, dtype=np.int64)
    solved = None
    if not limits.decline:
        solved = deploy_by_task(*arguments, allowed=allowed, start=first)
    if solved is None:
        if limits.min_score is not None:
            return None
        solved = deploy_by_task(*arguments, allowed=allowed, start=first, decline=True)
        assert solved is not None
    return _plan(cells, present, solved)


def least_cost(cells: Cells, limits: Limits) -> Plan | None:
    """The cheapest plan that serves all queries; None where slots and throughput allow none."""
    floor = min(0.0, float(cells.score[cells.known].min()))
    return choose(cells, replace(limits, budget=math.inf, min_score=floor, decline=False))


def most_served(cells: Cells, limits: Limits) -> float:
    """Largest share of the queries that can be served within the limits."""
    served = cells._replace(score=np.where(cells.known, 1.0, np.nan))
    plan = choose(served, replace(limits, decline=True, min_score=None))
    assert plan is not None
    return plan.worth.served


def _plan(cells: Cells, present: NDArray[np.bool_], solved: TaskPlan) -> Plan:
    weight = cells.weight[present]
    mix = (weight[:, None] * solved.shares).sum(axis=0) / weight.sum()
    shares = np.tile(mix, (len(cells.weight), 1))
    shares[present] = solved.shares
    plan = Plan(
        models=tuple(solved.models.tolist()),
        shares=shares,
        mix=mix,
        worth=Worth(0.0, 0.0, 0.0),
        price=solved.price,
    )
    return replace(plan, worth=plan.on(cells))
