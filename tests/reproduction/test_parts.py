"""What parts compute beyond leaderboards, by hand."""

from __future__ import annotations

import polars as pl
import pytest

from stageroute_gym.reproduction.parts.newcomers import NEWCOMER, Settings, adoption, scenario_of
from stageroute_gym.reproduction.parts.shares import overlap

PLAN = pl.DataFrame(
    {
        "stage": [0, 1, 2, 3],
        "available": [["a"], ["a", NEWCOMER], ["a", NEWCOMER], ["a", NEWCOMER]],
        "stage_models": [["a"], ["a", NEWCOMER], ["a", NEWCOMER], ["a", NEWCOMER]],
        "stage_shares": [[1.0], [0.6, 0.4], [0.6, 0.4], [0.6, 0.4]],
    }
)


def stages(*newcomer: list[int]) -> pl.DataFrame:
    """Stages of 10 queries each; of each seed the newcomer's pulls, the rest with ``a``."""
    rows = [
        {
            "entry": "e",
            "seed": seed,
            "stage": stage,
            "queries": 10,
            "deployed": ["a", NEWCOMER] if pulls else ["a"],
            "pulls": [10 - pulls, pulls] if pulls else [10],
        }
        for seed, given in enumerate(newcomer)
        for stage, pulls in enumerate([0, *given])
    ]
    return pl.DataFrame(rows)


def test_adoption_counts_stages_until_the_share_is_reached_and_kept():
    found = adoption(stages([4, 4, 4], [0, 4, 4], [4, 0, 0], [0, 3, 4]), PLAN, 0.9)
    assert found.delays == [0, 1, None, 2]
    assert found.shares == pytest.approx([0.4, 8 / 30, 4 / 30, 7 / 30])
    assert found.oracle == pytest.approx(0.4)
    assert found.possible == 3


def test_overlap_is_the_smaller_share_of_both():
    # Stage 0: 10 of 10 in common; then 6 + min(4, pulls), or 6 where a serves more than planned.
    found = overlap(stages([4, 4, 4], [0, 0, 0], [8, 8, 8]), PLAN)
    assert found["common"].to_list() == pytest.approx([1.0, 28 / 40, (10 + 3 * 6) / 40])


def test_models_that_the_oracle_does_not_use_are_not_in_common():
    plan = PLAN.with_columns(
        stage_models=pl.lit(["a"], pl.List(pl.String)), stage_shares=pl.lit([1.0])
    )
    assert overlap(stages([5, 5, 5]), plan)["common"].to_list() == pytest.approx([25 / 40])


def test_the_newcomer_is_better_at_its_parents_price():
    settings = Settings(
        max_deployed=(3,),
        num_stages=(10,),
        quality=(0.5,),
        rivals=4,
        arrival=0.3,
        wanted=0.9,
        horizon=1000,
        budget=5e-4,
        entries=("stageroute",),
        seeds=1,
    )
    values = {"max_deployed": 3, "num_stages": 10, "quality": 0.5}
    world = scenario_of(settings, values).world()
    column, parent = (world.table.models.index(name) for name in (NEWCOMER, "gpt-3.5-turbo-1106"))
    assert world.table.num_models == 16
    assert world.mean_cost[-1, column] == pytest.approx(world.mean_cost[-1, parent])
    assert world.mean_score[-1, column] > world.mean_score[-1, parent] + 0.05
    assert world.schedule.available[:, column].tolist() == [False] * 3 + [True] * 7
