"""Sets by DeployOPT, for a budget that the stages share evenly or not."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stageroute_agents.arrays import Flags, Floats, Integers
from stageroute_gym.optimize.deploy import deploy_rows

_MOST_STEPS = 30
_LEAST_STEP = 1e-12
# An uneven spend has to gain this part of the score; less is not worth its risk.
_LEAST_GAIN = 1e-3


class Mixtures(NamedTuple):
    """What to deploy in each of ``R`` episodes.

    Attributes:
        weights: shares of the models, shape (R, N), float64.
        score: expected score of a query, shape (R,), float64.
        cost: expected cost of a query in USD, shape (R,), float64.
        price: of the budget, score per USD, shape (R,), float64.
    """

    weights: Floats
    score: Floats
    cost: Floats
    price: Floats

    def where(self, condition: Flags, other: Mixtures) -> Mixtures:
        """These mixtures where the condition holds, shape (R,), the others elsewhere."""
        return Mixtures(
            np.where(condition[:, None], self.weights, other.weights),
            *(np.where(condition, a, b) for a, b in zip(self[1:], other[1:], strict=True)),
        )


def best_mixtures(
    score: Floats, cost: Floats, budget: Floats, caps: Floats, slots: int
) -> Mixtures:
    """DeployOPT in each episode.

    Args:
        score: shape (R, N), float64.
        cost: USD, shape (R, N), float64.
        budget: USD a query, shape (R,), float64.
        caps: throughput, 0 for models that are not on offer, shape (R, N), float64.
        slots: models that can be deployed.
    """
    weights, _, price, _ = deploy_rows(score, cost, budget, caps, slots)
    return Mixtures(weights, (weights * score).sum(axis=1), (weights * cost).sum(axis=1), price)


def shared_mixtures(
    score: Floats,
    cost: Floats,
    budget: Floats,
    caps: Floats,
    slots: int,
    stages_left: Integers,
) -> tuple[Mixtures, Flags]:
    """What to deploy in this stage, if the stages left share their budget as is best.

    With few slots the value of a stage is not concave in its budget: dear and cheap stages in turn
    can beat equal ones, which is part of what the horizon oracle does. Secants between the dearest
    and the cheapest mixture find the two that mix best, each the best one at the same price of the
    budget. The one whose cost is nearer to the budget comes first; the budget left then decides the
    next stage.

    Args:
        score: as for `best_mixtures`, like what follows.
        cost: see there.
        budget: see there.
        caps: see there.
        slots: see there.
        stages_left: stages from this one on, shape (R,), int64.

    Returns:
        The mixtures, and where they are meant to spend their own cost instead of the budget.
    """
    even = best_mixtures(score, cost, budget, caps, slots)
    cheap, dear, price, binding = _bracket(score, cost, budget, caps, slots)
    span = np.where(binding, dear.cost - cheap.cost, 1.0)
    part = np.where(binding, (budget - cheap.cost) / span, 0.0)
    mixed = cheap.score + part * (dear.score - cheap.score)
    uneven = binding & (stages_left >= 2) & (mixed > even.score * (1.0 + _LEAST_GAIN))
    first = dear.where(part >= 0.5, cheap)._replace(price=price)
    return first.where(uneven, even), uneven


def _bracket(
    score: Floats, cost: Floats, budget: Floats, caps: Floats, slots: int
) -> tuple[Mixtures, Mixtures, Floats, Flags]:
    """A mixture below the budget and one above, the price at which both are best, and where."""
    free = np.full(len(score), np.inf)
    dear = best_mixtures(score, cost, free, caps, slots)
    cheap = best_mixtures(-cost, cost, free, caps, slots)
    cheap = cheap._replace(score=(cheap.weights * score).sum(axis=1))
    binding = (dear.cost > budget) & (cheap.cost < budget)
    active, price = binding.copy(), np.zeros(len(score))
    for _ in range(_MOST_STEPS):
        rows = np.flatnonzero(active)
        if rows.size == 0:
            break
        price[rows] = (dear.score[rows] - cheap.score[rows]) / (dear.cost[rows] - cheap.cost[rows])
        worth = score[rows] - price[rows, None] * cost[rows]
        new = best_mixtures(worth, cost[rows], free[rows], caps[rows], slots)
        reached = (new.weights * score[rows]).sum(axis=1)
        gain = reached - cheap.score[rows] - price[rows] * (new.cost - cheap.cost[rows])
        better = (gain > _LEAST_STEP) & (new.cost > cheap.cost[rows]) & (new.cost < dear.cost[rows])
        active[rows[~better]] = False
        below = new.cost <= budget[rows]
        for side, moved in ((cheap, better & below), (dear, better & ~below)):
            side.weights[rows[moved]] = new.weights[moved]
            side.score[rows[moved]] = reached[moved]
            side.cost[rows[moved]] = new.cost[moved]
    return cheap, dear, price, binding
