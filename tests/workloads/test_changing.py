from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from stageroute_gym.errors import FieldError
from stageroute_gym.problem import Problem
from stageroute_gym.workloads import (
    Changing,
    Drift,
    Figures,
    Newcomers,
    Outage,
    PriceChange,
    Regression,
)
from stageroute_gym.workloads.changing import option_names, parts, replace_options

GPT4 = "gpt-4-1106-preview"
BASE = Figures(num_queries=200, initial_models=11)
PROBLEM = Problem(horizon=100, num_stages=4, max_deployed=2, budget=1.0)


def test_no_change_is_the_base():
    (same, schedule), (table, expected) = (
        workload.build(PROBLEM) for workload in (Changing(base=BASE, changes=()), BASE)
    )
    np.testing.assert_array_equal(same.score, table.score)
    np.testing.assert_array_equal(schedule.mixes, expected.mixes)
    np.testing.assert_array_equal(schedule.available, expected.available)


def test_changes_compose():
    workload = Changing(
        base=BASE,
        changes=(
            Regression(model=GPT4, like="claude-v1"),
            Newcomers(number=2, start=0.5),
            Drift(shape="steps"),
            Outage(model="newcomer-2", start=0.75),
            PriceChange(model="newcomer-1", factor=2.0, start=0.75),
        ),
    )
    table, schedule = workload.build(PROBLEM)
    assert table.score.shape == (400, 13)
    gpt4, claude = table.models.index(GPT4), table.models.index("claude-v1")
    means = (schedule.mixes @ table.score)[schedule.stage_mix]
    assert (means[:2, gpt4] != means[:2, claude]).all()
    np.testing.assert_allclose(means[2:, gpt4], means[2:, claude])
    assert schedule.available[:, 11].tolist() == [False, False, True, True]
    assert schedule.available[:, 12].tolist() == [False, False, True, False]
    assert schedule.cost_multiplier[:, 11].tolist() == [1, 1, 1, 2]
    np.testing.assert_allclose(schedule.mixes.sum(axis=1), 1)


def test_wrapped_twice():
    inner = Changing(base=BASE, changes=(Newcomers(number=1),))
    outer = Changing(base=inner, changes=(Outage(model="newcomer-1", start=0.0),))
    assert not outer.build(PROBLEM)[1].available[0, 11]
    assert [type(part) for part in parts(outer)] == [Figures, Newcomers, Outage]
    assert replace_options(outer, number=2).build(PROBLEM)[0].num_models == 13


def test_one_throughput_a_model_of_the_last_table():
    workload = Changing(base=BASE, changes=(Newcomers(number=2),))
    shares = PROBLEM.replace(throughput=(0.5,) * 13)
    assert workload.build(shares)[1].available.shape == (4, 13)
    with pytest.raises(FieldError, match="one for each of 13 models"):
        workload.build(PROBLEM.replace(throughput=(0.5,) * 11))


def test_options_reach_the_part_that_has_them():
    workload = Changing(
        base=BASE,
        changes=(Outage(model=GPT4), PriceChange(model=GPT4, factor=0.1), Newcomers(number=2)),
    )
    names = option_names(workload)
    assert len(names) == len(set(names))
    assert {"num_queries", "features", "duration", "factor", "model", "table_seed"} <= set(names)
    changed = replace_options(workload, features="task", factor=0.5, start=0.2, table_seed=3)
    assert changed.base == dataclasses.replace(BASE, features="task", table_seed=3)
    assert changed.changes == (
        Outage(model=GPT4, start=0.2),
        PriceChange(model=GPT4, factor=0.5, start=0.2),
        Newcomers(number=2, start=0.2, table_seed=3),
    )
    assert hash(changed) != hash(workload)
    with pytest.raises(FieldError, match="option of the workload = 'shape'"):
        replace_options(workload, shape="steps")
