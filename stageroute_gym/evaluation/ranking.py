"""From rows of results to a ranking: statistics over seeds, of each scenario and of all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from stageroute_gym.evaluation.measures import BEHIND_FIRST, OF_EPISODES, SCORE
from stageroute_gym.evaluation.statistics import (
    CONFIDENCE,
    Estimate,
    estimate,
    holm,
    p_value,
    spread,
    stratified_interval,
)

if TYPE_CHECKING:
    import polars as pl

CORRECTION = "Holm's, over all pairs of ranked entries"
IQM = "interquartile_mean"

Row = dict[str, Any]
# A score for each seed; None where the horizon oracle expects nothing.
Scores = dict[int, float | None]


def rank(
    results: pl.DataFrame, scenarios: Sequence[str], kinds: Mapping[str, str]
) -> dict[str, Any]:
    """The ranking of each scenario, and over several scenarios the overall one.

    Entries stand in the order of their mean score over the horizon oracle's value; equal ones by
    label. An entry's ``rank`` is one more than the number of entries that are better beyond doubt:
    whose paired difference to it, over common seeds, lies above 0 by Student's t test at 5 %,
    corrected by Holm's method for all pairs. So entries that cannot be told apart share a rank.
    ``ranks`` are that and the highest number it could be: with a probability of 95 % these
    intervals hold the true ranks of all entries together (Mogstad, Romano, Shaikh and Wilhelm 2024,
    Review of Economic Studies 91). References are shown beside and have no rank.

    Under the rule ``soft`` an agent can score with money that it did not have: an entry with
    ``over_budget`` true is one that did.

    Args:
        results: rows of `stageroute_gym.evaluation.evaluate`.
        scenarios: the scenarios in the order to report them in.
        kinds: kind of each entry, by its label.

    Returns:
        JSON-native values. ``scenarios``: by name, ``problem`` (horizon, budget, its rule, the
        oracles' values), ``ranking`` and ``references``, lists of entries with ``rank``, ``ranks``
        (both None for references), ``entry``, ``kind``, what its seeds come to in each measure of
        `stageroute_gym.evaluation.measures`, ``over_budget``, and ``behind_first``, the paired
        difference to the first of the ranking. ``overall``: likewise ``ranking`` and
        ``references`` of the entries that ran in all scenarios, with the mean over scenarios of
        the score, its interval over seeds, and the interquartile mean over all episodes; None for
        one scenario.
    """
    import polars as pl

    present = set(results["scenario"])
    ranked = [name for name in scenarios if name in present]
    return {
        "ranked_by": SCORE,
        "confidence": CONFIDENCE,
        "correction": CORRECTION,
        "scenarios": {
            name: _rank_scenario(results.filter(pl.col("scenario") == name), kinds)
            for name in ranked
        },
        "overall": _rank_overall(results, scenarios, kinds) if len(scenarios) > 1 else None,
    }


def shared_ranks(scores: Mapping[str, Scores]) -> dict[str, tuple[int, int]]:
    """The lowest and highest rank that each entry may have; see `rank`.

    Args:
        scores: by label and seed.
    """
    labels = list(scores)
    pairs = [(a, b) for place, a in enumerate(labels) for b in labels[place + 1 :]]
    differences = [_paired(scores[a], scores[b]) for a, b in pairs]
    corrected = holm([p_value(values) for values in differences])
    above, below = dict.fromkeys(labels, 0), dict.fromkeys(labels, 0)
    for (a, b), values, p in zip(pairs, differences, corrected, strict=True):
        if p < 1 - CONFIDENCE:
            better, worse = (a, b) if math.fsum(values) > 0 else (b, a)
            above[worse] += 1
            below[better] += 1
    return {label: (1 + above[label], len(labels) - below[label]) for label in labels}


def _rank_scenario(rows: pl.DataFrame, kinds: Mapping[str, str]) -> dict[str, Any]:
    entries: list[Row] = []
    scores: dict[str, Scores] = {}
    for (label,), part in rows.sort("entry", "seed").group_by("entry", maintain_order=True):
        scores[label] = dict(zip(part["seed"].to_list(), part[SCORE].to_list(), strict=True))
        summed = {
            measure.key: _interval(estimate(part[measure.key]))
            if measure.summary == "interval"
            else asdict(spread(part[measure.key]))
            for measure in OF_EPISODES
        }
        spent = estimate(part["spend_over_budget"]).mean
        soft = part["budget_rule"][0] == "soft"
        over = soft and spent is not None and spent > 1
        entries.append({"entry": label, "episodes": len(part), **summed, "over_budget": over})
    problem = rows.select(
        *("scenario_version", "horizon", "budget", "budget_rule", "horizon_oracle", "stage_oracle")
    ).row(0, named=True)
    return {"problem": problem, **_ordered(entries, scores, kinds)}


def _rank_overall(
    results: pl.DataFrame, scenarios: Sequence[str], kinds: Mapping[str, str]
) -> dict[str, Any]:
    import polars as pl

    # By seed first: the scenarios share their seeds, so their episodes are not independent.
    by_seed = (
        results.group_by("entry", "seed")
        .agg(pl.col(SCORE).sort_by("scenario"), pl.col("scenario").n_unique().alias("_scenarios"))
        .filter((pl.col("_scenarios") == len(scenarios)).all().over("entry"))
        .sort("entry", "seed")
    )
    entries: list[Row] = []
    scores: dict[str, Scores] = {}
    for (label,), part in by_seed.group_by("entry", maintain_order=True):
        of_seeds = [[v for v in values if v is not None] for values in part[SCORE].to_list()]
        means = [math.fsum(values) / len(values) if values else None for values in of_seeds]
        scores[label] = dict(zip(part["seed"].to_list(), means, strict=True))
        strata = [
            np.array(group.drop_nulls().to_list(), np.float64)
            for _, group in _strata(results, label, scenarios)
        ]
        point, low, high = stratified_interval(strata) if strata else (None, None, None)
        entries.append(
            {
                "entry": label,
                SCORE: _interval(estimate(means)),
                IQM: {"mean": point, "low": low, "high": high, "count": sum(map(len, strata))},
            }
        )
    return {"scenarios": list(scenarios), **_ordered(entries, scores, kinds)}


def _strata(
    results: pl.DataFrame, label: str, scenarios: Sequence[str]
) -> list[tuple[str, pl.Series]]:
    """Scores of an entry in each scenario in which the horizon oracle expects something."""
    import polars as pl

    mine = results.filter(pl.col("entry") == label).sort("seed")
    parts = [(name, mine.filter(pl.col("scenario") == name)[SCORE]) for name in scenarios]
    return [(name, part) for name, part in parts if part.drop_nulls().len()]


def _ordered(
    entries: list[Row], scores: Mapping[str, Scores], kinds: Mapping[str, str]
) -> dict[str, Any]:
    """Entries in their order, with ranks and differences to the first; references apart."""

    def key(entry: Row) -> tuple[float, str]:
        mean = entry[SCORE]["mean"]
        return (math.inf if mean is None else -mean, entry["entry"])

    ordered = sorted(entries, key=key)
    reference = {entry["entry"]: kinds[entry["entry"]] == "reference" for entry in ordered}
    ranks = shared_ranks({k: v for k, v in scores.items() if not reference[k]})
    contenders = [entry["entry"] for entry in ordered if not reference[entry["entry"]]]
    rows = []
    for entry in ordered:
        label = entry["entry"]
        low, high = ranks.get(label, (None, None))
        behind = _paired(scores[contenders[0]], scores[label]) if contenders else []
        rows.append(
            {
                "rank": low,
                "ranks": None if low is None else [low, high],
                "entry": label,
                "kind": kinds[label],
                **{k: v for k, v in entry.items() if k != "entry"},
                BEHIND_FIRST: _interval(estimate(behind)),
            }
        )
    return {
        "ranking": [row for row in rows if row["rank"] is not None],
        "references": [row for row in rows if row["rank"] is None],
    }


def _paired(first: Scores, second: Scores) -> list[float]:
    """Differences of two entries over their common seeds."""
    return [
        value - other
        for seed, value in first.items()
        if value is not None and (other := second.get(seed)) is not None
    ]


def _interval(value: Estimate) -> dict[str, Any]:
    return {"mean": value.mean, "low": value.low, "high": value.high, "count": value.count}
