"""What each part of an agent is worth: its score with the part less that without.

On scenarios by seed, and over random worlds by world.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from stageroute_gym import checks
from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.entries import parse_entries
from stageroute_gym.evaluation.strata import against_others, over_worlds, world_scores
from stageroute_gym.evaluation.trials import LeaderboardSettings
from stageroute_gym.reproduction.part import Measured
from stageroute_gym.reproduction.summing import ahead_of_others
from stageroute_gym.scenarios import suite

if TYPE_CHECKING:
    import polars as pl

    from stageroute_gym.report.results import Results

BOARD, WORLDS = "board", "worlds"


@dataclass(frozen=True)
class Settings:
    """Settings of the part.

    Attributes:
        scenarios: names of the scenarios.
        without: pairs of an agent's entry and that of the agent without one of its parts.
        seeds: number of seeds.
        suite: name of a suite of random worlds.
        worlds: number of the suite's worlds to take, the first ones; 0 takes all.
        world_seeds: number of seeds there; 0 takes the suite's.
        overrides: fields of the problem.
    """

    scenarios: tuple[str, ...]
    without: tuple[tuple[str, str], ...]
    seeds: int
    suite: str
    worlds: int = 0
    world_seeds: int = 0
    overrides: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checks.count("seeds", self.seeds, 1, 10_000)
        checks.count("worlds", self.worlds, 0, 10_000)
        checks.count("world_seeds", self.world_seeds, 0, 10_000)
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
    """Two leaderboards with the agents and what is left of them: the scenarios, and the worlds.

    Raises:
        FieldError: as `LeaderboardSettings.checked`, if there is no such suite, or a pair has one
            label twice.
    """
    settings.pairs()
    chosen = suite(settings.suite)
    entries = list(dict.fromkeys(entry for pair in settings.without for entry in pair))

    def board(names: tuple[str, ...], seeds: range | tuple[int, ...]) -> LeaderboardSettings:
        return LeaderboardSettings.checked(
            agents=entries, scenarios=list(names), seeds=seeds, **settings.overrides
        )

    world_seeds = range(settings.world_seeds) if settings.world_seeds else chosen.seeds
    return {
        BOARD: board(settings.scenarios, range(settings.seeds)),
        WORLDS: board(chosen.scenarios[: settings.worlds or None], world_seeds),
    }


def measure(
    settings: Settings, boards: Mapping[str, Results], tell: Callable[[str], None]
) -> Measured:
    """The worth of each part on each scenario, and over the worlds."""
    results, worlds = boards[BOARD], boards[WORLDS]
    parts: dict[str, list[str]] = {}
    for whole, part in settings.pairs():
        parts.setdefault(whole, []).append(part)
    worth = {whole: ahead_of_others(results, whole) for whole in parts}
    rows = [
        {"agent": whole, **row}
        for whole, part in settings.pairs()
        for row in worth[whole]
        if row["entry"] == part
    ]
    return Measured(
        {
            "rows": rows,
            "scenarios": results.scenarios,
            "seeds": settings.seeds,
            "worlds": {
                "suite": settings.suite,
                "number": len(worlds.scenarios),
                "seeds": len(worlds.summary["settings"]["seeds"]),
                "agents": [
                    over_random_worlds(worlds.episodes, whole, without)
                    for whole, without in parts.items()
                ],
            },
        }
    )


def over_random_worlds(episodes: pl.DataFrame, whole: str, without: list[str]) -> dict[str, Any]:
    """An agent, and what is left of it without each of its parts, over all worlds.

    Both as `stageroute_gym.evaluation.strata.OverWorlds` describes them; without a part also
    ``worth``, the whole less it, paired by world, with ``mean``, ``low`` and ``high``;
    ``worth_middle``, the interquartile mean of that with its ends; the ``verdict`` after the
    correction for the number of parts; and ``changed``, in how many worlds the score is another.

    Args:
        episodes: rows of `stageroute_gym.evaluation.evaluate`.
        whole: label of the agent's entry.
        without: labels of the entries without a part.
    """
    scores = world_scores(episodes)
    mine = {label: scores[label] for label in (whole, *without)}
    standing = {row.entry: asdict(row) for row in over_worlds(mine)}
    parts = [
        {
            **standing[row.rival],
            "worth": {
                "mean": row.difference.mean,
                "low": row.difference.low,
                "high": row.difference.high,
            },
            "worth_middle": {"mean": row.middle, "low": row.low, "high": row.high},
            "verdict": row.verdict,
            "changed": sum(mine[row.rival][name] != mine[whole][name] for name in mine[whole]),
        }
        for row in against_others(mine, whole)
    ]
    return {"agent": standing[whole], "without": parts}
