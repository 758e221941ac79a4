"""Rows of the charts against sums over the files that they come from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from stageroute_gym.evaluation.measures import SCORE
from stageroute_gym.evaluation.profiles import performance_profile
from stageroute_gym.evaluation.statistics import estimate
from stageroute_gym.report.charts import model_data
from stageroute_gym.report.charts.data import chart_tables
from stageroute_gym.report.charts.model_data import model_tables
from stageroute_gym.report.results import Results


@pytest.fixture(scope="module")
def tables(results: Results) -> dict[str, pl.DataFrame]:
    return chart_tables(results)


def test_curves_end_at_the_results(results: Results, tables: dict[str, pl.DataFrame]):
    last = tables["curves"].filter(t=1100)
    assert len(last) == 2 * 5
    for row in last.iter_rows(named=True):
        mine = results.episodes.filter(scenario=row["scenario"], entry=row["entry"])
        regret = estimate(mine["regret"])
        assert regret.low is not None
        assert regret.high is not None
        assert row["regret"] == pytest.approx(regret.mean, rel=1e-4, abs=1e-3)
        assert row["regret_low"] == pytest.approx(regret.low, rel=1e-4, abs=1e-3)
        assert row["regret_high"] == pytest.approx(regret.high, rel=1e-4, abs=1e-3)
        assert row["spent"] == pytest.approx(mine["spend_over_budget"].median(), rel=1e-4)
        assert row["spent_high"] == pytest.approx(mine["spend_over_budget"].max(), rel=1e-4)
    first = tables["curves"].filter(t=0)
    assert len(first) == 2 * 5
    assert first["regret"].to_list() == first["spent"].to_list() == [0.0] * 10


def test_a_stages_shares_add_up_to_what_was_served(
    results: Results, tables: dict[str, pl.DataFrame]
):
    served = (
        results.stages.group_by("scenario", "entry", "start")
        .agg((pl.col("served") / pl.col("queries")).mean().alias("served"))
        .sort("scenario", "entry", "start")
    )
    shares = tables["cells"].group_by("scenario", "entry", "start").agg(pl.col("share").sum())
    both = served.join(shares, on=["scenario", "entry", "start"], how="left")
    assert np.allclose(both["served"], both["share"].fill_null(0), atol=1e-4)
    assert tables["cells"]["deployed"].is_between(0, 1).all()


def test_the_plan_beside_an_entry_is_the_stage_oracles(
    results: Results, tables: dict[str, pl.DataFrame]
):
    for scenario in results.scenarios:
        planned = results.oracles.filter(scenario=scenario).explode("stage_models", "stage_shares")
        for entry in results.kinds:
            drawn = tables["plans"].filter(scenario=scenario, entry=entry)
            total = (drawn["share"] * (drawn["end"] - drawn["start"])).sum()
            assert total == pytest.approx((planned["stage_shares"] * planned["queries"]).sum())


def test_spans_on_offer_say_when_a_model_came_and_went(tables: dict[str, pl.DataFrame]):
    offers = tables["offers"].filter(scenario="outage", entry="oracle")
    twice = offers.filter(pl.len().over("model") == 2)
    assert twice["model"].n_unique() == 1
    first, second = twice.iter_rows(named=True)
    assert first["leaves"] == first["end"] < second["start"] == second["arrives"]
    assert second["leaves"] is None
    whole = offers.filter((pl.col("start") == 0) & (pl.col("end") == 1100))
    assert len(whole) > 0
    assert whole["arrives"].null_count() == whole["leaves"].null_count() == len(whole)


def test_models_beyond_the_last_row_are_added_up(results: Results, monkeypatch: pytest.MonkeyPatch):
    whole = model_tables(results)
    monkeypatch.setattr(model_data, "MODELS_DRAWN", 2)
    folded = model_tables(results)
    for name in ("cells", "plans"):
        keys = ["scenario", "entry", "start"]
        sums = [
            table[name].group_by(keys).agg(pl.col("share").sum()).sort(keys)["share"]
            for table in (whole, folded)
        ]
        assert np.allclose(*sums)
        assert folded[name]["place"].max() == 2
    others = folded["cells"].filter(place=2)["model"].unique().to_list()
    assert all(name.endswith("other models") for name in others)


def test_the_order_of_rows_changes_no_bit(results: Results, monkeypatch: pytest.MonkeyPatch):
    """Threads hand rows on in any order, and floats add up to another last bit in another."""
    monkeypatch.setattr(model_data, "MODELS_DRAWN", 2)
    first = model_tables(results)
    for seed in range(5):
        shuffled = results.stages.sample(fraction=1.0, shuffle=True, seed=seed)
        again = model_tables(replace(results, stages=shuffled))
        for name, table in first.items():
            assert table.equals(again[name]), name


def test_points_are_means_and_the_frontier_is_above_blind_entries(
    results: Results, tables: dict[str, pl.DataFrame]
):
    points = tables["points"].filter(scenario="routerbench")
    frontier = points.filter(pl.col("entry").is_null()).sort("cost")
    assert len(frontier) > 3
    for row in points.filter(pl.col("entry").is_not_null()).iter_rows(named=True):
        mine = results.episodes.filter(scenario="routerbench", entry=row["entry"])
        assert row["cost"] == pytest.approx(mine["spend"].mean() / 1100 * 1000, rel=1e-4)
        assert row["score"] == pytest.approx(mine["score"].mean() / 1100, rel=1e-4)
        most = np.interp(row["cost"], frontier["cost"], frontier["score"])
        assert row["score"] <= most * 1.1


def test_the_profile_by_hand():
    scores = [np.array([0.5, 1.0]), np.array([0.2, 0.4, 0.6, 0.8])]
    profile = performance_profile(scores, np.array([0.1, 0.5, 0.7, 1.1]))
    assert profile.tolist() == [1.0, (1 + 0.5) / 2, (0.5 + 0.25) / 2, 0.0]


def test_the_area_below_a_profile_is_the_mean(results: Results, tables: dict[str, pl.DataFrame]):
    for (entry,), rows in tables["profile"].group_by("entry"):
        score, share = rows["score"].to_numpy(), rows["share"].to_numpy()
        assert share[0] == 1
        assert share[-1] == 0
        assert (np.diff(share) <= 0).all()
        area = score[0] + (share[1:] * np.diff(score)).sum()
        mean = results.episodes.filter(entry=entry).group_by("scenario").agg(pl.col(SCORE).mean())
        assert area == pytest.approx(mean[SCORE].mean(), abs=score[1] - score[0])
