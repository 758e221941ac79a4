"""Entries over worlds and in strata, against figures by hand."""

from __future__ import annotations

import polars as pl
import pytest

from stageroute_gym.evaluation.measures import SCORE
from stageroute_gym.evaluation.strata import against_others, in_strata, over_worlds, world_scores

STRATA = {f"w{number}": {"budget": "tight" if number < 4 else "loose"} for number in range(8)}


def results(scores: dict[str, list[float | None]]) -> pl.DataFrame:
    """Two seeds a world, of which the second scores 0.2 more."""
    rows = [
        {"entry": entry, "scenario": f"w{world}", "seed": seed, SCORE: value}
        for entry, values in scores.items()
        for world, score in enumerate(values)
        for seed in (0, 1)
        for value in (None if score is None else score + 0.2 * seed,)
    ]
    return pl.DataFrame(rows)


def test_a_world_counts_once_whatever_its_seeds():
    scores = world_scores(results({"a": [0.1, 0.3], "b": [0.2, None], "c": [0.5, 0.6]}))
    assert scores["a"] == pytest.approx({"w0": 0.2, "w1": 0.4})
    assert list(scores) == ["a", "c"]  # b lacks a world


def test_the_middle_half_and_the_worst_worlds():
    values = [0.0, 0.1, 0.4, 0.5, 0.6, 0.7, 0.9, 1.0]
    (row,) = over_worlds(world_scores(results({"a": [v - 0.1 for v in values]})))
    assert row.middle == pytest.approx((0.4 + 0.5 + 0.6 + 0.7) / 4)
    assert row.mean == pytest.approx(sum(values) / 8)
    assert row.worst == pytest.approx(0.0)
    assert row.low < row.middle < row.high


def test_the_best_other_entry_of_each_stratum():
    ours = [0.5, 0.52, 0.51, 0.49, 0.8, 0.81, 0.79, 0.8]
    scores = world_scores(
        results(
            {
                "ours": ours,
                # Better by 0.1 where budgets are tight, worse by 0.2 where they are loose.
                "steady": [v + (0.1 if i < 4 else -0.2) + 0.001 * i for i, v in enumerate(ours)],
                "poor": [0.1] * 8,
            }
        )
    )
    everywhere, loose, tight = in_strata(scores, "ours", STRATA)
    assert (everywhere.respect, everywhere.worlds) == ("all", 8)
    assert (loose.level, loose.rival, loose.verdict) == ("loose", "steady", "ahead")
    assert loose.difference.mean == pytest.approx(0.2 - 0.0055)
    assert (tight.level, tight.rival, tight.verdict) == ("tight", "steady", "behind")
    assert everywhere.verdict == "-"


def test_each_other_entry_is_compared_by_world():
    scores = world_scores(
        results(
            {
                "ours": [0.5] * 8,
                "worse": [0.4, 0.39, 0.41, 0.4, 0.38, 0.42, 0.4, 0.4],
                "unlike": [0.1, 0.9] * 4,
            }
        )
    )
    unlike, worse = against_others(scores, "ours")
    assert (worse.rival, worse.verdict) == ("worse", "ahead")
    assert worse.difference.mean == pytest.approx(0.1)
    # Without the two lowest and the two highest differences, 0.1 is left.
    assert worse.middle == pytest.approx(0.1)
    assert worse.low < 0.1 < worse.high
    assert (unlike.difference.mean, unlike.verdict) == (pytest.approx(0.0), "-")
    assert unlike.p == pytest.approx(1.0)


def test_noise_is_no_difference():
    scores = world_scores(results({"a": [0.1, 0.9] * 4, "b": [0.9, 0.1] * 4}))
    assert {row.verdict for row in in_strata(scores, "a", STRATA)} == {"-"}
