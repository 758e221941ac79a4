from __future__ import annotations

import random

import pytest
from results import rows

from stageroute_gym.evaluation.ranking import rank, shared_ranks

KINDS = dict.fromkeys("abc", "learner")


def test_ranking_by_mean_then_label_and_overall_over_complete_entries() -> None:
    scores: dict[tuple[str, str], list[float | None]] = {
        ("s", "b"): [0.5, 0.7],
        ("s", "a"): [0.7, 0.5],
        ("s", "c"): [0.9, 0.9],
        ("t", "a"): [0.1, 0.2],
        ("t", "b"): [0.3, 0.3],
    }
    summary = rank(rows(scores), ["t", "s"], KINDS)
    assert list(summary["scenarios"]) == ["t", "s"]
    first = summary["scenarios"]["s"]["ranking"]
    assert [entry["entry"] for entry in first] == ["c", "a", "b"]
    assert first[1]["behind_first"]["mean"] == pytest.approx(0.3)
    assert first[0]["behind_first"]["mean"] == 0.0
    overall = summary["overall"]["ranking"]
    assert [entry["entry"] for entry in overall] == ["b", "a"]
    assert overall[0]["score_over_horizon_oracle"]["mean"] == pytest.approx((0.6 + 0.3) / 2)
    assert overall[0]["score_over_horizon_oracle"]["count"] == 2
    # Of 0.3, 0.3, 0.5, 0.7 the middle two.
    assert overall[0]["interquartile_mean"]["mean"] == pytest.approx(0.4)


def test_entries_that_cannot_be_told_apart_share_a_rank() -> None:
    noise = [0.01, -0.01, 0.02, -0.02, 0.0]
    scores = {
        "first": dict(enumerate(0.9 + x for x in noise)),
        "alike": dict(enumerate(0.89 - x for x in noise)),
        "last": dict(enumerate(0.1 + 2 * x for x in noise)),
    }
    assert shared_ranks(scores) == {"first": (1, 2), "alike": (1, 2), "last": (3, 3)}


def test_one_seed_separates_nobody() -> None:
    assert shared_ranks({"a": {0: 0.9}, "b": {0: 0.1}}) == {"a": (1, 2), "b": (1, 2)}


def test_references_stand_apart_and_have_no_rank() -> None:
    scores: dict[tuple[str, str], list[float | None]] = {
        ("s", "a"): [0.5, 0.6],
        ("s", "b"): [0.9, 0.9],
    }
    part = rank(rows(scores), ["s"], {"a": "learner", "b": "reference"})["scenarios"]["s"]
    assert [(row["entry"], row["rank"]) for row in part["ranking"]] == [("a", 1)]
    (reference,) = part["references"]
    assert (reference["rank"], reference["ranks"]) == (None, None)
    assert reference["behind_first"]["mean"] == pytest.approx(-0.35)


def test_ranking_does_not_depend_on_the_order_of_the_rows() -> None:
    results = rows({("s", "a"): [0.1, 0.7, 0.3], ("s", "b"): [0.2, 0.2, 0.9]})
    orders = [random.Random(seed).sample(range(6), 6) for seed in range(20)]
    seen = [rank(results[order], ["s"], KINDS) for order in orders]
    assert all(summary == seen[0] for summary in seen)


@pytest.mark.parametrize(("rule", "marked"), [("soft", True), ("hard", False)])
def test_overspending_is_marked_where_the_rule_lets_it_happen(rule: str, marked: bool) -> None:
    summary = rank(rows({("s", "a"): [0.5]}, budget_rule=rule), ["s"], KINDS)
    assert summary["scenarios"]["s"]["ranking"][0]["over_budget"] is marked


def test_an_oracle_that_expects_nothing_leaves_an_entry_last() -> None:
    summary = rank(rows({("s", "a"): [None], ("s", "b"): [0.1]}), ["s"], KINDS)
    assert [entry["entry"] for entry in summary["scenarios"]["s"]["ranking"]] == ["b", "a"]
