"""Everyone on every scenario of a suite: shared ranks, and the overall standing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stageroute_gym import checks
from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.entries import Entry, installed_entries
from stageroute_gym.evaluation.measures import SCORE
from stageroute_gym.evaluation.ranking import IQM
from stageroute_gym.evaluation.trials import LeaderboardSettings
from stageroute_gym.reproduction.contestants import with_tuned
from stageroute_gym.reproduction.part import Measured

if TYPE_CHECKING:
    from stageroute_gym.report.results import Results

BOARD = "board"
_KEPT = ("mean", "low", "high")


@dataclass(frozen=True)
class Settings:
    """Settings of the part.

    Attributes:
        suite: name of the suite.
        entries: what is ranked; none for all that play by default. Each agent that has tuned
            settings is ranked with these too.
        also: entries to rank beside them.
        seeds: number of seeds; 0 takes the suite's.
        overrides: fields of the problem.
    """

    suite: str
    entries: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    seeds: int = 0
    overrides: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checks.count("seeds", self.seeds, 0, 10_000)


def boards(settings: Settings) -> dict[str, LeaderboardSettings]:
    """The leaderboard of the suite.

    Raises:
        FieldError: as `LeaderboardSettings.checked`; if an installed agent cannot be loaded, since
            ranks without it would be others; or if the suite has one scenario only.
    """
    named: tuple[str | Entry, ...] = settings.entries
    if not named:
        named, broken = installed_entries()
        if broken:
            raise FieldError("entries", broken[0][0], f"an agent that loads; {broken[0][1]}")
    entries: tuple[str | Entry, ...] = (*with_tuned(named), *settings.also)
    board = LeaderboardSettings.checked(
        agents=entries,
        suite=settings.suite,
        seeds=range(settings.seeds) if settings.seeds else None,
        **settings.overrides,
    )
    if len(board.scenarios) < 2:
        raise FieldError("suite", settings.suite, "a suite of at least two scenarios")
    return {BOARD: board}


def measure(
    settings: Settings, boards: Mapping[str, Results], tell: Callable[[str], None]
) -> Measured:
    """The ranks, overall and on each scenario."""
    return Measured({"suite": settings.suite, **ranks_of(boards[BOARD].summary)})


def ranks_of(summary: Mapping[str, Any]) -> dict[str, Any]:
    """What of a ``leaderboard.json`` the matrix needs.

    Returns:
        ``scenarios``, their names; ``seeds``, their number; ``entries``, best first, references
        last: each ``entry``, ``kind``, ``ranks`` (first and last one it may have, or None),
        ``score`` and ``middle`` (interquartile mean), each with ``mean``, ``low`` and ``high``, and
        ``on``: by scenario ``ranks``, ``score`` and ``spend`` (median).
    """
    on: dict[str, dict[str, Any]] = {}
    for name, part in summary["scenarios"].items():
        for row in (*part["ranking"], *part["references"]):
            on.setdefault(row["entry"], {})[name] = {
                "ranks": row["ranks"],
                "score": row[SCORE]["mean"],
                "spend": row["spend_over_budget"]["median"],
            }
    overall = summary["overall"]
    return {
        "scenarios": list(summary["scenarios"]),
        "seeds": len(summary["settings"]["seeds"]),
        "entries": [
            {
                "entry": row["entry"],
                "kind": row["kind"],
                "ranks": row["ranks"],
                "score": {key: row[SCORE][key] for key in _KEPT},
                "middle": {key: row[IQM][key] for key in _KEPT},
                "on": on[row["entry"]],
            }
            for row in (*overall["ranking"], *overall["references"])
        ],
    }
