"""The horizon oracle's programme by brute force over all sets, in exact rational arithmetic."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np

Point = tuple[Fraction, Fraction]


def frontier(score, cost, cap, models) -> list[Point]:
    """Spend and value of the corners of what some models of one stage can earn, in order."""
    points = {(Fraction(0), Fraction(0))}
    for size in range(len(models) + 1):
        for full in itertools.combinations(models, size):
            mass = sum((cap[m] for m in full), Fraction(0))
            if mass > 1:
                continue
            spend = sum((cost[m] * cap[m] for m in full), Fraction(0))
            value = sum((score[m] * cap[m] for m in full), Fraction(0))
            points.add((spend, value))
            for m in set(models) - set(full):
                part = min(1 - mass, cap[m])
                points.add((spend + cost[m] * part, value + score[m] * part))
    hull: list[Point] = []
    for x, y in sorted(points):
        if hull and (x == hull[-1][0] or y <= hull[-1][1]):
            if y <= hull[-1][1]:
                continue
            hull.pop()
        while len(hull) > 1 and (hull[-1][1] - hull[-2][1]) * (x - hull[-1][0]) <= (
            y - hull[-1][1]
        ) * (hull[-1][0] - hull[-2][0]):
            hull.pop()
        hull.append((x, y))
    return hull


def best_value(score, cost, available, lengths, budget, caps, slots) -> float:
    """The best value of all choices of sets; the inputs are taken as they are, to the bit."""
    stages, models = np.asarray(score).shape
    exact = [[Fraction(float(x)) for x in row] for row in (*score, *cost)]
    mu, c = exact[:stages], exact[stages:]
    alpha = [Fraction(float(x)) for x in np.broadcast_to(caps, models)]
    total = Fraction(float(budget)) * sum(Fraction(float(x)) for x in lengths)
    choices = []
    for k in range(stages):
        offered = [m for m in range(models) if available[k][m]]
        size = min(slots, len(offered))
        queries = Fraction(float(lengths[k]))
        choices.append(
            [
                [(queries * x, queries * y) for x, y in frontier(mu[k], c[k], alpha, chosen)]
                for chosen in itertools.combinations(offered, size)
            ]
        )
    best = Fraction(0)
    for frontiers in itertools.product(*choices):
        value = sum((points[0][1] for points in frontiers), Fraction(0))
        left = total - sum((points[0][0] for points in frontiers), Fraction(0))
        pieces = [
            (b[0] - a[0], b[1] - a[1])
            for points in frontiers
            for a, b in itertools.pairwise(points)
        ]
        for width, height in sorted(pieces, key=lambda piece: -piece[1] / piece[0]):
            part = min(left / width, 1)
            value += part * height
            left -= part * width
            if left <= 0:
                break
        best = max(best, value)
    return float(best)


def best_full_mixture(score, cost, caps, budget, slots) -> float | None:
    """The best value of DeployOPT in one stage, all mass served; None if none is affordable."""
    mu, c, alpha = ([Fraction(float(x)) for x in row] for row in (score, cost, caps))
    limit, models = Fraction(float(budget)), [m for m in range(len(mu)) if alpha[m] > 0]
    slots = min(slots, len(models))
    mass = min(Fraction(1), sum(sorted(alpha[m] for m in models)[-slots:], Fraction(0)))
    best = None
    for chosen in itertools.combinations(models, slots):
        points: list[Point] = []
        for full in itertools.chain.from_iterable(
            itertools.combinations(chosen, size) for size in range(slots + 1)
        ):
            left = mass - sum((alpha[m] for m in full), Fraction(0))
            spend = sum((c[m] * alpha[m] for m in full), Fraction(0))
            value = sum((mu[m] * alpha[m] for m in full), Fraction(0))
            if left == 0:
                points.append((spend, value))
            elif left > 0:
                points += [
                    (spend + c[m] * left, value + mu[m] * left)
                    for m in set(chosen) - set(full)
                    if alpha[m] >= left
                ]
        for x, y in points:
            if x > limit:
                continue
            mixed = [y + (b - y) * (limit - x) / (a - x) for a, b in points if a > limit and b > y]
            best = max(y, *mixed, y if best is None else best)
    return None if best is None else float(best)
