from __future__ import annotations

import random

import polars as pl
import pytest

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation import compare, estimate
from stageroute_gym.evaluation.ranking import rank


def test_estimate_of_a_case_worked_by_hand() -> None:
    # Mean 4, standard deviation 2, n = 4: half-width t(3, 0.975) * 2 / sqrt(4) = 3.182446.
    found = estimate([2.0, 4.0, 4.0, 6.0])
    assert found.mean == 4.0
    assert found.count == 4
    deviation = (8 / 3) ** 0.5
    assert found.half_width == pytest.approx(3.182446305 * deviation / 2, rel=1e-9)
    assert found.low == pytest.approx(4.0 - 3.182446305 * deviation / 2)
    assert found.high == pytest.approx(4.0 + 3.182446305 * deviation / 2)


def test_estimate_without_an_interval() -> None:
    assert estimate([]).mean is None
    assert estimate([None]).count == 0
    single = estimate([None, 1.5])
    assert (single.mean, single.half_width, single.low, single.high) == (1.5, None, None, None)


def test_estimate_does_not_depend_on_the_order() -> None:
    values = [random.Random(0).random() * 10**k for k in range(-8, 8)]
    shuffled = random.Random(1).sample(values, len(values))
    assert estimate(values) == estimate(shuffled)


def rows(scores: dict[tuple[str, str], list[float | None]], **columns: object) -> pl.DataFrame:
    """Results with these scores by scenario and agent, seeds counted from 0."""
    records = [
        {"scenario": scenario, "agent": agent, "seed": seed, "score_over_horizon_oracle": value}
        for (scenario, agent), values in scores.items()
        for seed, value in enumerate(values)
    ]
    constant = {
        "scenario_version": 1,
        "horizon": 100,
        "budget": 1e-3,
        "budget_rule": "hard",
        "horizon_oracle": 80.0,
        "stage_oracle": 75.0,
        "score_over_stage_oracle": 1.0,
        "regret": 1.0,
        "spend_over_budget": 1.2,
        "unserved": 0,
        "invalid_share": 0.0,
        "activations": 5,
        **columns,
    }
    frame = pl.DataFrame(records, schema_overrides={"score_over_horizon_oracle": pl.Float64})
    return frame.with_columns(**{name: pl.lit(value) for name, value in constant.items()})


def test_paired_difference_by_hand() -> None:
    # Differences 1, 2, 3: mean 2, standard deviation 1, half-width t(2, 0.975) / sqrt(3).
    results = rows({("s", "a"): [1, 4, 9], ("s", "b"): [0, 2, 6, 50]})
    found = compare(results, "a", "b").row(0, named=True)
    assert found["difference"] == 2.0
    assert found["seeds"] == 3
    assert found["high"] - 2.0 == pytest.approx(4.302652730 / 3**0.5, rel=1e-9)
    assert 2.0 - found["low"] == pytest.approx(4.302652730 / 3**0.5, rel=1e-9)
    backwards = compare(results, "b", "a").row(0, named=True)
    assert backwards["difference"] == -2.0


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("first", ("aa", "b")),
        ("second", ("a", "bb")),
        ("column", ("a", "b", "scor")),
        ("results", ("a", "c")),
    ],
)
def test_compare_names_what_is_missing(field: str, arguments: tuple[str, ...]) -> None:
    results = rows({("s", "a"): [1.0], ("s", "b"): [2.0], ("t", "c"): [2.0]})
    with pytest.raises(FieldError) as caught:
        compare(results, *arguments)
    assert caught.value.field == field


def test_compare_refuses_two_episodes_of_a_seed() -> None:
    results = rows({("s", "a"): [1.0], ("s", "b"): [2.0]})
    with pytest.raises(FieldError, match="one episode a seed"):
        compare(pl.concat([results, results]), "a", "b")


def test_ranking_by_mean_then_name_and_overall_over_complete_agents() -> None:
    scores: dict[tuple[str, str], list[float | None]] = {
        ("s", "b"): [0.5, 0.7],
        ("s", "a"): [0.7, 0.5],
        ("s", "c"): [0.9, 0.9],
        ("t", "a"): [0.1, 0.2],
        ("t", "b"): [0.3, 0.3],
    }
    summary = rank(rows(scores), ["t", "s"])
    assert list(summary["scenarios"]) == ["t", "s"]
    first = summary["scenarios"]["s"]["ranking"]
    assert [(entry["rank"], entry["agent"]) for entry in first] == [(1, "c"), (2, "a"), (3, "b")]
    assert first[1]["behind_first"]["mean"] == pytest.approx(0.3)
    assert first[0]["behind_first"]["mean"] == 0.0
    overall = summary["overall"]
    assert [entry["agent"] for entry in overall] == ["b", "a"]
    assert overall[0]["score_over_horizon_oracle"]["mean"] == pytest.approx((0.6 + 0.3) / 2)
    assert overall[0]["score_over_horizon_oracle"]["count"] == 2


def test_ranking_does_not_depend_on_the_order_of_the_rows() -> None:
    results = rows({("s", "a"): [0.1, 0.7, 0.3], ("s", "b"): [0.2, 0.2, 0.9]})
    orders = [random.Random(seed).sample(range(6), 6) for seed in range(20)]
    seen = [rank(results[order], ["s"]) for order in orders]
    assert all(summary == seen[0] for summary in seen)


@pytest.mark.parametrize(("rule", "marked"), [("soft", True), ("hard", False)])
def test_overspending_is_marked_where_the_rule_lets_it_happen(rule: str, marked: bool) -> None:
    summary = rank(rows({("s", "a"): [0.5]}, budget_rule=rule), ["s"])
    assert summary["scenarios"]["s"]["ranking"][0]["over_budget"] is marked


def test_an_oracle_that_expects_nothing_leaves_an_agent_last() -> None:
    summary = rank(rows({("s", "a"): [None], ("s", "b"): [0.1]}), ["s"])
    assert [entry["agent"] for entry in summary["scenarios"]["s"]["ranking"]] == ["b", "a"]
