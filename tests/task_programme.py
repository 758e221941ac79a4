"""DeployOPT with shares by task as HiGHS solves it: the truth for the project's own method."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp


def by_highs(weight, score, cost, budget, caps, slots, decline=False):
    """Value and shares of the programme by `scipy.optimize.milp` with gap 0; None if infeasible.

    In the plain form of the paper: costs in units of the budget, a binary variable for each model.
    """
    groups, models = score.shape
    size = groups * models
    none = sparse.csr_matrix
    spend = (weight[:, None] * cost).ravel()[None] / budget
    by_group = sparse.kron(sparse.eye(groups), np.ones((1, models)))
    by_model = sparse.kron(weight[None], sparse.eye(models))
    opened = sparse.kron(np.ones((groups, 1)), sparse.eye(models))
    solved = milp(
        -np.concatenate([(weight[:, None] * score).ravel(), np.zeros(models)]),
        constraints=[
            LinearConstraint(sparse.hstack([none(spend), none((1, models))]), -np.inf, 1.0),
            LinearConstraint(
                sparse.hstack([by_group, none((groups, models))]), 0.0 if decline else 1.0, 1.0
            ),
            LinearConstraint(sparse.hstack([by_model, -sparse.diags(caps)]), -np.inf, 0.0),
            LinearConstraint(sparse.hstack([sparse.eye(size), -opened]), -np.inf, 0.0),
            LinearConstraint(
                sparse.hstack([none((1, size)), none(np.ones((1, models)))]), -np.inf, slots
            ),
        ],
        integrality=np.repeat([0, 1], [size, models]),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0.0},
    )
    if solved.x is None:
        return None
    return -solved.fun, solved.x[:size].reshape(score.shape)
