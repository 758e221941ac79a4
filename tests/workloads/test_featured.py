"""Features of known worth: the oracle that reads them, and that noise is worth nothing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.optimize import linprog

from stageroute_gym import scenarios
from stageroute_gym.errors import FieldError
from stageroute_gym.oracles import oracles_of
from stageroute_gym.simulator.world import World
from stageroute_gym.workloads import Featured


def told_by_features(world: World) -> World:
    """The world whose tasks are what its features tell apart."""
    _, kind = np.unique(world.table.features, axis=0, return_inverse=True)
    names = tuple(str(number) for number in range(kind.max() + 1))
    table = dataclasses.replace(world.table, task=kind.astype(np.int64), task_names=names)
    return World(world.problem, table, world.schedule)


def test_the_task_oracle_is_the_best_policy_that_reads_the_features():
    world = scenarios.get("per-query").world()
    oracle = oracles_of(world).task.value / world.problem.horizon
    # By HiGHS, over what each kind's rows average to.
    table, alpha = world.table, world.throughput[0]
    groups = [table.task == kind for kind in range(64)]
    score = np.array([table.score[rows].mean(axis=0) for rows in groups]) / 64
    cost = np.array([table.cost[rows].mean(axis=0) for rows in groups]) / 64
    serve_once = np.kron(np.eye(64), np.ones(6))
    spend = cost.ravel()[None] / world.problem.budget
    caps = np.kron(np.ones(64), np.eye(6)) / 64
    solved = linprog(
        -score.ravel(),
        A_ub=np.concatenate([serve_once, spend, caps]),
        b_ub=np.concatenate([np.ones(64), [1.0], np.full(6, alpha)]),
        method="highs",
    )
    assert oracle == pytest.approx(-solved.fun, rel=1e-7)
    assert oracles_of(told_by_features(world)).task.value == pytest.approx(
        oracles_of(world).task.value, rel=1e-12
    )
    # They are worth something.
    assert oracle > 1.2 * oracles_of(world).horizon.value / world.problem.horizon


def test_noise_is_worth_nothing_even_in_hindsight():
    world = scenarios.get("noise-features").world()
    blind = oracles_of(world).horizon.value
    assert oracles_of(told_by_features(world)).task.value == pytest.approx(blind, rel=1e-9)
    known = scenarios.get("per-query").world()
    assert blind == pytest.approx(oracles_of(known).horizon.value, rel=1e-9)


def test_chances_are_linear_in_the_features():
    table = scenarios.get("per-query").world().table
    assert table.features.dtype == np.float32
    points, first = np.unique(table.features, axis=0, return_index=True)
    chance = np.array([table.score[table.task == table.task[row]].mean(axis=0) for row in first])
    design = np.column_stack([np.ones(64), points])
    rest = chance - design @ np.linalg.lstsq(design, chance, rcond=None)[0]
    assert np.abs(rest).mean() < 0.02  # rounded to 32nds, and a few clipped


def test_wrong_values_are_told():
    with pytest.raises(FieldError, match="num_features = 600: expected a whole number"):
        Featured(num_features=600)
    with pytest.raises(FieldError, match="informative = 'yes': expected True or False"):
        Featured(informative="yes")
