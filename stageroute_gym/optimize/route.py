"""RouteOPT (Eq. 7): the best mixture of deployed models within the budget, alone or in a batch."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stageroute_gym.array_types import Flags, Floats, Integers
from stageroute_gym.compiling import njit
from stageroute_gym.optimize.arguments import (
    as_budget,
    as_budgets,
    as_caps,
    as_rows,
    refuse_shapes,
    refuse_values,
)
from stageroute_gym.optimize.mixture import Budget, Models, Scratch, solve_mixture

COST_TOLERANCE = 1e-12  # overspending by this part of the budget is rounding


class RoutePlan(NamedTuple):
    """Solution of RouteOPT for one problem, or for a batch of ``E``.

    Attributes:
        probabilities: share of queries to each model, float64 ``(M,)`` or ``(E, M)``.
        value: expected score of a query, ``float`` or float64 ``(E,)``.
        price: optimal budget multiplier ``lambda``, score per USD; 0 where the budget does not
            bind, infinite where no mixture is affordable.
        feasible: whether a mixture of the full mass is within the budget, ``bool`` or ``(E,)``.

    """

    probabilities: Floats
    value: float | Floats
    price: float | Floats
    feasible: bool | Flags


class RoutePlans(NamedTuple):
    """Solutions of RouteOPT for a batch of ``E``, as in `RoutePlan`.

    Attributes:
        probabilities: share of queries to each model, float64 ``(E, M)``.
        value: expected score of a query, float64 ``(E,)``.
        price: multiplier of the budget, score per USD, float64 ``(E,)``.
        feasible: whether a mixture of the full mass is within the budget, bool ``(E,)``.

    """

    probabilities: Floats
    value: Floats
    price: Floats
    feasible: Flags


@njit(cache=True, _nrt=False)
def compact_row(
    score_row: Floats, cost_row: Floats, throughput_row: Floats, floats: Floats, names: Floats
) -> int:
    """Gather the usable models of a row.

    Args:
        score_row: float64 ``(M,)``.
        cost_row: float64 ``(M,)``.
        throughput_row: float64 ``(M,)``; models with 0 are left out, their values not read.
        floats: written: scores, costs and caps, float64 ``(3, M)`` or larger.
        names: written: index in the row of each usable model, int64 ``(M,)``.

    Returns:
        Number of usable models, or -1 if a value is not allowed.

    """
    count = 0
    for i in range(throughput_row.shape[0]):
        cap = throughput_row[i]
        if cap == 0.0:
            continue
        # Written so that a NaN is refused too.
        if not (
            0.0 < cap <= 1.0 and 0.0 <= cost_row[i] < math.inf and abs(score_row[i]) < math.inf
        ):
            return -1
        floats[0, count] = score_row[i]
        floats[1, count] = cost_row[i]
        floats[2, count] = cap
        names[count] = i
        count += 1
    return count


@njit(cache=True, _nrt=False)
def route_row(
    score_row: Floats,
    cost_row: Floats,
    budget: float,
    throughput_row: Floats,
    probabilities_out: Floats,
    floats: Floats,
    integers: NDArray[np.int64],
) -> tuple[float, float, bool]:
    """`route_kernel` with the caller's scratch, for loops over rows.

    Args:
        score_row: as for `route_kernel`, like the next four.
        cost_row: see there.
        budget: see there.
        throughput_row: see there.
        probabilities_out: see there.
        floats: scratch, float64 ``(5, M + 1)``.
        integers: scratch, int64 ``(4, M + 1)``.

    Returns:
        As `route_kernel`.

    """
    probabilities_out[:] = 0.0
    count = compact_row(score_row, cost_row, throughput_row, floats, integers[3])
    if count < 0 or math.isnan(budget):
        return math.nan, math.nan, False
    mass = 0.0
    for i in range(count):
        mass += floats[2, i]
    value, price, _, feasible = solve_mixture(
        Models(floats[0], floats[1], floats[2]),
        count,
        min(1.0, mass),
        Budget(budget, COST_TOLERANCE * abs(budget)),
        floats[3],
        Scratch(floats[4], integers),
    )
    for i in range(count):
        probabilities_out[integers[3, i]] = floats[3, i]
    return value, price, feasible


@njit(cache=True)
def route_kernel(
    score_row: Floats,
    cost_row: Floats,
    budget: float,
    throughput_row: Floats,
    probabilities_out: Floats,
) -> tuple[float, float, bool]:
    """RouteOPT for one row, for compiled callers.

    Args:
        score_row: ``mu``, finite, float64 ``(M,)``, C-contiguous as all rows here.
        cost_row: ``c``, USD, at least 0, float64 ``(M,)``.
        budget: USD a query.
        throughput_row: ``alpha``, float64 ``(M,)``; 0: not usable, and the other values not read.
        probabilities_out: written: the mixture, float64 ``(M,)``.

    Returns:
        Value, price, feasible, as in `RoutePlan`; the value is NaN if an argument is not allowed.

    """
    size = score_row.shape[0] + 1
    floats = np.empty((5, size))
    integers = np.empty((4, size), dtype=np.int64)
    return route_row(
        score_row, cost_row, budget, throughput_row, probabilities_out, floats, integers
    )


@njit(cache=True, _nrt=False)
def _route_rows(
    score: Floats,
    cost: Floats,
    budget: Floats,
    throughput: Floats,
    plans: tuple[Floats, Floats, Floats, Flags],
    scratch: tuple[Floats, Integers],
) -> None:
    probabilities, value, price, feasible = plans
    floats, integers = scratch
    for e in range(score.shape[0]):
        value[e], price[e], feasible[e] = route_row(
            score[e], cost[e], budget[e], throughput[e], probabilities[e], floats, integers
        )


def route_rows(score: Floats, cost: Floats, budget: Floats, throughput: Floats) -> RoutePlans:
    """RouteOPT for each row, equal to `route_kernel` to the bit; arguments are not checked.

    Args:
        score: float64 ``(E, M)``, C-contiguous as all arrays here.
        cost: USD, float64 ``(E, M)``.
        budget: USD a query, float64 ``(E,)``.
        throughput: float64 ``(E, M)``.

    Returns:
        The plans; the value is NaN where a row holds a value that is not allowed.

    """
    rows = len(score)
    plans = RoutePlans(
        np.empty(score.shape), np.empty(rows), np.empty(rows), np.empty(rows, dtype=np.bool_)
    )
    scratch = np.empty((5, score.shape[1] + 1)), np.empty((4, score.shape[1] + 1), dtype=np.int64)
    # A plain tuple: a named one from Python costs more than the programme of one row.
    _route_rows(score, cost, budget, throughput, tuple(plans), scratch)
    return plans


def route_lp(
    score: ArrayLike, cost: ArrayLike, budget: ArrayLike, throughput: ArrayLike
) -> RoutePlan:
    """Solve RouteOPT (Li & Li 2026, arXiv 2506.17254, Eq. 7): how to split queries among models.

    Maximises ``sum mu_m p_m`` subject to ``sum c_m p_m <= b``, ``sum p_m = s`` and
    ``0 <= p_m <= alpha_m``, with ``s = min(1, sum alpha_m)``: where the caps do not add up to 1 all
    are filled and the rest of the queries is declined. Where no such mixture is affordable, the
    plan is the cheapest one. Of several best mixtures, ties go to the cheaper model, and at most
    two models lie strictly between 0 and their cap.

    Args:
        score: ``mu``, expected score of each model, ``(M,)`` or ``(E, M)``; any finite number.
        cost: ``c``, expected cost of each model, USD, at least 0, same shape.
        budget: ``b``, USD a query, above 0 (infinity: none); scalar, or ``(E,)`` for a batch.
        throughput: ``alpha`` in [0, 1]; scalar, ``(M,)``, or ``(E, M)`` for a batch. A model with 0
            may not be used, and its score and cost are not read.

    Returns:
        The plan; of rows ``(E, ...)`` for a batch. With no usable model: zeros, feasible.

    Raises:
        FieldError: a shape or a value is not allowed.

    """
    mu, c = as_rows(score), as_rows(cost)
    if mu.shape != c.shape or mu.ndim not in {1, 2}:
        refuse_shapes(mu, c, "(M,) or (E, M)")
    alpha = as_caps(throughput, mu.shape)
    if mu.ndim == 1:
        probabilities = np.empty(mu.shape)
        b = as_budget(budget)
        value, price, feasible = route_kernel(mu, c, b, alpha, probabilities)
        if value != value:  # noqa: PLR0124 - NaN; math.isnan takes three times as long
            refuse_values(mu, c, alpha)
        return RoutePlan(probabilities, value, price, feasible)
    plans = route_rows(mu, c, as_budgets(budget, len(mu)), alpha)
    if np.isnan(plans.value).any():
        refuse_values(mu, c, alpha)
    return RoutePlan(*plans)
