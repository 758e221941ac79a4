"""Random worlds that nobody chose: who is first over all of them, and where the first is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stageroute_gym import checks
from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.trials import LeaderboardSettings
from stageroute_gym.report.strata_tables import standing_of
from stageroute_gym.reproduction.contestants import with_tuned
from stageroute_gym.reproduction.part import Measured
from stageroute_gym.scenarios import suite

if TYPE_CHECKING:
    from stageroute_gym.report.results import Results

BOARD = "board"


@dataclass(frozen=True)
class Settings:
    """Settings of the part.

    Attributes:
        suite: name of a suite of random worlds.
        env_id: the environment of all entries, so that an entry's own does not decide.
        entries: who plays; each agent that has tuned settings plays with these too.
        against: label of the entry that is set against the others and broken down by stratum.
        worlds: number of the suite's worlds to take, the first ones; 0 takes all.
        seeds: number of seeds; 0 takes the suite's.
        overrides: fields of the problem.
    """

    suite: str
    env_id: str
    entries: tuple[str, ...]
    against: str
    worlds: int = 0
    seeds: int = 0
    overrides: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checks.count("seeds", self.seeds, 0, 10_000)
        checks.count("worlds", self.worlds, 0, 10_000)


def boards(settings: Settings) -> dict[str, LeaderboardSettings]:
    """The leaderboard of the worlds.

    Raises:
        FieldError: as `LeaderboardSettings.checked`, if the suite's scenarios have no strata, there
            are fewer than two entries, or ``against`` is none of them.
    """
    chosen = suite(settings.suite)
    board = LeaderboardSettings.checked(
        agents=with_tuned(settings.entries),
        scenarios=list(chosen.scenarios[: settings.worlds or None]),
        seeds=range(settings.seeds) if settings.seeds else chosen.seeds,
        env_id=settings.env_id,
        **settings.overrides,
    )
    if not all("strata" in scenario.to_dict() for scenario in board.scenarios):
        raise FieldError("suite", settings.suite, "a suite of random worlds, such as worlds-tune")
    if sum(entry.kind != "reference" for entry in board.entries) < 2:
        raise FieldError("entries", settings.entries, "at least two, references apart")
    labels = [entry.label for entry in board.entries]
    if settings.against not in labels:
        raise FieldError("against", settings.against, f"one of {', '.join(labels)}")
    return {BOARD: board}


def measure(
    settings: Settings, boards: Mapping[str, Results], tell: Callable[[str], None]
) -> Measured:
    """The standing over all worlds, against each other entry, and by stratum."""
    return Measured(
        {
            "suite": settings.suite,
            "env_id": settings.env_id,
            "seeds": len(boards[BOARD].summary["settings"]["seeds"]),
            **standing_of(boards[BOARD], settings.against).to_dict(),
        }
    )
