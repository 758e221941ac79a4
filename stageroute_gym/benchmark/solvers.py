"""RouteOPT and DeployOPT by general solvers, to compare with: scipy, HiGHS and Gurobi.

HiGHS (``highspy``) and Gurobi (``gurobipy``) are kept warm: one model each, whose numbers change
from programme to programme. Neither is needed; whoever has not installed them gets the rest.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from stageroute_gym.array_types import Floats

Solve = Callable[["Programme"], float]


@dataclass(frozen=True, eq=False)
class Programme:
    """RouteOPT, or DeployOPT where there are more models than slots.

    Attributes:
        score: expected score of each model, shape (N,), float64.
        cost: expected cost as a share of the budget, shape (N,), float64: solvers have absolute
            tolerances, to which amounts in USD would be nothing.
        throughput: share that each model may serve, shape (N,), float64.
        slots: how many models may be used.
    """

    score: Floats
    cost: Floats
    throughput: Floats
    slots: int


def installed(module: str) -> bool:
    """Whether a solver's package is there."""
    return importlib.util.find_spec(module) is not None


def scipy_route(programme: Programme) -> float:
    """Value of RouteOPT by ``scipy.optimize.linprog``."""
    from scipy.optimize import linprog

    size = len(programme.score)
    result = linprog(
        -programme.score,
        A_ub=programme.cost[None],
        b_ub=np.ones(1),
        A_eq=np.ones((1, size)),
        b_eq=np.ones(1),
        bounds=np.stack([np.zeros(size), programme.throughput], axis=1),
        method="highs",
    )
    return -float(result.fun)


def scipy_deploy(programme: Programme) -> float:
    """Value of DeployOPT by ``scipy.optimize.milp``."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import diags_array, eye_array, hstack

    size = len(programme.score)
    zero, one = np.zeros(size), np.ones(size)
    within = hstack([eye_array(size), -diags_array(programme.throughput)])
    result = milp(
        -np.concatenate([programme.score, zero]),
        constraints=[
            LinearConstraint(np.concatenate([one, zero])[None], 1.0, 1.0),
            LinearConstraint(np.concatenate([programme.cost, zero])[None], -np.inf, 1.0),
            LinearConstraint(np.concatenate([zero, one])[None], 0, programme.slots),
            LinearConstraint(within, -np.inf, 0.0),
        ],
        integrality=np.repeat([0, 1], size),
        bounds=Bounds(0, np.concatenate([programme.throughput, one])),
        options={"mip_rel_gap": 0},
    )
    return -float(result.fun)


def warm_highs_route(size: int) -> Solve:
    """A function that solves RouteOPT for ``size`` models by one HiGHS model."""
    highspy: Any = importlib.import_module("highspy")
    model = highspy.Highs()
    model.silent()
    model.setOptionValue("threads", 1)
    model.setOptionValue("presolve", "off")  # faster on a model this small
    columns = np.arange(size, dtype=np.int32)
    model.addVars(size, np.zeros(size), np.ones(size))
    model.addRow(-highspy.kHighsInf, 1.0, size, columns, np.ones(size))
    model.addRow(1.0, 1.0, size, columns, np.ones(size))

    def solve(programme: Programme) -> float:
        model.changeColsCost(size, columns, -programme.score)
        model.changeColsBounds(size, columns, np.zeros(size), programme.throughput)
        for column, cost in enumerate(programme.cost.tolist()):
            model.changeCoeff(0, column, cost)
        model.run()
        return -float(model.getObjectiveValue())

    return solve


def warm_highs_deploy(size: int) -> Solve:
    """A function that solves DeployOPT for ``size`` models by one HiGHS model."""
    highspy: Any = importlib.import_module("highspy")
    model = highspy.Highs()
    model.silent()
    model.setOptionValue("threads", 1)
    model.setOptionValue("mip_rel_gap", 0.0)
    shares, used = np.arange(size, dtype=np.int32), np.arange(size, 2 * size, dtype=np.int32)
    one = np.ones(size)
    model.addVars(2 * size, np.zeros(2 * size), np.ones(2 * size))
    model.changeColsIntegrality(size, used, np.full(size, highspy.HighsVarType.kInteger))
    model.addRow(-highspy.kHighsInf, 1.0, size, shares, one)
    model.addRow(1.0, 1.0, size, shares, one)
    model.addRow(0.0, float(size), size, used, one)
    for column in range(size):
        pair = np.array([column, size + column], dtype=np.int32)
        model.addRow(-highspy.kHighsInf, 0.0, 2, pair, np.array([1.0, -1.0]))

    def solve(programme: Programme) -> float:
        model.changeColsCost(size, shares, -programme.score)
        model.changeRowBounds(2, 0.0, float(programme.slots))
        caps, costs = programme.throughput.tolist(), programme.cost.tolist()
        for column in range(size):
            model.changeCoeff(0, column, costs[column])
            model.changeCoeff(3 + column, size + column, -caps[column])
        model.run()
        return -float(model.getObjectiveValue())

    return solve


def warm_gurobi(size: int, *, deploy: bool) -> Solve:
    """A function that solves RouteOPT, or DeployOPT, for ``size`` models by one Gurobi model."""
    gurobi: Any = importlib.import_module("gurobipy")
    environment = gurobi.Env(empty=True)
    environment.setParam("OutputFlag", 0)
    environment.start()
    model = gurobi.Model(env=environment)
    model.Params.Threads = 1
    model.ModelSense = gurobi.GRB.MAXIMIZE
    shares = list(model.addVars(size).values())
    spend = model.addConstr(gurobi.quicksum(shares) <= 1.0)
    model.addConstr(gurobi.quicksum(shares) == 1.0)
    used: list[Any] = []
    if deploy:
        model.Params.MIPGap = 0.0
        used = list(model.addVars(size, vtype=gurobi.GRB.BINARY).values())
        count = model.addConstr(gurobi.quicksum(used) <= size)
        limits = [model.addConstr(p <= z) for p, z in zip(shares, used, strict=True)]
    else:
        model.Params.Presolve = 0  # faster on a model this small
    model.update()

    def solve(programme: Programme) -> float:
        model.setAttr("Obj", shares, programme.score.tolist())
        for share, cost in zip(shares, programme.cost.tolist(), strict=True):
            model.chgCoeff(spend, share, cost)
        if deploy:
            count.RHS = programme.slots
            for limit, z, cap in zip(limits, used, programme.throughput.tolist(), strict=True):
                model.chgCoeff(limit, z, -cap)
        else:
            model.setAttr("UB", shares, programme.throughput.tolist())
        model.optimize()
        return float(model.ObjVal)

    return solve
