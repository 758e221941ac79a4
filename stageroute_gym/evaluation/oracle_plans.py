"""What the oracles do in each stage, and what money can buy: what charts show beside agents.

The plans are those of `stageroute_gym.oracles`; here they only become rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from stageroute_gym.scenarios import Scenario
    from stageroute_gym.simulator.world import World

# Multiples of a scenario's budget at which its frontier is computed, half an octave apart.
FRONTIER_FACTORS = tuple(2.0 ** (step / 2) for step in range(-10, 9))


def oracle_rows(scenario: Scenario, seeds: Sequence[int]) -> pl.DataFrame:
    """What stage oracle and horizon oracle plan for each stage, one row a stage.

    Columns: ``scenario`` (name), ``seed`` (null where all seeds share a world; else one set of rows
    for each), ``stage`` (from 0), ``start`` (its first query), ``queries`` (its length),
    ``available`` (names of the models on offer); and for each of the two, with the prefix
    ``stage_`` and ``horizon_``, ``models`` (names of those that it uses), ``shares`` (of the
    stage's queries that each of these serves), ``score`` (expected total of the stage) and
    ``spend`` (expected, USD).

    Args:
        scenario: the scenario.
        seeds: seeds of the episodes.
    """
    import polars as pl

    parts = [_rows(scenario, seed) for seed in (seeds if scenario.per_seed else [None])]
    return pl.concat(parts)


def frontier(scenario: Scenario, seeds: Sequence[int]) -> list[dict[str, float]]:
    """The most that can be expected for the money: the horizon oracle at several budgets.

    Args:
        scenario: the scenario.
        seeds: seeds of the episodes; where each has a world of its own, the mean over them.

    Returns:
        For each of `FRONTIER_FACTORS` times the scenario's budget: ``budget`` (USD a query),
        ``score`` and ``cost`` (expected, a query, cost in USD).
    """
    from stageroute_gym.optimize import horizon_oracle

    worlds = [scenario.world(seed) for seed in (seeds if scenario.per_seed else seeds[:1])]
    points = []
    for factor in FRONTIER_FACTORS:
        budget = scenario.problem.budget * factor
        plans = [
            horizon_oracle(
                world.mean_score,
                world.mean_cost,
                world.schedule.available,
                world.problem.stage_lengths,
                budget,
                world.throughput,
                world.problem.max_deployed,
            )
            for world in worlds
        ]
        queries = scenario.problem.horizon * len(plans)
        score = math.fsum(plan.value for plan in plans) / queries
        cost = math.fsum(plan.spend for plan in plans) / queries
        points.append({"budget": budget, "score": score, "cost": cost})
    return points


def _rows(scenario: Scenario, seed: int | None) -> pl.DataFrame:
    import polars as pl

    # Only here, since the oracles load the compiler.
    from stageroute_gym.oracles import oracles_of

    world = scenario.world() if seed is None else scenario.world(seed)
    oracles, problem, names = oracles_of(world), world.problem, world.table.models
    stages = len(problem.stage_lengths)
    plans = {"stage": oracles.stage.weights, "horizon": oracles.horizon.weights}
    return pl.DataFrame(
        {
            "scenario": [scenario.name] * stages,
            "seed": [seed] * stages,
            "stage": np.arange(stages),
            "start": problem.stage_bounds[:-1],
            "queries": problem.stage_lengths,
            "available": [_chosen(names, on_offer) for on_offer in world.schedule.available],
            **{
                f"{oracle}_{key}": values
                for oracle, weights in plans.items()
                for key, values in _planned(world, weights).items()
            },
        },
        schema_overrides={
            "seed": pl.Int64,
            "available": pl.List(pl.String),
            **{f"{oracle}_models": pl.List(pl.String) for oracle in plans},
            **{f"{oracle}_shares": pl.List(pl.Float64) for oracle in plans},
        },
    )


def _planned(world: World, weights: NDArray[np.float64]) -> dict[str, Any]:
    """A plan with shares ``weights``, shape (K, N), stage by stage."""
    used, lengths = weights > 0, world.problem.stage_lengths
    # Not as matrix products, whose last bits depend on the number of threads.
    return {
        "models": [_chosen(world.table.models, row) for row in used],
        "shares": [row[chosen].tolist() for row, chosen in zip(weights, used, strict=True)],
        "score": lengths * (weights * world.mean_score).sum(axis=1),
        "spend": lengths * (weights * world.mean_cost).sum(axis=1),
    }


def _chosen(names: tuple[str, ...], chosen: NDArray[np.bool_]) -> list[str]:
    return [names[model] for model in np.flatnonzero(chosen).tolist()]
