from __future__ import annotations

from typing import Any

import pytest

from stageroute_gym.report.conclusions import conclusions, failures, leaders_table


def row(
    entry: str, rank: int | None, mean: float | None, half: float | None = 0.01
) -> dict[str, Any]:
    ends = (None, None) if half is None or mean is None else (mean - half, mean + half)
    score = {"mean": mean, "low": ends[0], "high": ends[1], "count": 2}
    return {"entry": entry, "rank": rank, "score_over_horizon_oracle": score}


def summary(*ranking: dict[str, Any], seeds: int = 2) -> dict[str, Any]:
    part = {"ranking": list(ranking), "references": []}
    settings = {"seeds": list(range(seeds))}
    return {"scenarios": {"one": part}, "overall": None, "settings": settings, "failures": []}


def test_a_leader_beyond_doubt():
    lines = conclusions(summary(row("a", 1, 0.9), row("b", 2, 0.5)))
    assert lines == [
        "a leads on one: it scores 0.900 of what the horizon oracle expects (95 % interval 0.890 "
        "to 0.910).",
        "It is ahead of every other entry beyond doubt, with 2 seeds.",
    ]


def test_a_leader_with_others_beside():
    ranked = summary(row("a", 1, 0.9), row("b", 1, 0.89), row("c", 2, 0.5), row("d", 1, 0.4))
    assert conclusions(ranked)[1] == "Not separable from it with 2 seeds: b, d."
    assert leaders_table(ranked).rows == (("one", "a", "0.900 ± 0.010", "b, d"),)


def test_many_beside_are_counted():
    ranked = summary(*(row(f"e{i}", 1, 0.9 - i / 100) for i in range(12)))
    assert conclusions(ranked)[1].endswith("e1, e2, e3, e4, e5, e6, 5 more.")


@pytest.mark.parametrize(
    ("ranked", "line"),
    [
        (summary(), "Only references ran on one: nothing is ranked."),
        (
            summary(row("a", 1, None)),
            "Nothing can be ranked on one: the horizon oracle expects no score.",
        ),
        (
            summary(row("a", 1, 0.9, None), row("b", 1, 0.8, None), seeds=1),
            "With one seed no two entries can be told apart.",
        ),
    ],
)
def test_what_cannot_be_concluded_is_said(ranked: dict[str, Any], line: str):
    assert line in conclusions(ranked)


def test_failures_are_named():
    ranked = summary(row("a", 1, 0.9))
    ranked["failures"] = [{"scenario": "one", "entry": "bad", "error": "ValueError: no"}]
    assert failures(ranked) == ["Failed: bad on one: ValueError: no"]
