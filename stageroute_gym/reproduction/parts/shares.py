"""Which models serve what share of the queries over time, beside the stage oracle's plan."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stageroute_gym import checks
from stageroute_gym.evaluation.trials import LeaderboardSettings
from stageroute_gym.report.charts.model_data import model_tables
from stageroute_gym.reproduction.part import Measured
from stageroute_gym.reproduction.summing import entry_rows, interval

if TYPE_CHECKING:
    import polars as pl

    from stageroute_gym.report.results import Results

BOARD = "board"
ORACLE = "stage oracle's plan"


@dataclass(frozen=True)
class Settings:
    """Settings of the part.

    Attributes:
        scenario: name of the scenario.
        entries: what runs.
        seeds: number of seeds.
        overrides: fields of the problem and options of the workload.
    """

    scenario: str
    entries: tuple[str, ...]
    seeds: int
    overrides: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checks.count("seeds", self.seeds, 1, 10_000)


def boards(settings: Settings) -> dict[str, LeaderboardSettings]:
    """One leaderboard on the scenario."""
    return {
        BOARD: LeaderboardSettings.checked(
            agents=settings.entries,
            scenarios=[settings.scenario],
            seeds=range(settings.seeds),
            **settings.overrides,
        )
    }


def measure(
    settings: Settings, boards: Mapping[str, Results], tell: Callable[[str], None]
) -> Measured:
    """Shares by model and stage, and how much of them the entries and the oracle have in common."""
    results = boards[BOARD]
    rows = entry_rows(results)
    common = overlap(results.stages, results.oracles)
    for row in rows:
        row["common"] = interval(common.filter(entry=row["entry"])["common"])
    return Measured(
        {"scenario": settings.scenario, "seeds": settings.seeds, "rows": rows},
        {"shares": _shares(results)},
    )


def overlap(stages: pl.DataFrame, oracles: pl.DataFrame) -> pl.DataFrame:
    """For each entry and seed the share of queries that it routes as the stage oracle would.

    In a stage that is the sum over models of the smaller one of both shares; over stages its mean,
    weighted with their queries.

    Args:
        stages: as `stageroute_gym.evaluation.stages.stage_rows` describes them, of one scenario.
        oracles: as `stageroute_gym.evaluation.oracle_plans.oracle_rows` describes them.

    Returns:
        Columns ``entry``, ``seed``, ``common``.
    """
    import polars as pl

    keys = ["entry", "seed"]
    planned = (
        oracles.select("stage", model="stage_models", plan="stage_shares")
        .explode("model", "plan")
        .drop_nulls("model")
    )
    served = (
        stages.select(*keys, "stage", "queries", "deployed", "pulls")
        .explode("deployed", "pulls")
        .rename({"deployed": "model"})
        .join(planned, on=["stage", "model"], how="left")
        .with_columns(
            both=pl.min_horizontal(pl.col("pulls"), pl.col("plan").fill_null(0) * pl.col("queries"))
        )
    )
    # A stage that was never reached has no models, and one row; all are in the horizon.
    horizon = stages.group_by(keys).agg(pl.col("queries").sum())
    found = served.group_by(keys).agg("both").join(horizon, on=keys).sort(keys)
    # fsum, since polars' own sum depends on how it shares the rows out among its threads.
    common = [math.fsum(each) for each in found["both"].to_list()]
    return found.select(*keys, common=pl.Series(common) / pl.col("queries"))


def _shares(results: Results) -> pl.DataFrame:
    """Columns ``panel`` (an entry, or the oracle), ``model``, ``start``, ``end``, ``share``."""
    import polars as pl

    tables = model_tables(results)
    columns = ["model", "start", "end", "share"]
    entries = tables["cells"].select("entry", *columns).rename({"entry": "panel"})
    # On any entry's models the plan is the same.
    plan = tables["plans"].filter(pl.col("share") > 0).select(*columns).unique()
    oracle = plan.select(pl.lit(ORACLE).alias("panel"), *columns)
    return pl.concat([oracle, entries]).sort("panel", "model", "start")
