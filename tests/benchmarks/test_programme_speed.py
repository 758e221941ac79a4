from __future__ import annotations

import pytest
from ratios import assert_faster

from stageroute_gym.benchmark import programmes as p
from stageroute_gym.benchmark import solvers
from stageroute_gym.optimize import deploy_mip, route_lp

pytestmark = [pytest.mark.benchmark, pytest.mark.xdist_group("benchmark")]

needs_gurobi = pytest.mark.skipif(
    not solvers.installed("gurobipy"), reason="gurobipy, which is compared with, is not installed"
)


@pytest.mark.parametrize("size", p.ROUTE_SIZES)
def test_route_lp_is_200_times_faster_than_linprog(size):
    cases = p.random_programmes(size, slots=size)
    slow = p.solver_task(solvers.scipy_route, cases)
    assert_faster(p.route_task(cases), slow, 200, f"route_lp, {size} models, against linprog")


@needs_gurobi
@pytest.mark.parametrize("size", p.ROUTE_SIZES)
def test_route_lp_is_5_times_faster_than_warm_gurobi(size):
    cases = p.random_programmes(size, slots=size)
    slow = p.solver_task(solvers.warm_gurobi(size, deploy=False), cases)
    assert_faster(p.route_task(cases), slow, 5, f"route_lp, {size} models, against Gurobi")


@needs_gurobi
@pytest.mark.parametrize("scarce", [False, True])
@pytest.mark.parametrize("size", p.DEPLOY_SIZES)
def test_deploy_mip_is_no_slower_than_warm_gurobi(size, scarce):
    cases = p.random_programmes(size, scarce=scarce)
    slow = p.solver_task(solvers.warm_gurobi(size, deploy=True), cases)
    what = f"deploy_mip, {size} models{', scarce slots' if scarce else ''}, against Gurobi"
    assert_faster(p.deploy_task(cases), slow, 1, what, rounds=3)


def _route_solvers(size):
    yield solvers.scipy_route
    if solvers.installed("highspy"):
        yield solvers.warm_highs_route(size)
    if solvers.installed("gurobipy"):
        yield solvers.warm_gurobi(size, deploy=False)


def _deploy_solvers(size):
    yield solvers.scipy_deploy
    if solvers.installed("highspy"):
        yield solvers.warm_highs_deploy(size)
    if solvers.installed("gurobipy"):
        yield solvers.warm_gurobi(size, deploy=True)


@pytest.mark.parametrize("size", p.ROUTE_SIZES)
def test_all_solve_the_same_routing_programmes(size):
    for solve in _route_solvers(size):
        for case in p.random_programmes(size, slots=size):
            plan = route_lp(case.score, case.cost, 1.0, case.throughput)
            assert plan.feasible
            assert plan.price > 0  # the budget binds
            assert solve(case) == pytest.approx(plan.value, abs=1e-6)


@pytest.mark.parametrize("scarce", [False, True])
@pytest.mark.parametrize("size", [11, 100])
def test_all_solve_the_same_deployment_programmes(size, scarce):
    for solve in _deploy_solvers(size):
        for case in p.random_programmes(size, scarce=scarce)[:4]:
            plan = deploy_mip(case.score, case.cost, 1.0, case.throughput, case.slots)
            assert plan.feasible
            assert solve(case) == pytest.approx(plan.value, abs=1e-6)
