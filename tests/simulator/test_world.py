from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from worlds import make_world, worlds

from stageroute_gym.errors import FieldError
from stageroute_gym.simulator.arrays import ALIAS, KEEP_PROBABILITY
from stageroute_gym.simulator.world import World, alias_table
from stageroute_gym.workloads import Schedule


@settings(max_examples=300, deadline=None)
@given(
    arrays.arrays(
        np.float64,
        st.integers(1, 40),
        elements=st.sampled_from([0.0, 1e-12, 0.1, 1 / 3, 1.0]) | st.floats(0, 1),
    )
)
def test_an_alias_table_holds_its_distribution(weights):
    if weights.sum() < 1e-3:
        return
    weights = weights / weights.sum()
    table = alias_table(weights)
    implied = np.zeros(len(weights))
    for row, (keep, alias) in enumerate(table):
        implied[row] += keep
        implied[int(alias)] += 1 - keep
    assert np.allclose(implied / len(weights), weights, rtol=0, atol=1e-12)
    assert (implied[weights == 0] == 0).all()
    assert ((table[:, KEEP_PROBABILITY] >= 0) & (table[:, KEEP_PROBABILITY] <= 1)).all()
    assert ((table[:, ALIAS] >= 0) & (table[:, ALIAS] < len(weights))).all()


def test_a_skewed_alias_table_of_many_rows():
    weights = np.random.default_rng(0).pareto(1.1, 20_000)
    weights /= weights.sum()
    keep, alias = alias_table(weights).T
    implied = keep + np.bincount(alias.astype(int), 1 - keep, len(weights))
    assert np.allclose(implied / len(weights), weights, rtol=1e-9, atol=1e-15)


@settings(max_examples=100, deadline=None)
@given(worlds())
def test_true_means_and_bounds_by_loops(world):
    table, schedule = world.table, world.schedule
    for stage in range(schedule.num_stages):
        mix = schedule.mixes[schedule.stage_mix[stage]]
        for model in range(world.num_models):
            score = sum(mix[q] * table.score[q, model] for q in range(table.num_queries))
            cost = sum(mix[q] * table.cost[q, model] for q in range(table.num_queries))
            cost *= schedule.cost_multiplier[stage, model]
            answered = 1 - world.problem.failure_rate
            assert world.mean_score[stage, model] == pytest.approx(score * answered, abs=1e-12)
            assert world.mean_cost[stage, model] == pytest.approx(cost, abs=1e-12)
            assert world.cost_bounds[0] - 1e-12 <= cost <= world.cost_bounds[1] + 1e-12
    low, high = world.cost_bounds
    every = table.cost[None] * schedule.cost_multiplier[:, None]
    assert low <= every.min()
    assert high >= every.max()


def test_the_kernels_get_what_the_world_says():
    world = make_world(models=3, horizon=10, stages=2, mixes=2, constant_prices=False, features=2)
    outcomes, sampler, stages, stage_models, models, settings_, features = world.arrays
    assert (outcomes[..., 0] == world.table.score).all()
    assert (outcomes[..., 1] == world.table.cost).all()
    assert sampler.shape == (2, 12, 2)
    assert stages[:, 0].tolist() == [5, 10]
    assert stages[:, 1].tolist() == world.schedule.stage_mix.tolist()
    assert (stage_models[:, 1] == world.schedule.cost_multiplier).all()
    assert (models[1] == world.table.list_price).all()
    assert settings_.tolist() == [10, 10.0, 1, 20, 0, 0, 2, 1, 0, 0]
    assert (features == world.table.features.astype(np.float32)).all()
    kinds = [np.float64] * 6 + [np.float32]
    assert [a.dtype for a in world.arrays] == kinds
    assert all(a.flags.c_contiguous for a in world.arrays)


@pytest.mark.parametrize(("models", "stages", "rows"), [(4, 3, 11), (4, 2, 12), (5, 3, 12)])
def test_parts_that_do_not_fit_together_are_refused(models, stages, rows):
    """A kernel would read beyond its arrays."""
    world = make_world()
    schedule = Schedule(
        mixes=np.full((1, rows), 1 / rows),
        stage_mix=np.zeros(stages, np.int64),
        cost_multiplier=np.ones((stages, models)),
        available=np.ones((stages, models), bool),
    )
    with pytest.raises(FieldError, match="schedule"):
        World(world.problem, world.table, schedule)
