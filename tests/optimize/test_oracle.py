"""The stage oracle against DeployOPT."""

import math

import numpy as np
import pytest

from stageroute_gym.errors import FieldError
from stageroute_gym.optimize import deploy_mip, stage_oracle


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
        assert (values[k], feasible[k]) == (plan.value, plan.feasible)
        assert (weights[k] == plan.weights).all()
    assert (weights[5] == weights[2]).all()


def test_infeasible_stages_are_reported():
    values, _, feasible = stage_oracle(
        [[0.9], [0.9]], [[1.0], [3.0]], [[True], [True]], 2.0, 1.0, 1
    )
    assert values.tolist() == [0.9, 0.9]
    assert feasible.tolist() == [True, False]


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
