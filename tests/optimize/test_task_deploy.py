"""DeployOPT by task against HiGHS's mixed-integer programme and against trying every set."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from rational_tasks import best_by_task
from task_programme import by_highs

from stageroute_gym.errors import FieldError
from stageroute_gym.optimize import deploy_by_task, deploy_mip
from stageroute_gym.optimize.set_cuts import best_set


def value_by_highs(*case):
    """Value of the programme; None if infeasible."""
    solved = by_highs(*case)
    return None if solved is None else solved[0]


def random_case(rng):
    groups, models = rng.integers(1, 8), rng.integers(1, 9)
    score = rng.random((groups, models)).round(2)
    cost = rng.random((groups, models)) * 10 ** rng.uniform(-5, 0)
    weight = rng.dirichlet(np.ones(groups))
    caps = rng.uniform(0.1, 1, models) if rng.random() < 0.5 else np.full(models, 0.5)
    budget = float(np.quantile(weight @ cost, rng.uniform(0, 1)))
    return weight, score, cost, budget, caps, int(rng.integers(1, models + 1))


@pytest.mark.parametrize("decline", [False, True])
def test_equals_highs_on_random_cases(decline):
    rng = np.random.default_rng(5)
    infeasible = 0
    for _ in range(150):
        case = random_case(rng)
        plan, reference = deploy_by_task(*case, decline=decline), value_by_highs(*case, decline)
        assert (plan is None) == (reference is None)
        if plan is None:
            infeasible += 1
            continue
        weight, score, cost, budget, caps, slots = case
        mass = weight[:, None] * plan.shares
        assert plan.value == pytest.approx(reference, abs=1e-7)
        assert plan.value == pytest.approx((mass * score).sum(), abs=1e-12)
        assert plan.cost == pytest.approx((mass * cost).sum(), rel=1e-9)
        assert plan.cost <= budget * (1 + 1e-6)
        assert (mass.sum(axis=0) <= caps + 1e-6).all()
        assert len(plan.models) <= slots
        if not decline:
            assert plan.shares.sum(axis=1) == pytest.approx(1.0, abs=1e-6)
    assert decline or 10 < infeasible < 140


def case_of_any_scale(rng):
    """Scores from 1e-6 to 1, costs from 1e-12 to 1e4 and 0, budgets around what all cost."""
    groups, models = int(rng.integers(1, 4)), int(rng.integers(1, 5))
    scores = (
        rng.random((groups, models)) * 10 ** rng.uniform(-6, 0),
        10 ** rng.uniform(-6, 0, (groups, models)),
        rng.random((groups, models)).round(1),
    )
    costs = (
        10 ** rng.uniform(-12, 4, (groups, models)),
        rng.random((groups, models)) * 10 ** rng.uniform(-12, 4, models),
        rng.random((groups, models)) * 10 ** rng.uniform(-12, 4),
    )
    score, cost = scores[rng.integers(3)], costs[rng.integers(3)]
    if rng.random() < 0.2:
        cost[:, rng.integers(models)] = 0.0
    weight = 10 ** rng.uniform(-6 if rng.random() < 0.2 else -1, 0, groups)
    caps = rng.uniform(0.05, 1, models) if rng.random() < 0.7 else np.ones(models)
    mean = (weight[:, None] * cost).sum(axis=0) / weight.sum() + 1e-13
    decades = rng.uniform(np.log10(mean.min()) - 1, np.log10(mean.max()) + 0.5)
    budget = float(10**decades) if rng.random() < 0.9 else np.inf
    return weight, score, cost, budget, caps, int(rng.integers(1, models + 1))


@pytest.mark.parametrize("decline", [False, True])
def test_equals_every_set_in_exact_numbers_at_any_scale(decline):
    rng = np.random.default_rng(6)
    infeasible = 0
    for _ in range(300):
        case = case_of_any_scale(rng)
        plan, best = deploy_by_task(*case, decline=decline), best_by_task(*case, decline)
        assert (plan is None) == (best is None)
        if plan is None:
            infeasible += 1
            continue
        weight, score, cost, budget, caps, slots = case
        mass = (weight / weight.sum())[:, None] * plan.shares
        assert plan.value == pytest.approx(float(best), rel=1e-11, abs=0)
        assert plan.value == pytest.approx((mass * score).sum(), rel=1e-13, abs=0)
        assert (mass * cost).sum() <= budget * (1 + 1e-11)
        assert (mass.sum(axis=0) <= caps * (1 + 1e-11)).all()
        assert len(plan.models) <= slots
    assert infeasible == 0 if decline else infeasible > 50


def test_the_set_is_that_of_highs_with_many_models():
    rng = np.random.default_rng(0)
    quality = rng.normal(0, 1, 20)
    score = 1 / (1 + np.exp(-(quality + rng.normal(0, 0.7, (30, 20)))))
    cost = np.exp(0.8 * quality + rng.normal(0, 0.5, 20) + rng.normal(0, 0.3, (30, 20)) - 7)
    weight = rng.dirichlet(np.ones(30))
    budget = float(np.quantile(weight @ cost, 0.4))
    for cap, slots in ((0.4, 5), (1.0, 3), (0.2, 8)):
        caps = np.full(20, cap)
        plan = deploy_by_task(weight, score, cost, budget, caps, slots)
        assert plan is not None
        assert plan.value == pytest.approx(
            value_by_highs(weight, score, cost, budget, caps, slots), abs=1e-9
        )
        # Without one of its models the same programme is worth less: no other set is as good.
        for model in plan.models:
            without = caps.copy()
            without[model] = 0.0
            other = value_by_highs(weight, score, cost, budget, without, slots)
            assert other is None or other < plan.value


def test_one_group_is_deploy_mip():
    rng = np.random.default_rng(2)
    for _ in range(100):
        score, cost = rng.random((1, 7)), rng.random((1, 7)) * 1e-3
        budget = float(np.quantile(cost, 0.5))
        plan = deploy_by_task([1.0], score, cost, budget, 0.4, 3)
        known = deploy_mip(score[0], cost[0], budget, 0.4, 3)
        assert (plan is not None) == known.feasible
        if plan is not None:
            assert plan.value == pytest.approx(known.value, abs=1e-8)
            assert plan.shares[0] == pytest.approx(known.weights, abs=1e-6)


def test_a_cell_that_is_not_allowed_is_not_read():
    score, cost = np.array([[0.9, 0.5], [np.nan, 0.5]]), np.array([[1.0, 1.0], [np.nan, 1.0]])
    allowed = np.array([[True, True], [False, True]])
    plan = deploy_by_task([1, 1], score, cost, 2.0, 1.0, 2, allowed=allowed)
    assert plan is not None
    assert plan.shares.tolist() == [[1.0, 0.0], [0.0, 1.0]]
    # With one slot only the second model serves both tasks.
    single = deploy_by_task([1, 1], score, cost, 2.0, 1.0, 1, allowed=allowed)
    assert single is not None
    assert single.models.tolist() == [1]


def test_of_equal_scores_the_cheapest_is_taken_where_money_is_no_object():
    plan = deploy_by_task([1.0], [[0.5, 0.5, 0.4]], [[2.0, 1.0, 0.1]], np.inf, 1.0, 2)
    assert plan is not None
    assert plan.models.tolist() == [1]
    assert plan.cost == pytest.approx(1.0)


def test_scales_of_score_and_cost_change_nothing():
    rng = np.random.default_rng(3)
    weight, score, cost, budget, caps, slots = random_case(rng)
    plan = deploy_by_task(weight, score, cost, budget, caps, slots, decline=True)
    scaled = deploy_by_task(
        weight * 7, score * 1e-6, cost * 1e-9, budget * 1e-9, caps, slots, decline=True
    )
    assert plan is not None
    assert scaled is not None
    assert scaled.shares == pytest.approx(plan.shares, abs=1e-9)
    assert scaled.price == pytest.approx(plan.price * 1e3, rel=1e-6)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"weight": [0.0, 0.0]}, "weight"),
        ({"weight": [1.0]}, "weight.shape"),
        ({"score": [[np.nan, 1], [1, 1]]}, "score"),
        ({"cost": [[-1, 1], [1, 1]]}, "cost"),
        ({"cost": [[1, 1]]}, "cost.shape"),
        ({"budget": 0.0}, "budget"),
        ({"throughput": 1.5}, "throughput"),
        ({"max_deployed": 0}, "max_deployed"),
        ({"allowed": np.ones((1, 2), bool)}, "allowed.shape"),
    ],
)
def test_bad_numbers_are_refused(change, field):
    given = {
        "weight": [1.0, 1.0],
        "score": [[1.0, 1], [1, 1]],
        "cost": [[1.0, 1], [1, 1]],
        "budget": 1.0,
        "throughput": 1.0,
        "max_deployed": 1,
        **change,
    }
    with pytest.raises(FieldError) as refused:
        deploy_by_task(**given)
    assert refused.value.field == field


def test_the_set_with_the_largest_bound_is_found():
    rng = np.random.default_rng(4)
    for _ in range(200):
        cuts, groups, models = rng.integers(1, 4), rng.integers(1, 6), rng.integers(1, 8)
        slots = int(rng.integers(1, models + 1))
        values, rents = rng.normal(size=(cuts, groups, models)), rng.random((cuts, models))
        values[rng.random(values.shape) < 0.1] = -np.inf
        constants, idle = rng.normal(size=cuts), rng.normal(size=(cuts, groups))

        def bound(chosen, values=values, rents=rents, constants=constants, idle=idle):
            covered = np.maximum(values[:, :, list(chosen)].max(axis=2), idle)
            return (constants + rents[:, list(chosen)].sum(axis=1) + covered.sum(axis=1)).min()

        sets = sorted(itertools.combinations(range(models), slots), key=bound, reverse=True)
        excluded = np.zeros((0, models), dtype=bool)
        for expected in sets[:2]:
            best, found = bound(expected), np.full(slots, -1)
            cut = values, rents, constants, idle, excluded
            assert best_set(*cut, best - 1e-6, found) == pytest.approx(best, abs=1e-9)
            assert bound(found) == pytest.approx(best, abs=1e-9)
            assert best_set(*cut, best + 1e-6, found) == best + 1e-6
            excluded = np.isin(np.arange(models), found)[None]
