"""Cumulative regret and spend over the queries, at several budgets and both budget rules."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stageroute_gym import checks
from stageroute_gym.errors import FieldError, closest
from stageroute_gym.evaluation.trials import LeaderboardSettings
from stageroute_gym.reproduction.contestants import with_tuned
from stageroute_gym.reproduction.part import Measured
from stageroute_gym.reproduction.summing import ahead_of_others, entry_rows

if TYPE_CHECKING:
    import polars as pl

    from stageroute_gym.report.results import Results

BOARD = "board"
# The entry that the claims are about.
SUBJECT = "stageroute"


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
        tuned: names of the agents that play with their tuned settings too, where they have some.
        drawn: labels of the entries that the charts draw.
    """

    scenario: str
    budgets: tuple[float, ...]
    rules: tuple[str, ...]
    entries: tuple[str, ...]
    seeds: int
    tuned: tuple[str, ...]
    drawn: tuple[str, ...]
    overrides: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        checks.count("seeds", self.seeds, 1, 10_000)
        if SUBJECT not in self.entries:
            raise FieldError("entries", self.entries, f"{SUBJECT} among them")


def boards(settings: Settings) -> dict[str, LeaderboardSettings]:
    """One leaderboard: the scenario at each budget under each rule.

    Raises:
        FieldError: as `LeaderboardSettings.checked`; if ``tuned`` names an agent, or ``drawn`` an
            entry, that does not play; or if nothing is to be run.
    """
    for name in ("budgets", "rules"):
        if not getattr(settings, name):
            raise FieldError(name, getattr(settings, name), "at least one")
    board = LeaderboardSettings.checked(
        agents=with_tuned(settings.entries, settings.tuned),
        scenarios=[settings.scenario],
        seeds=range(settings.seeds),
        budget=list(settings.budgets),
        budget_rule=list(settings.rules),
        **settings.overrides,
    )
    labels = [entry.label for entry in board.entries]
    agents = list(dict.fromkeys(entry.agent for entry in board.entries))
    for field, names, known in (
        ("tuned", settings.tuned, agents),
        ("drawn", settings.drawn, labels),
    ):
        for name in names:
            if name not in known:
                raise FieldError(field, name, closest(name, known))
    return {BOARD: board}


def measure(
    settings: Settings, boards: Mapping[str, Results], tell: Callable[[str], None]
) -> Measured:
    """Curves over the queries, and where they end."""
    results = boards[BOARD]
    summary = {
        "rows": entry_rows(results),
        "ahead": ahead_of_others(results, SUBJECT),
        "drawn": list(settings.drawn),
        "seeds": settings.seeds,
    }
    return Measured(summary, {"curves": curves(results)})


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
