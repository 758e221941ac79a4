"""Random programmes, degenerate ones included, and HiGHS to compare with."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp


class Case(NamedTuple):
    """One programme; costs and budget are of order 1."""

    score: np.ndarray
    cost: np.ndarray
    budget: float
    throughput: np.ndarray


def draw(rng: np.random.Generator, size: int, kind: int) -> Case:
    """Draw a programme; ``kind`` modulo 7 says what is degenerate in it."""
    score, cost = rng.random(size), rng.random(size)
    match kind % 7:
        case 1:  # many ties and zeros
            score, cost = rng.integers(0, 3, size) / 2, rng.integers(0, 3, size) / 2
        case 2:  # all scores equal, as in the first call of StageRoute
            score = np.ones(size)
        case 3:  # rounded, so that budgets lie on vertices
            score, cost = score.round(1), cost.round(1)
        case 4:  # scores nearly linear in costs
            cost = 0.5 * score + 0.01 * cost
        case 5:  # everything equal
            score, cost = np.ones(size), np.full(size, 0.25)
    if rng.random() < 0.5:
        cap = rng.uniform(1e-3, 1.0, size) * rng.choice([0.3, 1.0])
    else:
        cap = np.full(size, 1 / rng.integers(1, 12))
    budget = float(rng.choice([0.1, 0.2, 0.25, 0.3, 0.5, rng.random() + 1e-3]))
    return Case(score, cost, budget, cap)


def highs_route(case: Case, mass: float):
    """Solve RouteOPT by HiGHS."""
    return linprog(
        -case.score,
        A_ub=case.cost[None] / case.budget,
        b_ub=[1.0],
        A_eq=np.ones((1, case.score.size)),
        b_eq=[mass],
        bounds=np.stack([np.zeros(case.score.size), case.throughput], axis=1),
        method="highs",
    )


def highs_deploy(case: Case, mass: float, slots: int):
    """Solve DeployOPT by HiGHS; an infinite budget is left out."""
    size = case.score.size
    zero, one = np.zeros(size), np.ones(size)
    constraints = [
        LinearConstraint(np.concatenate([one, zero])[None], mass, mass),
        LinearConstraint(np.concatenate([zero, one])[None], 0, slots),
        LinearConstraint(np.hstack([np.eye(size), -np.diag(case.throughput)]), -np.inf, 0),
    ]
    if np.isfinite(case.budget):
        row = np.concatenate([case.cost / case.budget, zero])[None]
        constraints.append(LinearConstraint(row, -np.inf, 1))
    return milp(
        -np.concatenate([case.score, zero]),
        constraints=constraints,
        integrality=np.repeat([0, 1], size),
        bounds=Bounds(0, np.concatenate([case.throughput, one])),
        options={"mip_rel_gap": 0},
    )


def assert_mixture(case: Case, weights: np.ndarray, mass: float, feasible: bool) -> None:
    """Assert that the constraints hold."""
    assert abs(weights.sum() - mass) <= 1e-9
    assert (weights >= 0).all()
    assert (weights <= case.throughput).all()
    if feasible:
        assert weights @ case.cost <= case.budget * (1 + 1e-9)
