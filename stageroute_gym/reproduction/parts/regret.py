"""Cumulative regret and spend over the queries, at several budgets and both budget rules."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stageroute_gym import checks
from stageroute_gym.evaluation.measures import SCORE
from stageroute_gym.evaluation.statistics import estimate, spread
from stageroute_gym.evaluation.trials import LeaderboardSettings
from stageroute_gym.reproduction.part import Measured

if TYPE_CHECKING:
    import polars as pl

    from stageroute_gym.report.results import Results

BOARD = "board"


@dataclass(frozen=True)
class Settings:
    """Settings of the part.

    Attributes:
        scenario: name of the scenario.
        budgets: USD a query, from tight to loose.
        rules: budget rules.
        entries: what runs, references too.
        seeds: number of seeds.
        overrides: fields of the problem and options of the workload.
        drawn: labels of the entries that the charts draw.
    """

    scenario: str
    budgets: tuple[float, ...]
    rules: tuple[str, ...]
    entries: tuple[str, ...]
    seeds: int
    drawn: tuple[str, ...]
    overrides: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        checks.count("seeds", self.seeds, 1, 10_000)


def boards(settings: Settings) -> dict[str, LeaderboardSettings]:
    """One leaderboard: the scenario at each budget under each rule."""
    return {
        BOARD: LeaderboardSettings.checked(
            agents=settings.entries,
            scenarios=[settings.scenario],
            seeds=range(settings.seeds),
            budget=list(settings.budgets),
            budget_rule=list(settings.rules),
            **settings.overrides,
        )
    }


def measure(
    settings: Settings, boards: Mapping[str, Results], tell: Callable[[str], None]
) -> Measured:
    """Curves over the queries, and where they end."""
    results = boards[BOARD]
    return Measured(
        {"rows": end_rows(results), "drawn": list(settings.drawn), "seeds": settings.seeds},
        {"curves": curves(results)},
    )


def curves(results: Results) -> pl.DataFrame:
    """Regret and spend after each stage: means over seeds with their 95 % intervals, and ranges.

    Columns: ``budget`` (USD a query), ``rule``, ``entry``, ``t`` (queries so far), ``regret`` (mean
    of the cumulative one) with ``regret_low`` and ``regret_high``; ``spent`` (share of the budget
    of the horizon, median) with ``spent_low`` and ``spent_high``, the range.
    """
    import polars as pl

    from stageroute_gym.report.charts.data import chart_tables

    problems = [
        {
            "scenario": name,
            "budget": part["problem"]["budget"],
            "rule": part["problem"]["budget_rule"],
        }
        for name, part in results.summary["scenarios"].items()
    ]
    return (
        chart_tables(results)["curves"]
        .join(pl.DataFrame(problems), on="scenario")
        .select("budget", "rule", pl.exclude("scenario", "budget", "rule"))
        .sort("rule", "budget", "entry", "t")
    )


def end_rows(results: Results) -> list[dict[str, Any]]:
    """What each entry has come to at each budget under each rule, JSON-native.

    Each row: ``budget``, ``rule``, ``entry``, ``kind``; ``score`` (over the horizon oracle's),
    ``stage`` (over the stage oracle's) and ``regret`` (share of the stage oracle's score), each
    with ``mean``, ``low`` and ``high``; ``spend`` (over the budget) with ``median``, ``minimum``
    and ``maximum``; ``seeds``.
    """
    rows = []
    episodes = results.episodes.sort("scenario", "entry", "seed")
    for (_, entry), part in episodes.group_by("scenario", "entry", maintain_order=True):
        share = part["regret"] / part["stage_oracle"]
        spent = spread(part["spend_over_budget"])
        rows.append(
            {
                "budget": part["budget"][0],
                "rule": part["budget_rule"][0],
                "entry": entry,
                "kind": results.kinds[str(entry)],
                "score": interval(part[SCORE]),
                "stage": interval(part["score_over_stage_oracle"]),
                "regret": interval(share),
                "spend": {
                    "median": spent.median,
                    "minimum": spent.minimum,
                    "maximum": spent.maximum,
                },
                "seeds": len(part),
            }
        )
    return sorted(rows, key=lambda row: (row["rule"], row["budget"], row["entry"]))


def interval(values: pl.Series) -> dict[str, float | None]:
    """Mean over seeds with its 95 % interval, JSON-native."""
    found = estimate(values.to_list())
    return {"mean": found.mean, "low": found.low, "high": found.high}
