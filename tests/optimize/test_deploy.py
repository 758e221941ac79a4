"""DeployOPT against HiGHS, by hand, and its batches against its rows."""

import math

import numpy as np
import pytest
from rational import best_full_mixture

from stageroute_gym.errors import FieldError
from stageroute_gym.optimize import deploy, deploy_mip, route_lp
from stageroute_gym.optimize.deploy import deploy_rows

from .cases import Case, assert_mixture, draw, highs_deploy


def reachable(caps, slots):
    return min(1.0, np.sort(caps)[::-1][:slots].sum())


def assert_equals_highs(case, slots):
    """Assert that the plan is exact; returns whether it is feasible and the relaxation was not."""
    plan = deploy_mip(*case, slots)
    mass = reachable(case.throughput, slots)
    assert_mixture(case, plan.weights, mass, plan.feasible)
    assert len(plan.models) <= slots
    assert plan.models.tolist() == np.flatnonzero(plan.weights).tolist()
    reference = highs_deploy(case, mass, slots)
    assert plan.feasible == (reference.status == 0)
    if plan.feasible:
        # HiGHS may overspend by its own tolerance, so its set is routed over once more.
        used = reference.x[: case.score.size] > 1e-7
        again = route_lp(case.score[used], case.cost[used], case.budget, case.throughput[used])
        exact = again.value if again.feasible and used.sum() <= slots else -reference.fun
        assert plan.value == pytest.approx(exact, rel=1e-9, abs=1e-9)
        over_set = route_lp(
            case.score, case.cost, case.budget, np.where(plan.weights > 0, case.throughput, 0.0)
        )
        assert plan.value == pytest.approx(over_set.value, rel=1e-12)
    else:
        cheapest = highs_deploy(case._replace(score=-case.cost, budget=math.inf), mass, slots)
        assert plan.weights @ case.cost == pytest.approx(cheapest.fun, rel=1e-9, abs=1e-9)
        assert plan.price == math.inf
    return plan.feasible


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_equals_highs(seed):
    rng = np.random.default_rng(seed)
    feasible = []
    for kind in range(350):
        case = draw(rng, int(rng.integers(1, 16)), kind)
        feasible.append(assert_equals_highs(case, int(rng.integers(1, 8))))
    assert 20 < sum(feasible) < 330


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "slots", "cap"),
    [
        (30, 5, 0.2),
        (40, 4, 0.3),
        (100, 16, 1 / 16),
        (100, 13, 0.08),
        (200, 16, 0.08),
        (60, 5, None),
    ],
)
def test_binding_sets_equal_highs(size, slots, cap):
    rng = np.random.default_rng(size + slots)
    for kind in range(4):
        cost = np.exp(rng.normal(size=size))
        noise = rng.normal(size=size)
        score = rng.random(size) if kind % 2 else 0.5 + 0.12 * np.log(cost) + 0.1 * noise
        caps = rng.uniform(0.03, 0.5, size) if cap is None else np.full(size, cap)
        budget = float(np.quantile(cost, 0.3 + 0.1 * kind))
        assert_equals_highs(Case(score.clip(0, 1), cost, budget, caps), slots)


def test_by_hand_the_set_is_not_that_of_the_relaxation():
    # Half each: the relaxation takes all of 0, half of 1 and of 2, three models for two slots.
    plan = deploy_mip([1.0, 0.8, 0.1, 0.5], [1.0, 3.0, 1.0, 1.5], 1.5, 0.5, 2)
    assert plan.models.tolist() == [0, 3]
    assert plan.weights.tolist() == [0.5, 0.0, 0.0, 0.5]
    assert plan.value == 0.75
    assert plan.feasible is True


def test_by_hand_infeasible_takes_the_cheapest_mixture():
    plan = deploy_mip([0.1, 0.9, 0.5], [3.0, 5.0, 4.0], 1.0, 0.6, 2)
    np.testing.assert_allclose(plan.weights, [0.6, 0.0, 0.4], rtol=1e-12)
    assert plan.feasible is False
    assert plan.price == math.inf


def test_by_hand_infeasible_only_because_of_the_slots():
    # Cheap models are too small: four of them would do, two slots do not.
    cost, caps = [1.0, 1.0, 1.0, 1.0, 9.0], [0.25, 0.25, 0.25, 0.25, 1.0]
    plan = deploy_mip([0.5] * 5, cost, 2.0, caps, 2)
    assert plan.feasible is False
    assert len(plan.models) == 2
    assert plan.weights @ np.array(cost) == pytest.approx(7.0)


def test_first_call_of_stageroute_has_only_ties():
    for size, slots, cap in ((11, 5, 0.4), (100, 16, 1 / 16), (900, 16, 0.08), (900, 3, 1 / 3)):
        plan = deploy_mip(np.ones(size), np.full(size, 1e-6), 1e-4, cap, slots)
        assert plan.value == pytest.approx(1.0, abs=1e-12)
        assert plan.price == 0.0
        assert len(plan.models) == math.ceil(1 / cap - 1e-9)


def test_no_available_model_and_throughput_zero():
    plan = deploy_mip([1.0, math.nan], [1.0, 1.0], 1.0, 0.0, 3)
    assert (plan.value, plan.price, plan.feasible) == (0.0, 0.0, True)
    assert plan.models.size == 0
    plan = deploy_mip([1.0, 0.5], [1.0, 1.0], 1.0, [0.0, 1.0], 3)
    assert plan.models.tolist() == [1]
    assert plan.models.dtype == np.int64


def test_mass_is_what_the_largest_caps_reach():
    plan = deploy_mip([0.9, 0.5, 0.4], [1.0, 1.0, 1.0], 2.0, [0.1, 0.4, 0.3], 2)
    np.testing.assert_allclose(plan.weights, [0.0, 0.4, 0.3], rtol=1e-12)


def test_batch_equals_rows_to_the_bit():
    rng = np.random.default_rng(3)
    score, cost = rng.random((100, 20)), rng.random((100, 20)) * 1e-3
    caps = np.where(rng.random((100, 20)) < 0.7, rng.uniform(0.1, 0.4, (100, 20)), 0.0)
    budget = rng.random(100) * 1e-3 + 1e-6
    weights, value, price, feasible = deploy_rows(score, cost, budget, caps, 4)
    for e in range(100):
        row = deploy_mip(score[e], cost[e], budget[e], caps[e], 4)
        assert (weights[e] == row.weights).all()
        assert (value[e], price[e], feasible[e]) == row[2:]


def test_equal_rows_are_searched_once(monkeypatch):
    searched = []
    search = deploy._searched_row
    monkeypatch.setattr(deploy, "_searched_row", lambda *row: searched.append(row) or search(*row))
    rng = np.random.default_rng(4)
    # Two slots that must both be filled to their caps: the relaxation mixes three models.
    score, cost = (np.tile(rng.random((2, 20)), (8, 1)) for _ in range(2))
    caps, budget = np.full((16, 20), 0.5), np.full(16, 0.3)
    weights, value, _, _ = deploy_rows(score, cost, budget, caps, 2)
    assert 1 <= len(searched) <= 2
    assert (weights == np.tile(weights[:2], (8, 1))).all()
    assert (value == np.tile(value[:2], 8)).all()
    assert weights.sum(axis=1) == pytest.approx(1.0)
    assert ((weights > 0).sum(axis=1) == 2).all()


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (([0.1, 0.2], [1.0], 1.0, 1.0, 1), "cost.shape"),
        (([[0.1]], [[1.0]], 1.0, 1.0, 1), "score.shape"),
        (([0.1], [1.0], 0.0, 1.0, 1), "budget"),
        (([0.1], [1.0], 1.0, 1.0, 0), "max_deployed"),
        (([0.1], [1.0], 1.0, 1.0, 1.5), "max_deployed"),
        (([math.inf], [1.0], 1.0, 1.0, 1), "score"),
        (([0.1], [1.0], 1.0, -0.5, 1), "throughput"),
    ],
)
def test_bad_arguments_are_refused(arguments, field):
    with pytest.raises(FieldError) as caught:
        deploy_mip(*arguments)
    assert caught.value.field == field


def test_a_share_however_small_of_a_model_far_dearer_counts():
    # With shares of 1e-12 of all queries a model may earn as much as all the others.
    rng = np.random.default_rng(0)
    for _ in range(1000):
        models = int(rng.integers(2, 6))
        score, cost = 10 ** rng.uniform(-6, 0, models), rng.random(models) * 1e-9
        dear = rng.integers(models)
        score[dear], cost[dear] = 1.0, cost.max() * 10 ** rng.uniform(3, 14)
        caps = rng.uniform(0.2, 1, models) if rng.random() < 0.7 else np.ones(models)
        budget = float(cost.min() * 10 ** rng.uniform(0, 1))
        for slots in (models, int(rng.integers(1, models + 1))):
            plan = deploy_mip(score, cost, budget, caps, slots)
            best = best_full_mixture(score, cost, caps, budget, slots)
            assert plan.feasible == (best is not None)
            if best is not None:
                assert plan.value == pytest.approx(best, rel=1e-10, abs=0)
