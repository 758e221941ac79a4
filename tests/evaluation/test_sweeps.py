from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from stageroute_gym import scenarios
from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation import compare
from stageroute_gym.evaluation.backends import LocalProcesses
from stageroute_gym.evaluation.leaderboard import run_leaderboard
from stageroute_gym.evaluation.sweeps import budget_curves, budget_truth, sweep
from stageroute_gym.evaluation.trials import LeaderboardSettings
from stageroute_gym.report.tables import report_tables

SCENARIO = scenarios.get("routerbench", horizon=200, num_stages=2)


def test_each_combination_is_a_variant_whose_name_holds_its_values() -> None:
    found = sweep(SCENARIO, {"budget": [1e-4, 5e-4], "max_deployed": [2, 3], "burst": 5.0})
    assert found.fields == ("budget", "max_deployed")
    assert [variant.name for variant in found.variants] == [
        f"routerbench(budget={b}, max_deployed={m})" for b in (0.0001, 0.0005) for m in (2, 3)
    ]
    problem = found.variants[1].problem
    assert (problem.budget, problem.max_deployed, problem.burst) == (1e-4, 3, 5.0)


def test_a_list_of_shares_is_one_value_and_a_list_of_lists_several() -> None:
    shares = [0.5] * 11
    (alone,) = sweep(SCENARIO, {"throughput": shares}).variants
    assert alone.problem.throughput == tuple(shares)
    assert alone.name == "routerbench"
    assert len(sweep(SCENARIO, {"throughput": [shares, [0.4] * 11]}).variants) == 2


@pytest.mark.parametrize(
    ("field", "overrides"),
    [("budget", {"budget": [1e-4, 1e-4]}), ("budget", {"budget": [1e-4, -1]})],
)
def test_wrong_values_are_named(field: str, overrides: dict[str, Any]) -> None:
    with pytest.raises(FieldError) as caught:
        sweep(SCENARIO, overrides)
    assert caught.value.field == field


def test_curves_by_hand() -> None:
    found = sweep(SCENARIO, {"budget": [4e-4, 1e-4, 2e-4]})
    # Listed as given, reported by rising budget: scores .2, .6 and .9 a query.
    scores = {4e-4: 0.9, 1e-4: 0.2, 2e-4: 0.6}
    rows = pl.DataFrame(
        [
            {
                "scenario": variant.name,
                "entry": "a",
                "seed": seed,
                "score_per_query": scores[variant.problem.budget] + shift,
                "spend": 200 * variant.problem.budget,
                "horizon": 200,
            }
            for variant in found.variants
            for seed, shift in ((0, -0.1), (1, 0.1))
        ]
    )
    truth = budget_truth(found, 0)
    assert truth is not None
    curves = budget_curves(truth, rows)
    entry, oracle = curves["entries"]["a"], curves["oracle"]["score"]
    assert curves["budgets"] == [1e-4, 2e-4, 4e-4]
    assert entry["score"] == pytest.approx([0.2, 0.6, 0.9])
    assert entry["cost"] == pytest.approx([1e-4, 2e-4, 4e-4])
    # Equal steps of the logarithm: the trapezoids' weights are 1, 2, 1.
    area = (0.2 + 2 * 0.6 + 0.9) / (oracle[0] + 2 * oracle[1] + oracle[2])
    assert entry["area"] == pytest.approx(area)
    # The best model, gpt-4, is reached between the second and the third budget.
    wanted, price = curves["single"]["score"], curves["single"]["cost"]
    spent = 2e-4 + (wanted - 0.6) / 0.3 * 2e-4
    assert entry["saving"] == pytest.approx(1 - spent / price)


def test_another_field_has_no_curve() -> None:
    found = sweep(SCENARIO, {"max_deployed": [2, 3]})
    assert budget_truth(found, 0) is None


@pytest.mark.slow
def test_a_leaderboard_over_budgets(tmp_path: Path) -> None:
    settings = LeaderboardSettings.checked(
        agents=["players:Even", "players:Dear"],
        scenarios=["routerbench"],
        seeds=[0, 1],
        horizon=200,
        num_stages=2,
        budget=[1e-4, 1e-3],
    )
    board = run_leaderboard(settings, tmp_path, backend=LocalProcesses(1))
    (curves,) = board.summary["sweeps"]
    assert list(curves["entries"]) == ["players:Dear", "players:Even"]
    rows = pl.read_parquet(tmp_path / "results.parquet")
    assert rows["budget"].unique().sort().to_list() == [1e-4, 1e-3]
    assert len(compare(rows, "players:Dear", "players:Even")) == 2
    assert board.timings is not None
    tables = report_tables(board.summary, board.timings)
    (table,) = [t for t in tables if t.title.startswith("routerbench: score a query at budgets")]
    assert table.columns == ("entry", "0.0001", "0.001", "area", "saving")
