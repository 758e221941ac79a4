"""RouteOPT against HiGHS, by hand, and its batches against its rows."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stageroute_gym.errors import FieldError
from stageroute_gym.optimize import route_lp
from stageroute_gym.optimize.route import route_kernel

from .cases import assert_mixture, draw, highs_route


def dual_value(case, price, mass):
    """The bound that weak duality gives at a price."""
    worth = case.score - price * case.cost
    left, bound = mass, price * case.budget
    for i in np.argsort(-worth):
        share = min(left, case.throughput[i])
        bound += worth[i] * share
        left -= share
    return bound


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_equals_highs(seed):
    rng = np.random.default_rng(seed)
    infeasible = 0
    for kind in range(700):
        case = draw(rng, int(rng.integers(1, 14)), kind)
        usd = 10.0 ** -rng.integers(0, 7)
        mass = min(1.0, case.throughput.sum())
        plan = route_lp(case.score, case.cost * usd, case.budget * usd, case.throughput)
        assert_mixture(case, plan.probabilities, mass, plan.feasible)
        reference = highs_route(case, mass)
        assert plan.feasible == (reference.status == 0)
        if plan.feasible:
            assert plan.value == pytest.approx(-reference.fun, rel=1e-9, abs=1e-9)
            assert dual_value(case, plan.price * usd, mass) == pytest.approx(plan.value, abs=1e-9)
            between = (plan.probabilities > 0) & (plan.probabilities < case.throughput)
            assert between.sum() <= 2
        else:
            infeasible += 1
            cheapest = highs_route(case._replace(score=-case.cost, budget=1e9), mass)
            assert plan.probabilities @ case.cost == pytest.approx(cheapest.fun, abs=1e-9)
            assert plan.price == math.inf
    assert infeasible > 20


@given(st.integers(0, 2**32 - 1), st.integers(30, 200))
@settings(max_examples=40, deadline=None)
def test_long_rows_equal_highs(seed, size):
    rng = np.random.default_rng(seed)
    case = draw(rng, size, seed)
    mass = min(1.0, case.throughput.sum())
    plan = route_lp(*case)
    reference = highs_route(case, mass)
    assert plan.feasible == (reference.status == 0)
    assert_mixture(case, plan.probabilities, mass, plan.feasible)
    if plan.feasible:
        assert plan.value == pytest.approx(-reference.fun, rel=1e-9, abs=1e-9)


def test_by_hand_the_budget_mixes_two_models():
    # 0.9 at 4 USD and 0.5 at 1 USD under 2 USD: a third of the dear one.
    plan = route_lp([0.9, 0.5], [4.0, 1.0], 2.0, 1.0)
    np.testing.assert_allclose(plan.probabilities, [1 / 3, 2 / 3], rtol=1e-12)
    assert plan.value == pytest.approx(1.9 / 3)
    assert plan.price == pytest.approx(0.4 / 3)
    assert plan.feasible is True


def test_by_hand_a_loose_budget_has_no_price():
    plan = route_lp([0.9, 0.5, 0.7], [4.0, 1.0, 1.0], 9.0, 0.5)
    assert plan.probabilities.tolist() == [0.5, 0.0, 0.5]
    assert plan.price == 0.0


def test_by_hand_ties():
    # Equal scores: the cheaper; equal costs: the better.
    assert route_lp([0.5, 0.5], [2.0, 1.0], 9.0, 1.0).probabilities.tolist() == [0.0, 1.0]
    assert route_lp([0.5, 0.6], [2.0, 2.0], 1.0, 1.0).probabilities.tolist() == [0.0, 1.0]


def test_by_hand_budget_on_a_vertex():
    plan = route_lp([0.9, 0.5], [4e-5, 1e-5], 4e-5, 1.0)
    assert plan.probabilities.tolist() == [1.0, 0.0]
    plan = route_lp([0.9, 0.5], [4e-5, 1e-5], 1e-5, 1.0)
    assert plan.feasible
    assert plan.probabilities.tolist() == [0.0, 1.0]


def test_by_hand_caps_below_one_are_filled():
    plan = route_lp([0.9, 0.5], [1.0, 1.0], 2.0, 0.3)
    assert plan.probabilities.tolist() == [0.3, 0.3]
    assert plan.feasible


@pytest.mark.parametrize("count", range(1, 25))
def test_caps_that_add_up_to_one_use_no_further_model(count):
    size = count + 2
    plan = route_lp(np.linspace(1.0, 0.5, size), np.ones(size), 2.0, 1 / count)
    assert np.count_nonzero(plan.probabilities) == count


def test_zero_costs_and_one_model():
    assert route_lp([0.4], [0.0], 1e-9, 1.0).value == 0.4
    plan = route_lp([0.4, 1.0], [0.0, 1.0], 0.25, 1.0)
    np.testing.assert_allclose(plan.probabilities, [0.75, 0.25], rtol=1e-12)


def test_no_usable_model():
    plan = route_lp([0.4, math.nan], [1.0, 1.0], 1.0, 0.0)
    assert plan.probabilities.tolist() == [0.0, 0.0]
    assert (plan.value, plan.price, plan.feasible) == (0.0, 0.0, True)


def test_batch_equals_rows_to_the_bit():
    rng = np.random.default_rng(5)
    score, cost = rng.random((300, 11)), rng.random((300, 11)) * 1e-3
    caps = np.where(rng.random((300, 11)) < 0.5, rng.random((300, 11)), 0.0)
    budget = rng.random(300) * 1e-3 + 1e-6
    batch = route_lp(score, cost, budget, caps)
    out = np.empty(11)
    for e in range(300):
        row = route_lp(score[e], cost[e], budget[e], caps[e])
        assert (batch.probabilities[e] == row.probabilities).all()
        assert (batch.value[e], batch.price[e], batch.feasible[e]) == row[1:]
        used = caps[e] > 0
        short = route_lp(score[e, used], cost[e, used], budget[e], caps[e, used])
        assert (short.probabilities == row.probabilities[used]).all()
        assert route_kernel(score[e], cost[e], budget[e], caps[e], out) == row[1:]


def test_arguments_of_every_kind_give_the_same_plan():
    score, cost = np.array([[0.9, 0.5, 0.1]] * 2), np.array([[4.0, 1.0, 2.0]] * 2)
    score.flags.writeable = False
    one = route_lp(score[0], cost[0], 2, 0.5)
    for throughput in (0.5, [0.5] * 3, np.full((2, 3), 0.5), np.float32(0.5)):
        for budget in (2, [2.0, 2.0]):
            plan = route_lp(score, np.asfortranarray(cost), budget, throughput)
            assert (plan.probabilities == one.probabilities).all()


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (([0.1, 0.2], [1.0], 1.0, 1.0), "cost.shape"),
        ((0.1, 1.0, 1.0, 1.0), "score.shape"),
        (([[[0.1]]], [[[1.0]]], 1.0, 1.0), "score.shape"),
        (([0.1], [1.0], 1.0, [1.0, 1.0]), "throughput.shape"),
        (([0.1], [1.0], 1.0, [[1.0], [1.0]]), "throughput.shape"),
        (([0.1], [1.0], [1.0], 1.0), "budget.shape"),
        (([[0.1]], [[1.0]], [1.0, 1.0], 1.0), "budget.shape"),
        (([math.nan], [1.0], 1.0, 1.0), "score"),
        (([0.1], [math.nan], 1.0, 1.0), "cost"),
        (([0.1], [-1.0], 1.0, 1.0), "cost"),
        (([[0.1]], [[math.inf]], 1.0, 1.0), "cost"),
        (([0.1], [1.0], 0.0, 1.0), "budget"),
        (([0.1], [1.0], math.nan, 1.0), "budget"),
        (([[0.1]], [[1.0]], -1.0, 1.0), "budget"),
        (([0.1], [1.0], 1.0, 1.1), "throughput"),
        (([0.1], [1.0], 1.0, [math.nan]), "throughput"),
    ],
)
def test_bad_arguments_are_refused(arguments, field):
    with pytest.raises(FieldError) as caught:
        route_lp(*arguments)
    assert caught.value.field == field
