from __future__ import annotations

import hashlib
import time
from pathlib import Path

import fit_figures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stageroute_gym.errors import FieldError
from stageroute_gym.problem import Problem
from stageroute_gym.workloads import Figures, figures
from stageroute_gym.workloads.table import OutcomeTable

PUBLISHED = np.array([row[:2] for row in fit_figures.PUBLISHED.values()])
FAMILIES = list(fit_figures.QUERIES)
LARGE = ("mmlu", "hellaswag", "gsm8k")
OFF = ~np.eye(11, dtype=bool)


@pytest.fixture(scope="module")
def drawn() -> OutcomeTable:
    return Figures(features="task").build(problem())[0]


@pytest.fixture(scope="module")
def records(shared_data: Path) -> dict[str, fit_figures.Sample]:
    return {family: fit_figures.sample_of(shared_data, family) for family in FAMILIES}


def correlation(values, weight):
    covariance = np.cov(values.T, aweights=weight)
    spread = np.sqrt(np.diag(covariance))
    return covariance / np.outer(spread, spread)


def quantile(values, weight, at):
    order = np.argsort(values)
    return values[order][np.searchsorted(weight[order].cumsum() / weight.sum(), at)]


def together(records):
    """Scores, costs and weights of all families, in proportion to their sizes."""
    weight = [s.weight / s.weight.sum() * fit_figures.QUERIES[f] for f, s in records.items()]
    return (
        np.concatenate([sample.score for sample in records.values()]),
        np.concatenate([sample.cost for sample in records.values()]),
        np.concatenate(weight),
    )


def test_means_are_the_published_ones(drawn):
    np.testing.assert_allclose(drawn.mean_score(), PUBLISHED[:, 0], atol=0.0005)
    np.testing.assert_allclose(drawn.mean_cost(), PUBLISHED[:, 1], rtol=1e-4)


def test_family_means_and_weights_are_the_figures(drawn):
    for place, (name, family) in enumerate(figures._routerbench()["families"].items()):
        rows = drawn.task == place
        assert drawn.task_names[place] == name
        share = drawn.weight[rows].sum() / drawn.weight.sum()
        assert share == pytest.approx(fit_figures.QUERIES[name] / 36497)
        for model, outcome in enumerate(family["outcomes"].values()):
            mean = np.dot(family["levels"], outcome["shares"]) / sum(outcome["shares"])
            assert abs(drawn.score[rows, model].mean() - mean) <= 0.51 / rows.sum()
            assert drawn.cost[rows, model].mean() == pytest.approx(outcome["cost"])


def test_score_levels(drawn):
    for place, name in enumerate(drawn.task_names):
        levels = np.unique(drawn.score[drawn.task == place])
        assert set(levels) <= set(fit_figures.LEVELS[name])
    gsm8k = drawn.score[drawn.task == FAMILIES.index("gsm8k")]
    # Recorded: 0.4 % at 0, 31 % at 0.25, 16 % at 0.5, 52 % at 0.75, 0.3 % at 1.
    shares = [(gsm8k == level).mean() for level in (0, 0.25, 0.5, 0.75, 1)]
    np.testing.assert_allclose(shares, [0.004, 0.310, 0.164, 0.519, 0.003], atol=0.02)


def test_gsm8k_and_mbpp_are_the_published_ones(drawn):
    for name, column in (("gsm8k", 2), ("mbpp", 3)):
        score = drawn.score[drawn.task == FAMILIES.index(name)].mean(axis=0)
        published = [row[column] for row in fit_figures.PUBLISHED.values()]
        np.testing.assert_allclose(score, published, atol=0.006)


def test_family_means_are_those_of_the_records(drawn, records):
    for place, (name, sample) in enumerate(records.items()):
        rows = drawn.task == place
        recorded = np.average(sample.score, axis=0, weights=sample.weight)
        # 3.5 standard errors of a recorded mean, and the rounding of a share to drawn rows.
        error = 3.5 * sample.score.std(axis=0) / np.sqrt(len(sample.score)) + 0.51 / rows.sum()
        assert (np.abs(drawn.score[rows].mean(axis=0) - recorded) <= error).all(), name
        cost = np.average(sample.cost, axis=0, weights=sample.weight)
        ratio = drawn.cost[rows].mean(axis=0) / cost
        assert (np.abs(ratio - 1) < (0.35 if name == "mtbench" else 0.25)).all(), name


def test_correlations_are_those_of_the_records(drawn, records):
    score, cost, weight = together(records)
    gap = correlation(drawn.score, drawn.weight) - correlation(score, weight)
    assert np.sqrt((gap[OFF] ** 2).mean()) < 0.03
    assert np.abs(gap).max() < 0.08
    logs = correlation(np.log(drawn.cost), drawn.weight)
    recorded = correlation(np.log(cost), weight)
    assert logs[OFF].min() > 0.93
    assert np.abs(logs - recorded).max() < 0.03


@pytest.mark.parametrize("family", LARGE)
def test_correlations_within_the_large_families(drawn, records, family):
    sample, rows = records[family], drawn.task == FAMILIES.index(family)
    score, cost = drawn.score[rows], drawn.cost[rows]
    gap = np.corrcoef(score.T) - np.corrcoef(sample.score.T)
    assert np.sqrt((gap[OFF] ** 2).mean()) < 0.06
    gap = np.corrcoef(np.log(cost).T) - np.corrcoef(np.log(sample.cost).T)
    assert np.sqrt((gap[OFF] ** 2).mean()) < 0.12
    difficulty = [
        np.corrcoef(s.mean(axis=1), np.log(c).mean(axis=1))[0, 1]
        for s, c in ((score, cost), (sample.score, sample.cost))
    ]
    assert abs(difficulty[0] - difficulty[1]) < 0.08


@pytest.mark.parametrize(("at", "tolerance"), [(0.1, 0.15), (0.5, 0.1), (0.9, 0.1), (0.99, 0.17)])
def test_cost_quantiles_are_those_of_the_records(drawn, records, at, tolerance):
    _, cost, weight = together(records)
    for model in range(11):
        recorded = quantile(cost[:, model], weight, at) / np.average(cost[:, model], weights=weight)
        here = quantile(drawn.cost[:, model], drawn.weight, at) / drawn.mean_cost()[model]
        assert here == pytest.approx(recorded, rel=tolerance)


def test_the_best_of_all_models_is_that_of_the_records(drawn, records):
    score, _, weight = together(records)
    recorded = np.average(score.max(axis=1), weights=weight)
    assert np.average(drawn.score.max(axis=1), weights=drawn.weight) == pytest.approx(
        recorded, abs=0.015
    )


def test_the_script_still_gives_the_committed_figures(shared_data):
    fitted = fit_figures.fit(shared_data)
    committed = figures._routerbench()
    assert fitted["models"] == committed["models"]
    for name, family in fitted["families"].items():
        assert family["levels"] == committed["families"][name]["levels"]
        for model, outcome in family["outcomes"].items():
            expected = committed["families"][name]["outcomes"][model]
            assert outcome["cost"] == pytest.approx(expected["cost"], rel=1e-4)
            for key in ("shares", "cost_loadings"):
                np.testing.assert_allclose(outcome[key], expected[key], atol=2e-3, err_msg=key)
    # The two factors are fixed up to a rotation only.
    first, second = (
        np.array([o["score_loadings"] for o in f["families"]["mmlu"]["outcomes"].values()])
        for f in (fitted, committed)
    )
    np.testing.assert_allclose(first @ first.T, second @ second.T, atol=0.02)


def test_the_committed_file_is_what_the_script_writes():
    file = Path(figures.__file__).with_name("routerbench.json")
    assert file.read_text() == fit_figures.as_text(figures._routerbench())


def test_drawn_once_and_for_all(drawn):
    again = Figures(features="task").build(problem())[0]
    for name in ("score", "cost", "task", "features", "weight", "list_price"):
        np.testing.assert_array_equal(getattr(drawn, name), getattr(again, name))
    # Logs to six decimals, so that another machine's exp may differ in its last bit.
    digest = hashlib.sha256()
    digest.update(drawn.score.tobytes())
    digest.update(np.round(np.log(drawn.cost) * 1e6).astype(np.int64).tobytes())
    assert digest.hexdigest() == "28eba7f14210ddf4bdb0841df2c0fd7deb609ee9896e2d519bc3cf2972bb5078"


def test_another_seed_is_another_table(drawn):
    other = Figures(table_seed=1).build(problem())[0]
    assert (other.score != drawn.score).any()
    np.testing.assert_allclose(other.mean_cost(), drawn.mean_cost())


@settings(deadline=None, max_examples=20)
@given(st.integers(100, 3000), st.integers(0, 2**32))
def test_every_size_and_seed(num_queries, seed):
    table = Figures(num_queries=num_queries, table_seed=seed).build(problem())[0]
    assert table.num_queries == num_queries
    assert (table.cost > 0).all()
    assert table.weight.mean() == pytest.approx(1)
    np.testing.assert_allclose(table.mean_score(), PUBLISHED[:, 0], atol=6 / num_queries)
    np.testing.assert_allclose(table.mean_cost(), PUBLISHED[:, 1], rtol=1e-4)


def test_features_and_prices(drawn):
    assert drawn.features.shape == (8192, 8)
    np.testing.assert_array_equal(drawn.features.argmax(axis=1), drawn.task)
    np.testing.assert_array_equal(drawn.features.sum(axis=1), 1)
    np.testing.assert_array_equal(Figures().build(problem())[0].features, np.zeros((8192, 1)))
    # 200 prompt and 30 completion tokens: gpt-4 at 10 and 30 USD a million.
    gpt4 = drawn.models.index("gpt-4-1106-preview")
    assert drawn.list_price[gpt4] == pytest.approx(0.0029)
    np.testing.assert_allclose(drawn.list_price / drawn.mean_cost(), 1, atol=0.15)
    assert (np.abs(drawn.list_price / drawn.mean_cost() - 1) > 1e-3).sum() >= 9


def test_drawn_fast():
    best = min(_seconds(Figures(table_seed=seed)) for seed in range(5))
    assert best < 0.1


def _seconds(workload: Figures) -> float:
    start = time.perf_counter()
    workload.build(problem())[0]
    return time.perf_counter() - start


def problem(**changes) -> Problem:
    fields = {"horizon": 1200, "num_stages": 12, "max_deployed": 5, "budget": 1e-3}
    return Problem(**(fields | changes))


def test_schedule_by_release(drawn):
    schedule = Figures().build(problem())[1]
    # Five models fill the slots; six more at 1200 n / 7: 171, 342, 514, 685, 857, 1028.
    assert schedule.available.argmax(axis=0).tolist() == [0] * 5 + [2, 4, 6, 7, 9, 11]
    np.testing.assert_allclose(schedule.mixes @ drawn.score, drawn.mean_score()[None, :])
    assert (schedule.cost_multiplier == 1).all()
    assert schedule.num_stages == 12


def test_schedule_by_score_and_by_name(drawn):
    weakest = Figures(arrival_order="score", initial_models=1).build(problem())[1]
    there = [drawn.models[m] for m in np.flatnonzero(weakest.available[0])]
    assert there == ["meta/code-llama-instruct-34b-chat"]
    named = Figures(
        arrival_order=list(reversed(drawn.models)), initial_models=2, arrival_interval=100
    )
    assert isinstance(named.arrival_order, tuple)
    available = named.build(problem())[1].available
    assert available.argmax(axis=0).tolist() == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"arrival_order": "scores"}, "arrival_order = 'scores': expected 'score'"),
        ({"arrival_order": 3}, "arrival_order = 3"),
        ({"arrival_order": ()}, "arrival_order"),
        ({"initial_models": 12}, "initial_models = 12: .* at most 11"),
        ({"arrival_interval": 0}, "arrival_interval = 0"),
        ({"features": "tasks"}, "features = 'tasks': expected 'task'"),
        ({"num_queries": 99}, "num_queries = 99"),
        ({"num_queries": True}, "num_queries = True"),
        ({"table_seed": -1}, "table_seed = -1"),
        ({"table_seed": 0.5}, "table_seed = 0.5"),
    ],
)
def test_bad_fields(fields, message):
    with pytest.raises(FieldError, match=message):
        Figures(**fields)


def test_unknown_model_in_the_order(drawn):
    workload = Figures(arrival_order=("gpt-4", *drawn.models[1:]))
    with pytest.raises(FieldError, match="arrival_order = 'gpt-4': expected"):
        workload.build(problem())[1]
