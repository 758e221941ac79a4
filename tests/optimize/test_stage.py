"""The stage oracle against DeployOPT."""

import math

import numpy as np
import pytest
from rational import best_full_mixture, best_value

from stageroute_gym.errors import FieldError
from stageroute_gym.optimize import deploy_mip, horizon_oracle, stage_oracle


def test_each_stage_is_a_deployment():
    rng = np.random.default_rng(0)
    score, cost = rng.random((12, 7)), rng.random((12, 7))
    score[5], cost[5] = score[2], cost[2]
    available = rng.random((12, 7)) < 0.7
    available[5] = available[2]
    available[0] = False
    score[~available] = math.nan
    caps = rng.uniform(0.1, 0.6, 7)
    values, weights, feasible = stage_oracle(score, cost, available, 0.4, caps, 3)
    assert (values[0], weights[0].sum(), feasible[0]) == (0.0, 0.0, True)
    for k in range(1, 12):
        plan = deploy_mip(score[k], cost[k], 0.4, np.where(available[k], caps, 0.0), 3)
        assert feasible[k] == plan.feasible
        if plan.feasible:
            assert values[k] == plan.value
            assert (weights[k] == plan.weights).all()
    assert (weights[5] == weights[2]).all()


def test_a_stage_that_cannot_be_served_is_served_in_part():
    values, weights, feasible = stage_oracle(
        [[0.9], [0.9]], [[1.0], [3.0]], [[True], [True]], 2.0, 1.0, 1
    )
    # 2 USD a query buy two thirds of a model for 3 USD.
    np.testing.assert_allclose(values, [0.9, 0.6])
    np.testing.assert_allclose(weights, [[1.0], [2 / 3]])
    assert feasible.tolist() == [True, False]


def test_never_overspends_nor_earns_more_than_the_horizon_oracle():
    for seed in range(150):
        rng = np.random.default_rng(seed)
        shape = int(rng.integers(1, 5)), int(rng.integers(1, 5))
        far = rng.random() < 0.5
        score = 10 ** rng.uniform(-6, 0, shape) if far else rng.random(shape)
        cost = 10 ** rng.uniform(-12, 4, shape) if far else rng.random(shape)
        budget = float(10 ** rng.uniform(np.log10(cost.min()) - 1, np.log10(cost.max()) + 1))
        caps, slots = rng.uniform(0.05, 1, shape[1]), int(rng.integers(1, 4))
        available = rng.random(shape) < 0.85
        stage = stage_oracle(score, cost, available, budget, caps, slots)
        lengths = rng.integers(1, 50, shape[0]).astype(float)
        horizon = horizon_oracle(score, cost, available, lengths, budget, caps, slots)
        assert ((stage.weights * cost).sum(axis=1) <= budget * (1 + 1e-11)).all()
        assert (stage.values * lengths).sum() <= horizon.value * (1 + 1e-11)
        for k in range(shape[0]):
            alone = score[k : k + 1], cost[k : k + 1], available[k : k + 1], [1.0]
            best = best_value(*alone, budget, caps, slots)
            if not stage.feasible[k]:
                assert stage.values[k] == pytest.approx(best, rel=1e-10, abs=0.0)
            assert stage.values[k] <= best * (1 + 1e-11)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (([0.1], [1.0], [True], 1.0, 1.0, 1), "available.shape"),
        (([0.1], [[1.0]], [[True]], 1.0, 1.0, 1), "mean_score.shape"),
        (([[0.1]], [[-1.0]], [[True]], 1.0, 1.0, 1), "mean_cost"),
        (([[-0.1]], [[1.0]], [[True]], 1.0, 1.0, 1), "mean_score"),
        (([[0.1]], [[1.0]], [[True]], 0.0, 1.0, 1), "budget"),
        (([[0.1]], [[1.0]], [[True]], 1.0, 2.0, 1), "throughput"),
        (([[0.1]], [[1.0]], [[True]], 1.0, 1.0, 0), "max_deployed"),
    ],
)
def test_bad_arguments_are_refused(arguments, field):
    with pytest.raises(FieldError) as caught:
        stage_oracle(*arguments)
    assert caught.value.field == field


def test_affordable_stages_equal_brute_force_at_every_scale():
    affordable = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        models, slots = int(rng.integers(1, 5)), int(rng.integers(1, 4))
        score, cost = rng.random(models), rng.random(models)
        if seed % 3 == 0:
            score, cost = 10 ** rng.uniform(-6, 0, models), 10 ** rng.uniform(-12, 4, models)
        elif seed % 3 == 1:
            cost[0] *= 1e6
        caps = rng.uniform(0.03, 1, models)
        budget = float(10 ** rng.uniform(np.log10(cost.min()) - 1, np.log10(cost.max()) + 1))
        plan = stage_oracle([score], [cost], np.ones((1, models), bool), budget, caps, slots)
        best = best_full_mixture(score, cost, caps, budget, slots)
        assert plan.feasible[0] == (best is not None)
        if best is not None:
            affordable += 1
            assert plan.values[0] == pytest.approx(best, rel=1e-10, abs=0.0)
    assert affordable > 150
