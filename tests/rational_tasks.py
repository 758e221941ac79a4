"""DeployOPT by task in exact rational arithmetic: the simplex method on every set."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np

Row = list[Fraction]


def simplex(objective: Row, rows: list[Row], right: Row) -> Fraction:
    """The largest ``objective x`` with ``rows x <= right``, ``x >= 0``, where 0 is allowed.

    Bland's rule, so that it ends.
    """
    size = len(objective)
    table = [
        [*row, *(Fraction(int(i == j)) for j in range(len(rows))), b]
        for i, (row, b) in enumerate(zip(rows, right, strict=True))
    ]
    gains = [*objective, *(Fraction(0) for _ in rows), Fraction(0)]
    basis = [size + i for i in range(len(rows))]
    while (entering := next((j for j, g in enumerate(gains[:-1]) if g > 0), None)) is not None:
        ratios = [
            (row[-1] / row[entering], basis[i], i)
            for i, row in enumerate(table)
            if row[entering] > 0
        ]
        _, _, leaving = min(ratios)
        pivot = table[leaving][entering]
        table[leaving] = [x / pivot for x in table[leaving]]
        for row in (*table[:leaving], *table[leaving + 1 :], gains):
            if row[entering]:
                factor = row[entering]
                row[:] = [
                    x - factor * y if y else x for x, y in zip(row, table[leaving], strict=True)
                ]
        basis[leaving] = entering
    return -gains[-1]


def best_by_task(weight, score, cost, budget, caps, slots, decline=False) -> Fraction | None:
    """The best value of all sets; None where no set serves all queries.

    The inputs are taken as they are, to the bit, but for the weights, which are made to add up
    to 1. Serving all queries comes before any score: by a second simplex on scores to which more is
    added than any plan can lose.
    """
    exact = np.vectorize(lambda x: Fraction(float(x)), otypes=[object])
    w, mu, c, alpha = exact(weight), exact(score), exact(cost), exact(caps)
    w = w / w.sum()
    groups, models = mu.shape
    limit = None if budget == np.inf else Fraction(float(budget))
    best = None
    for chosen in itertools.combinations(range(models), min(slots, models)):
        cells = list(itertools.product(range(groups), chosen))
        rows = [[Fraction(int(g == h)) * w[h] for h, _ in cells] for g in range(groups)]
        rows += [[w[g] if m == n else Fraction(0) for g, m in cells] for n in chosen]
        right = [*w, *(alpha[m] for m in chosen)]
        if limit is not None:
            rows.append([w[g] * c[g, m] / limit for g, m in cells])
            right.append(Fraction(1))
        value = [w[g] * mu[g, m] for g, m in cells]
        if not decline:
            served = [w[g] for g, _ in cells]
            if simplex(served, rows, right) < 1:
                continue
            # All are served at any bonus that is large enough; exact numbers have no limit.
            bonus = Fraction(10) ** 40
            value = [v + bonus * s for v, s in zip(value, served, strict=True)]
            reached = simplex(value, rows, right) - bonus
        else:
            reached = simplex(value, rows, right)
        best = reached if best is None else max(best, reached)
    return best
