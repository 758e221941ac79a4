"""Entries over many worlds, and in each stratum of them: the world is the unit, not the seed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stageroute_gym.evaluation.measures import SCORE
from stageroute_gym.evaluation.statistics import (
    CONFIDENCE,
    Estimate,
    estimate,
    holm,
    interquartile_mean,
    p_value,
    stratified_interval,
)

if TYPE_CHECKING:
    import polars as pl

WORST_SHARE = 0.05
ALL = ("all", "all")

# Score over horizon oracle of an entry in each world, mean over its seeds.
WorldScores = dict[str, float]
Strata = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class OverWorlds:
    """An entry over all worlds.

    Attributes:
        entry: its label.
        middle: interquartile mean over the worlds of score / horizon oracle.
        low: lower end of its 95 % bootstrap interval over worlds; None with one world.
        high: upper end.
        mean: mean over the worlds.
        worst: mean over its worst 5 % of worlds, one at least.
    """

    entry: str
    middle: float
    low: float | None
    high: float | None
    mean: float
    worst: float


@dataclass(frozen=True)
class InStratum:
    """An entry against the best other one in a stratum.

    Attributes:
        respect: what the stratum is about, such as ``budget``.
        level: the stratum, such as ``scarce``.
        worlds: number of worlds in it.
        middle: the entry's interquartile mean there.
        rival: label of the best other entry there, by interquartile mean.
        rival_middle: its interquartile mean.
        difference: entry less rival, paired by world.
        p: p-value of Student's t test of the difference, corrected by Holm's method for all
            strata and all other entries, since the rival is chosen among them.
    """

    respect: str
    level: str
    worlds: int
    middle: float
    rival: str
    rival_middle: float
    difference: Estimate
    p: float

    @property
    def verdict(self) -> str:
        """``ahead`` or ``behind`` beyond doubt, or ``-``."""
        return _verdict(self.difference, self.p)


@dataclass(frozen=True)
class Against:
    """An entry against another one over all worlds, paired by world.

    Attributes:
        rival: label of the other entry.
        difference: entry less rival.
        middle: interquartile mean of the differences.
        low: lower end of its 95 % bootstrap interval over worlds; None with one world.
        high: upper end.
        p: p-value of Student's t test of the difference, corrected by Holm's method for all rivals.
    """

    rival: str
    difference: Estimate
    middle: float
    low: float | None
    high: float | None
    p: float

    @property
    def verdict(self) -> str:
        """``ahead`` or ``behind`` beyond doubt, or ``-``."""
        return _verdict(self.difference, self.p)


def world_scores(results: pl.DataFrame) -> dict[str, WorldScores]:
    """Mean over seeds of score / horizon oracle, by entry and scenario.

    Only entries that ran in all scenarios count, and only scenarios in which the horizon oracle
    expects something.

    Args:
        results: rows of `stageroute_gym.evaluation.evaluate`.
    """
    import polars as pl

    means = (
        results.group_by("entry", "scenario", maintain_order=True)
        .agg(pl.col(SCORE).sort_by("seed").mean())
        .drop_nulls()
        .sort("entry", "scenario")
    )
    everywhere = means["scenario"].n_unique()
    scores: dict[str, WorldScores] = {}
    for entry, scenario, score in means.iter_rows():
        scores.setdefault(entry, {})[scenario] = score
    return {entry: found for entry, found in scores.items() if len(found) == everywhere}


def over_worlds(scores: Mapping[str, WorldScores]) -> list[OverWorlds]:
    """Each entry over all worlds, the best by interquartile mean first.

    Args:
        scores: from `world_scores`.
    """
    rows = []
    for entry, found in scores.items():
        values = np.array(list(found.values()))
        middle, low, high = stratified_interval([values])
        worst = np.sort(values)[: max(1, round(WORST_SHARE * len(values)))]
        mean = math.fsum(values.tolist()) / len(values)
        rows.append(OverWorlds(entry, middle, low, high, mean, float(worst.mean())))
    return sorted(rows, key=lambda row: (-row.middle, row.entry))


def against_others(scores: Mapping[str, WorldScores], entry: str) -> list[Against]:
    """An entry against each other one, in their order.

    Args:
        scores: from `world_scores`.
        entry: label of the entry.
    """
    own = scores[entry]
    rivals = [label for label in scores if label != entry]
    apart = {rival: [own[name] - scores[rival][name] for name in own] for rival in rivals}
    corrected = holm([p_value(apart[rival]) for rival in rivals])
    return [
        Against(rival, estimate(apart[rival]), *stratified_interval([np.array(apart[rival])]), p)
        for rival, p in zip(rivals, corrected, strict=True)
    ]


def in_strata(scores: Mapping[str, WorldScores], entry: str, strata: Strata) -> list[InStratum]:
    """An entry against the best other one, over all worlds and in each stratum.

    Args:
        scores: from `world_scores`, at least of two entries.
        entry: label of the entry.
        strata: by scenario, the stratum that it belongs to in each respect.
    """
    worlds = [name for name in strata if name in scores[entry]]
    members: dict[tuple[str, str], list[str]] = {ALL: worlds}
    for respect in dict.fromkeys(key for name in worlds for key in strata[name]):
        for level in sorted({strata[name][respect] for name in worlds if respect in strata[name]}):
            members[respect, level] = [n for n in worlds if strata[n].get(respect) == level]
    others = [label for label in scores if label != entry]

    def differences(names: list[str], other: str) -> list[float]:
        return [scores[entry][name] - scores[other][name] for name in names]

    def middle(names: list[str], label: str) -> float:
        return float(interquartile_mean(np.array([scores[label][name] for name in names])))

    looks = [(place, other) for place in members for other in others]
    p_values = holm([p_value(differences(members[place], other)) for place, other in looks])
    corrected = dict(zip(looks, p_values, strict=True))
    rows = []
    for place, names in members.items():
        rival = max(others, key=lambda other: (middle(names, other), other))
        rows.append(
            InStratum(
                *place,
                len(names),
                middle(names, entry),
                rival,
                middle(names, rival),
                estimate(differences(names, rival)),
                corrected[place, rival],
            )
        )
    return rows


def _verdict(difference: Estimate, p: float) -> str:
    if p >= 1 - CONFIDENCE:
        return "-"
    return "ahead" if (difference.mean or 0) > 0 else "behind"
