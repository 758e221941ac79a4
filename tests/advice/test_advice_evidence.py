"""Means by group, their folds, and what is drawn together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from stageroute_gym.advice.evidence import ALL, FOLDS, OTHERS, TableEvidence, grouped
from stageroute_gym.advice.shrinkage import shrunk
from stageroute_gym.errors import FieldError
from stageroute_gym.workloads import OutcomeTable, Recorded


def table(task, score, cost, weight=None) -> OutcomeTable:
    task = np.asarray(task)
    return OutcomeTable(
        models=tuple("abc"[: np.shape(score)[1]]),
        score=np.asarray(score, dtype=float),
        cost=np.asarray(cost, dtype=float),
        task=task,
        task_names=tuple(f"t{i}" for i in range(task.max() + 1)),
        weight=np.empty(0) if weight is None else np.asarray(weight, dtype=float),
    )


def test_means_are_weighted_by_query():
    outcomes = table([0, 0, 1], [[1, 0], [0, 1], [0.5, 1]], [[1, 2], [3, 2], [5, 7]], [3, 1, 4])
    cells = TableEvidence(outcomes).sums().means()
    assert cells.weight == pytest.approx([0.5, 0.5])
    assert cells.score == pytest.approx(np.array([[0.75, 0.25], [0.5, 1.0]]))
    assert cells.cost == pytest.approx(np.array([[1.5, 2.0], [5.0, 7.0]]))
    assert cells.merged().score == pytest.approx(outcomes.mean_score()[None])
    assert cells.merged().cost == pytest.approx(outcomes.mean_cost()[None])


def test_folds_cover_every_query_once_and_hold_the_same_mix():
    task = np.repeat([0, 1, 2], [400, 100, 30])
    outcomes = table(task, np.ones((530, 2)), np.ones((530, 2)))
    mass = TableEvidence(outcomes).sums().mass
    assert mass.shape == (3, FOLDS)
    assert mass.sum(axis=1).tolist() == [400, 100, 30]
    assert (np.ptp(mass, axis=1) <= 1).all()


def test_a_resample_keeps_the_number_of_queries_and_follows_its_seed():
    outcomes = table(np.arange(50) % 3, np.ones((50, 2)), np.ones((50, 2)))
    evidence = TableEvidence(outcomes)
    first, again = (evidence.sums(np.random.default_rng(4)) for _ in range(2))
    assert first.mass.sum() == 50
    assert (first.mass == again.mass).all()
    assert (first.mass != evidence.sums().mass).any()


def test_small_tasks_are_one_group():
    names, group = grouped(["x"] * 30 + ["y"] * 12 + ["z"] * 9 + ["w"] * 2)
    assert names == ("x", "y", OTHERS)
    assert np.bincount(group).tolist() == [30, 12, 11]
    # One small task alone keeps its name.
    assert grouped(["x"] * 30 + ["z"] * 9)[0] == ("x", "z")


def test_a_file_by_any_of_its_columns(tmp_path: Path):
    file = str(tmp_path / "outcomes.csv")
    pl.DataFrame(
        {
            "query_id": [str(i) for i in range(40)],
            "task": ["t"] * 40,
            "language": ["de", "en"] * 20,
            "score:a": [1.0, 0.0] * 20,
            "cost:a": [1.0] * 40,
        }
    ).write_csv(file)
    assert TableEvidence.read(Recorded(data=file), "none").groups == (ALL,)
    by_language = TableEvidence.read(Recorded(data=file), "language")
    assert by_language.groups == ("de", "en")
    assert by_language.sums().means().score[:, 0].tolist() == [1.0, 0.0]
    with pytest.raises(FieldError) as refused:
        TableEvidence.read(Recorded(data=file), "tongue")
    assert "language" in str(refused.value)


def test_means_without_signal_become_the_additive_estimate():
    rng = np.random.default_rng(0)
    group, model = rng.normal(size=12), rng.normal(size=5)
    truth = group[:, None] + model
    count = np.full((12, 5), 20.0)
    mean = truth + rng.normal(size=(12, 5)) / np.sqrt(count)
    drawn = shrunk(mean, count, np.ones(5))
    assert np.abs(drawn - truth).mean() < 0.7 * np.abs(mean - truth).mean()


def test_means_that_rest_on_many_queries_stay():
    rng = np.random.default_rng(1)
    mean = rng.random((6, 4))
    drawn = shrunk(mean, np.full((6, 4), 1e9), np.full(4, 0.25))
    assert drawn == pytest.approx(mean, abs=1e-6)


def test_drawing_brings_means_nearer_to_the_truth_with_signal_too():
    rng = np.random.default_rng(2)
    before, after = [], []
    for _ in range(50):
        truth = rng.normal(size=(20, 1)) + rng.normal(size=6) + rng.normal(0, 0.3, (20, 6))
        count = rng.integers(5, 60, size=(20, 1)) * np.ones((20, 6))
        mean = truth + rng.normal(size=(20, 6)) / np.sqrt(count)
        before.append(((mean - truth) ** 2).mean())
        after.append(((shrunk(mean, count, np.ones(6)) - truth) ** 2).mean())
    assert np.mean(after) < 0.8 * np.mean(before)


def test_an_unknown_cell_stays_unknown_and_moves_no_other():
    rng = np.random.default_rng(3)
    mean, count = rng.random((5, 3)), np.full((5, 3), 30.0)
    count[2, 1] = 0.0
    wild = mean.copy()
    wild[2, 1] = np.nan
    drawn = shrunk(wild, count, np.full(3, 0.2))
    assert np.isnan(drawn[2, 1])
    assert np.isfinite(np.delete(drawn.ravel(), 7)).all()
    wild[2, 1] = 1e6
    assert shrunk(wild, count, np.full(3, 0.2)) == pytest.approx(drawn, nan_ok=True)


def test_one_group_or_one_model_is_left_alone():
    assert shrunk(np.array([[0.2, 0.8]]), np.ones((1, 2)), np.ones(2)).tolist() == [[0.2, 0.8]]
    assert shrunk(np.array([[0.2], [0.8]]), np.ones((2, 1)), np.ones(1)).tolist() == [[0.2], [0.8]]
