"""Verdicts follow the figures: each flips when they do."""

from __future__ import annotations

import copy
from typing import Any

from stageroute_gym.reproduction.claims import AGREES, DIFFERS, UNTESTED, claims_table
from stageroute_gym.reproduction.judging import (
    CLAIMS,
    adopts,
    beats_simple,
    diverse,
    figures,
    keeps_budget,
    near_optimum,
    tracks_oracle,
)


def interval(mean: float, half: float = 0.01) -> dict[str, float]:
    return {"mean": mean, "low": mean - half, "high": mean + half}


def row(budget: float, rule: str, entry: str, score: float, spend: float) -> dict[str, Any]:
    return {
        "budget": budget,
        "rule": rule,
        "entry": entry,
        "agent": "stageroute",
        "kind": "learner",
        "stage": interval(score),
        "spend": {"median": spend, "minimum": spend, "maximum": spend},
    }


def regret() -> dict[str, Any]:
    """StageRoute tracks the oracle at both budgets, ahead of all others."""
    ahead = [
        {"budget": budget, "rule": "hard", "entry": entry, "ahead": interval(0.1)}
        for budget in (1e-4, 1e-3)
        for entry in ("greedy-ratio", "greedy-price", "uniform")
    ]
    rows = [
        row(budget, rule, "stageroute", 0.98, 1.0)
        for budget in (1e-4, 1e-3)
        for rule in ("soft", "hard")
    ]
    return {"rows": rows, "ahead": ahead}


VARIANTS = {"rows": [row(1e-4, "hard", "gamma 0.001", 0.9, 1.0)]}


def test_tracking_needs_the_score_and_the_budget_under_both_rules():
    assert tracks_oracle(regret(), VARIANTS).verdict.startswith(AGREES)
    for place, key, value in ((0, "stage", interval(0.955)), (1, "stage", interval(0.8))):
        worse = regret()
        worse["rows"][place][key] = value
        assert tracks_oracle(worse, VARIANTS).verdict.startswith(DIFFERS)
    assert "asked at least 0.95 of it" in tracks_oracle(regret(), VARIANTS).verdict
    overspent = regret()
    overspent["rows"][0]["spend"]["median"] = 1.2
    found = tracks_oracle(overspent, VARIANTS)
    assert found.verdict.startswith(DIFFERS)
    assert "for 1.20 of the budget" in found.measured
    assert "at 0.1 USD for 1,000: 0.980 for 1.20 of the budget (soft)" in found.short
    assert "from 1 USD for 1,000 on" in found.measured
    assert keeps_budget(regret()).verdict.startswith(AGREES)
    assert keeps_budget(overspent).verdict.startswith(DIFFERS)
    assert "1.20 (1.00 to 1.00) at 0.1 USD for 1,000" in keeps_budget(overspent).measured


def test_a_loose_budget_says_nothing_of_tight_ones():
    loose = regret()
    loose["rows"][2]["stage"] = interval(0.5)
    assert tracks_oracle(loose, VARIANTS).verdict.startswith(AGREES)
    assert near_optimum(loose).verdict.startswith(AGREES)  # it is under the rule soft
    loose["rows"][3]["stage"] = interval(0.5)
    assert near_optimum(loose).verdict.startswith(DIFFERS)


def test_being_behind_one_simple_baseline_at_one_budget_differs():
    assert beats_simple(regret()).verdict.startswith(AGREES)
    even, behind = regret(), regret()
    even["ahead"][0]["ahead"] = interval(0.001)
    assert beats_simple(even).verdict.startswith(AGREES)
    behind["ahead"][0]["ahead"] = interval(-0.1)
    found = beats_simple(behind)
    assert found.verdict.startswith(DIFFERS)
    assert "greedy-ratio: ahead at 1, not to be told apart at 0, behind at 1" in found.measured
    assert found.short.startswith(
        "ahead of greedy-ratio at 1 of 2 (behind at 1), greedy-price at 2"
    )


def test_adoption_is_judged_by_the_worst_setting():
    rows = [
        {
            "entry": "stageroute",
            "factor": "max_deployed",
            "value": slots,
            "adopted": share,
            "delay": {"median": delay},
        }
        for slots, share, delay in ((3, 0.95, 4), (5, 1.0, 1))
    ]
    assert adopts({"rows": rows}).verdict.startswith(AGREES)
    never = copy.deepcopy(rows)
    never[0].update(adopted=0.4, delay={"median": None})
    found = adopts({"rows": never})
    assert found.verdict.startswith(DIFFERS)
    assert "M_max: 3 (never), 5 (1)" in found.measured


def test_diverse_workloads_are_all_of_the_suite():
    entry = {
        "entry": "stageroute",
        "ranks": [1, 2],
        "on": {"a": {"score": 0.96}, "b": {"score": 0.97}},
    }
    summary = {"suite": "s", "scenarios": ["a", "b"], "entries": [entry]}
    assert diverse(summary).verdict.startswith(AGREES)
    entry["on"]["b"]["score"] = 0.5  # type: ignore[index]
    assert diverse(summary).verdict.startswith(DIFFERS)
    assert figures().verdict.startswith(UNTESTED)
    assert figures().verdict.endswith(figures().short)


def test_a_claim_whose_part_has_not_run_says_so():
    rows = claims_table({"parts": {}}).table.rows
    assert len(rows) == len(CLAIMS)
    needing = [verdict for claim, (*_, verdict) in zip(CLAIMS, rows, strict=True) if claim.parts]
    assert needing
    assert all(verdict.startswith("not run yet") for verdict in needing)


def test_what_did_not_run_leaves_a_claim_untested():
    soft = {key: [row for row in rows if row["rule"] == "soft"] for key, rows in regret().items()}
    for judge in (beats_simple, near_optimum):
        assert judge(soft).verdict.startswith(UNTESTED)
    assert keeps_budget(soft).verdict.startswith(AGREES)
    assert tracks_oracle(soft, VARIANTS).verdict.startswith(UNTESTED)
    hard = {key: [row for row in rows if row["rule"] == "hard"] for key, rows in regret().items()}
    assert keeps_budget(hard).verdict.startswith(UNTESTED)
    assert adopts({"rows": []}).verdict.startswith(UNTESTED)
    assert diverse({"entries": [], "scenarios": []}).verdict.startswith(UNTESTED)
    assert "No stageroute ran" in tracks_oracle(regret(), {"rows": [OTHER]}).measured


OTHER = {**row(1e-4, "hard", "uniform", 0.9, 1.0), "agent": "uniform"}
