"""What each part of an agent is worth: its score with the part less that without, by seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stageroute_gym import checks
from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.entries import parse_entries
from stageroute_gym.evaluation.trials import LeaderboardSettings
from stageroute_gym.reproduction.part import Measured
from stageroute_gym.reproduction.summing import ahead_of_others

if TYPE_CHECKING:
    from stageroute_gym.report.results import Results

BOARD = "board"


@dataclass(frozen=True)
class Settings:
    """Settings of the part.

    Attributes:
        scenarios: names of the scenarios.
        without: pairs of an agent's entry and that of the agent without one of its parts.
        seeds: number of seeds.
        overrides: fields of the problem.
    """

    scenarios: tuple[str, ...]
    without: tuple[tuple[str, str], ...]
    seeds: int
    overrides: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checks.count("seeds", self.seeds, 1, 10_000)
        for pair in self.without:
            if len(pair) != 2:
                raise FieldError("without", pair, "pairs: an entry, and the entry without a part")

    def pairs(self) -> list[tuple[str, str]]:
        """The labels of both entries of each pair."""
        return [
            (whole.label, part.label)
            for whole, part in (parse_entries(pair) for pair in self.without)
        ]


def boards(settings: Settings) -> dict[str, LeaderboardSettings]:
    """One leaderboard with the agents and what is left of them."""
    entries = dict.fromkeys(entry for pair in settings.without for entry in pair)
    return {
        BOARD: LeaderboardSettings.checked(
            agents=list(entries),
            scenarios=settings.scenarios,
            seeds=range(settings.seeds),
            **settings.overrides,
        )
    }


def measure(
    settings: Settings, boards: Mapping[str, Results], tell: Callable[[str], None]
) -> Measured:
    """The worth of each part on each scenario."""
    results = boards[BOARD]
    worth = {
        whole: ahead_of_others(results, whole)
        for whole in dict.fromkeys(whole for whole, _ in settings.pairs())
    }
    rows = [
        {"agent": whole, **row}
        for whole, part in settings.pairs()
        for row in worth[whole]
        if row["entry"] == part
    ]
    return Measured({"rows": rows, "scenarios": results.scenarios, "seeds": settings.seeds})
