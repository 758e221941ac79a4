"""StageRoute with what the paper leaves open chosen in other ways, each as an entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stageroute_gym import checks
from stageroute_gym.evaluation.trials import LeaderboardSettings
from stageroute_gym.reproduction.contestants import with_tuned
from stageroute_gym.reproduction.part import Measured
from stageroute_gym.reproduction.summing import entry_rows

if TYPE_CHECKING:
    from stageroute_gym.report.results import Results

BOARD = "board"


@dataclass(frozen=True)
class Settings:
    """Settings of the part.

    Attributes:
        scenarios: names of the scenarios.
        entries: the variants, and what to compare them with. Each agent that has tuned settings
            plays with these too.
        seeds: number of seeds.
        overrides: fields of the problem.
    """

    scenarios: tuple[str, ...]
    entries: tuple[str, ...]
    seeds: int
    overrides: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checks.count("seeds", self.seeds, 1, 10_000)


def boards(settings: Settings) -> dict[str, LeaderboardSettings]:
    """One leaderboard with all of them."""
    return {
        BOARD: LeaderboardSettings.checked(
            agents=with_tuned(settings.entries),
            scenarios=settings.scenarios,
            seeds=range(settings.seeds),
            **settings.overrides,
        )
    }


def measure(
    settings: Settings, boards: Mapping[str, Results], tell: Callable[[str], None]
) -> Measured:
    """Score and spend of each variant on each scenario."""
    return Measured({"rows": entry_rows(boards[BOARD]), "seeds": settings.seeds})
