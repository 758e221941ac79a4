"""Tables of a leaderboard over many worlds: all of them, and one entry in each stratum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from stageroute_gym.errors import FieldError, closest
from stageroute_gym.evaluation.measures import BY_KEY, SCORE
from stageroute_gym.evaluation.statistics import Estimate
from stageroute_gym.evaluation.strata import (
    Against,
    InStratum,
    OverWorlds,
    against_others,
    in_strata,
    over_worlds,
    world_scores,
)
from stageroute_gym.report.results import Results
from stageroute_gym.report.tables import ReportTable

STRATA_LEGEND = (
    "Score / horizon oracle, mean over seeds in each world. Interquartile mean: over worlds, "
    "without their best and worst quarters, with a bootstrap interval over worlds; worst 5 %: "
    "mean of the worst worlds. Difference: to another entry, in a stratum to its best one, paired "
    "by world, ± half of the 95 % interval; ahead or behind: beyond doubt by Student's t at 5 % "
    "after Holm's correction for all other entries, in strata for all strata too."
)


def strata_tables(results: Results, entry: str | None = None) -> list[ReportTable]:
    """Entries over all worlds, an entry against each other one, and in each stratum.

    Args:
        results: what the leaderboard wrote.
        entry: label of the entry; None takes the first over all worlds, references apart.

    Raises:
        FieldError: as `standing_of`.
    """
    return tables_of(standing_of(results, entry))


@dataclass(frozen=True)
class Standing:
    """What a leaderboard over worlds has come to.

    Attributes:
        entry: label of the entry that is set against the others.
        worlds: number of worlds.
        kinds: kind of each entry by its label.
        entries: all entries over all worlds, the best first.
        rivals: the entry against each other one, references apart.
        strata: the entry in each stratum.
    """

    entry: str
    worlds: int
    kinds: dict[str, str]
    entries: tuple[OverWorlds, ...]
    rivals: tuple[Against, ...]
    strata: tuple[InStratum, ...]

    def to_dict(self) -> dict[str, Any]:
        """The standing as JSON-native values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The standing of which `to_dict` returned these values."""

        def paired(row: Mapping[str, Any]) -> dict[str, Any]:
            return {**row, "difference": Estimate(**row["difference"])}

        return cls(
            values["entry"],
            values["worlds"],
            dict(values["kinds"]),
            tuple(OverWorlds(**row) for row in values["entries"]),
            tuple(Against(**paired(row)) for row in values["rivals"]),
            tuple(InStratum(**paired(row)) for row in values["strata"]),
        )


def standing_of(results: Results, entry: str | None = None) -> Standing:
    """What a leaderboard over worlds has come to.

    Args:
        results: what the leaderboard wrote.
        entry: as for `strata_tables`.

    Raises:
        FieldError: if the leaderboard's scenarios have no strata, there is no such entry, or fewer
            than two entries ran in all worlds.
    """
    described = results.summary["settings"]["scenarios"]
    strata = {name: part["strata"] for name, part in described.items() if "strata" in part}
    if not strata:
        allowed = "a leaderboard of scenarios that have strata, such as --suite worlds-tune"
        raise FieldError("dir", ", ".join(described), allowed)
    import polars as pl

    kinds = results.kinds
    scores = world_scores(results.episodes.filter(pl.col("scenario").is_in(list(strata))))
    entries = over_worlds(scores)
    ranked = [row.entry for row in entries if kinds[row.entry] != "reference"]
    if len(ranked) < 2:
        allowed = "at least two entries, references apart, that ran in all worlds"
        raise FieldError("dir", ", ".join(ranked), allowed)
    chosen = ranked[0] if entry is None else entry
    if chosen not in ranked:
        raise FieldError("entry", chosen, closest(chosen, ranked))
    contenders = {label: scores[label] for label in ranked}
    return Standing(
        chosen,
        len(scores[chosen]),
        {row.entry: kinds[row.entry] for row in entries},
        tuple(entries),
        tuple(against_others(contenders, chosen)),
        tuple(in_strata(contenders, chosen, strata)),
    )


def tables_of(standing: Standing) -> list[ReportTable]:
    """As `strata_tables`, of what has been computed."""
    number, chosen = BY_KEY[SCORE].number, standing.entry

    def block(*, references: bool) -> tuple[tuple[str, ...], ...]:
        return tuple(
            (
                row.entry,
                f"{number(row.middle)} ({number(row.low)} to {number(row.high)})",
                number(row.mean),
                number(row.worst),
            )
            for row in standing.entries
            if (standing.kinds[row.entry] == "reference") is references
        )

    overall = ReportTable(
        f"{standing.worlds} worlds",
        ("entry", "interquartile mean", "mean", "worst 5 %"),
        block(references=False),
        block(references=True),
    )
    rivals = ReportTable(
        f"{chosen} against each other entry",
        ("rival", "difference", "interquartile mean of differences", "verdict"),
        tuple(
            (
                row.rival,
                _signed(row.difference.mean, row.difference.half_width),
                f"{_signed(row.middle)} ({_signed(row.low)} to {_signed(row.high)})",
                row.verdict,
            )
            for row in standing.rivals
        ),
    )
    by_stratum = ReportTable(
        f"{chosen} by stratum",
        ("stratum", "worlds", "interquartile mean", "best other", "its", "difference", "verdict"),
        tuple(
            (
                f"{row.respect}: {row.level}",
                str(row.worlds),
                number(row.middle),
                row.rival,
                number(row.rival_middle),
                _signed(row.difference.mean, row.difference.half_width),
                row.verdict,
            )
            for row in standing.strata
        ),
    )
    return [overall, rivals, by_stratum]


def _signed(mean: float | None, half: float | None = None) -> str:
    digits = BY_KEY[SCORE].digits
    if mean is None:
        return "-"
    return f"{mean:+.{digits}f}" + ("" if half is None else f" ± {half:.{digits}f}")
