"""Advice from logs: sums by hand, weights by propensity, scores from elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from stageroute_gym.advice import LogEvidence, Wishes, advise, log_report
from stageroute_gym.logs import Log
from stageroute_gym.report.advice_json import advice_dict
from stageroute_gym.report.log_tables import log_headline, log_tables


def log_of(model, task, cost, score, propensity=None, cell_score=None, cell_count=None) -> Log:
    model, task = np.asarray(model), np.asarray(task)
    return Log(
        models=tuple("abc"[: model.max() + 1]),
        tasks=tuple("xyz"[: task.max() + 1]),
        time=np.arange(len(model), dtype=float),
        model=model,
        task=task,
        cost=np.asarray(cost, dtype=float),
        score=np.asarray(score, dtype=float),
        propensity=propensity,
        cell_score=cell_score,
        cell_count=cell_count,
        remarks=(),
    )


def busy_log(rng, size=6000, *, chances=True) -> Log:
    """Three models; hard requests, which nothing tells, go to the best and dearest one."""
    task, hard = rng.integers(2, size=size), rng.random(size) < 0.5
    chance = np.where(hard[:, None], [0.1, 0.1, 0.8], [0.45, 0.45, 0.1])
    model = (rng.random((size, 1)) > chance.cumsum(axis=1)[:, :2]).sum(axis=1)
    good = np.array([[0.3, 0.5, 0.7], [0.5, 0.3, 0.7]])[task, model] + np.where(hard, -0.2, 0.2)
    return log_of(
        model,
        task,
        np.array([1e-4, 1e-4, 1e-3])[model] * rng.uniform(0.5, 1.5, size),
        rng.random(size) < good,
        chance[np.arange(size), model] if chances else None,
    )


def test_means_are_of_the_requests_that_a_model_served():
    log = log_of(
        *(10 * row for row in ([0, 0, 1, 1], [0, 0, 0, 1], [1, 3, 5, 7], [1, np.nan, 0, 1]))
    )
    evidence = LogEvidence(log)
    cells = evidence.sums().means()
    assert evidence.counts().tolist() == [[20, 10], [0, 10]]
    assert cells.weight.tolist() == [0.75, 0.25]
    assert cells.cost[0].tolist() == [2.0, 5.0]
    assert cells.score[0].tolist() == [1.0, 0.0]
    assert cells.known.tolist() == [[True, True], [False, True]]
    today = evidence.today()
    assert today.cost == pytest.approx(4.0)
    assert today.score == pytest.approx(2 / 3)


def test_a_task_goes_to_no_model_that_never_served_it():
    log = log_of([0] * 20 + [1] * 20, [0] * 20 + [1] * 20, [1] * 20 + [2] * 20, [1] * 20 + [0] * 20)
    advice = advise(LogEvidence(log), Wishes(budget=9.0), resamples=5)
    shares = dict(zip(advice.evidence.groups, advice.plan.shares.tolist(), strict=True))
    assert shares == {"x": [1.0, 0.0], "y": [0.0, 1.0]}


def test_weights_by_propensity_undo_what_the_task_does_not_tell():
    log = busy_log(np.random.default_rng(0))
    truth = np.array([0.4, 0.4, 0.7])
    merged = LogEvidence(log).sums().means().merged()
    assert merged.score[0] == pytest.approx(truth, abs=0.05)
    plain = LogEvidence(busy_log(np.random.default_rng(0), chances=False)).sums().means().merged()
    assert plain.score[0, 2] < 0.6


def test_the_report_of_a_log_says_how_far_the_assumption_carries():
    evidence = LogEvidence(busy_log(np.random.default_rng(1)))
    advice = advise(evidence, Wishes(budget=1.0), resamples=20, source="log")
    report = log_report(evidence, advice.plan)
    best = report.policies["c"]
    assert best.direct < 0.6
    assert best.doubly_robust is not None
    assert best.doubly_robust.low < 0.7 < best.doubly_robust.high
    today = report.policies["today"]
    assert today.inverse_propensity is not None
    assert today.inverse_propensity.value == pytest.approx(evidence.log.score.mean())
    assert report.today_score.low < evidence.log.score.mean() < report.today_score.high
    text = " ".join(log_headline(advice, report))
    assert "of 6 pairs of task and model 0 have no request and 0 fewer than 30" in text
    for table in log_tables(advice, report):
        assert all(len(row) == len(table.columns) for row in table.rows)
    content = json.loads(json.dumps(advice_dict(advice, report), allow_nan=False))
    assert content["log"]["propensity"] == "logged"
    assert sum(content["log"]["today"]["shares"].values()) == pytest.approx(1.0)


def test_scores_from_a_second_file_count_as_many_as_they_say():
    log = log_of(
        [0, 1] * 50,
        [0] * 50 + [1] * 50,
        [1.0] * 100,
        [np.nan] * 100,
        cell_score=np.array([[0.2, 0.8], [0.5, np.nan]]),
        cell_count=np.array([[1000.0, 40.0], [20.0, 0.0]]),
    )
    evidence = LogEvidence(log)
    cells = evidence.sums().means()
    assert cells.score[0] == pytest.approx([0.2, 0.8])
    assert cells.known.tolist() == [[True, True], [True, False]]
    drawn = np.array([evidence.sums(np.random.default_rng(s)).means().score for s in range(200)])
    # The spread of a mean of 0 and 1 is that of its count.
    assert drawn[:, 0, 0].std() == pytest.approx((0.2 * 0.8 / 1000) ** 0.5, rel=0.2)
    assert drawn[:, 0, 1].std() == pytest.approx((0.8 * 0.2 / 40) ** 0.5, rel=0.2)
    advice = advise(evidence, Wishes(budget=9.0), resamples=5)
    report = log_report(evidence, advice.plan)
    assert report.policies == {}
    assert report.unscored == [(1, 1)]
    model, task = log.models[1], log.tasks[1]
    assert f"; no score is known of {model} on {task}." in " ".join(log_headline(advice, report))
    assert advice_dict(advice, report)["log"]["unscored"] == [[task, model]]
    assert advice.plan.worth.score > report.today_score.value


def test_the_command_takes_a_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    from stageroute_gym.cli.advise import advise as command

    log = busy_log(np.random.default_rng(2), 500, chances=False)
    path = tmp_path / "log.csv"
    pl.DataFrame(
        {
            "time": log.time,
            "model": [log.models[m] for m in log.model],
            "cost": log.cost,
            "score": log.score,
            "kind": [log.tasks[t] for t in log.task],
        }
    ).write_csv(path)
    command(str(path), columns=["task=kind"], resamples=5)
    shown = " ".join(capsys.readouterr().out.split())
    assert "read as a log of generic" in shown
    assert "Today the log scores" in shown
    assert "Assumed: within a task" in shown
    assert "propensities are estimated from the log" in shown
    command(str(path), as_json=True, by="none", resamples=5)
    assert json.loads(capsys.readouterr().out)["log"]["propensity"] == "estimated"
