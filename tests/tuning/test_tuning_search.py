"""Searches on two short worlds: the same trials for equal seeds, whatever comes between."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tiny import TINY, searching, settings

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation import evaluate
from stageroute_gym.evaluation.statistics import interquartile_mean
from stageroute_gym.locking import locked
from stageroute_gym.tuning.results import TuningFolder, tables
from stageroute_gym.tuning.search import TuningTrial, search
from stageroute_gym.tuning.settings import TuningSettings
from stageroute_gym.tuning.space import OneOf
from stageroute_gym.tuning.tuning import run_tuning

pytest.importorskip("optuna", reason="Optuna comes with the extra tune")


def searched(of: TuningSettings, done: list[TuningTrial] | None = None) -> list[TuningTrial]:
    trials = [] if done is None else done
    search(of, of.candidates[0], trials, lambda kept: None, lambda: None)
    return trials


def plain(trials: list[TuningTrial]) -> list[dict[str, Any]]:
    """The trials without what differs between runs."""
    return [dataclasses.replace(trial, seconds=0.0).to_dict() for trial in trials]


def test_the_first_trial_is_the_default_and_values_are_what_evaluate_says():
    trials = searched(settings(searching("explore-then-commit"), trials=2))
    assert trials[0].parameters == {}
    assert set(trials[1].parameters) == {"m"}
    for trial in trials:
        scores = [
            evaluate("explore-then-commit", name, TINY.seeds, agent_parameters=trial.parameters)[
                "score_over_horizon_oracle"
            ].mean()
            for name in TINY.scenarios
        ]
        np.testing.assert_allclose(list(trial.scores.values()), scores, rtol=1e-12)
        assert trial.value == pytest.approx(float(interquartile_mean(np.array(scores))))


def test_equal_seeds_give_equal_trials_also_after_an_interruption():
    of = settings(searching("epsilon-greedy"), trials=9)
    trials = searched(of)
    assert len({trial.parameters.get("epsilon") for trial in trials}) == 9
    assert plain(searched(of, [dataclasses.replace(trial) for trial in trials[:7]])) == plain(
        trials
    )
    other = searched(dataclasses.replace(of, seed=1, trials=2))
    assert other[0].value == trials[0].value
    assert other[1].parameters != trials[1].parameters


def test_a_default_outside_of_the_space_and_a_setting_that_fails():
    space = {"tau": OneOf((5, -1))}
    trials = searched(settings(searching("sw-ucb", space, tau=None), trials=7))
    assert trials[0].value is not None
    failed = [trial for trial in trials if trial.parameters.get("tau") == -1]
    assert failed
    assert all(trial.value is None and "tau = -1" in trial.error for trial in failed)
    table, worlds = tables({"sw-ucb": trials})
    assert table["value"].null_count() == len(failed)
    assert len(worlds) == 2 * (len(trials) - len(failed))


def test_the_folder_keeps_trials_and_names_the_best(tmp_path: Path) -> None:
    of = settings(searching("epsilon-greedy"))
    folder = TuningFolder(tmp_path / "out")
    folder.check(of, resume=False, overwrite=False)
    folder.prepare(of, overwrite=False)
    values = [0.5, 0.7, None, 0.7]
    trials = [TuningTrial(i, {"epsilon": i / 10}, value) for i, value in enumerate(values)]
    folder.keep(of.candidates[0], trials)
    assert folder.trials(of.candidates[0]) == (trials, "")
    chosen = folder.sum_up()["agents"]["epsilon-greedy"]
    assert chosen["parameters"] == {"epsilon": 0.1}
    assert (chosen["value"], chosen["default_value"], chosen["trials"]) == (0.7, 0.5, 4)
    assert (chosen["failed"], chosen["values"]) == (1, values)
    assert chosen["fingerprint"] == of.candidates[0].entry.fingerprint
    assert pl.read_parquet(tmp_path / "out" / "trials.parquet")["value"].to_list() == values

    with pytest.raises(FieldError, match="an empty folder, --resume or --overwrite"):
        folder.check(of, resume=False, overwrite=False)
    with pytest.raises(FieldError, match=r"settings.seed = 1: expected 0, as the tuning to resume"):
        folder.check(dataclasses.replace(of, seed=1), resume=True, overwrite=False)
    folder.check(dataclasses.replace(of, trials=9), resume=True, overwrite=False)
    folder.prepare(dataclasses.replace(of, trials=9), overwrite=False)
    changed = dataclasses.replace(
        of.candidates[0], entry=dataclasses.replace(of.candidates[0].entry, fingerprint="other")
    )
    assert folder.trials(changed) == ([], "its fingerprint has changed")
    folder.check(of, resume=False, overwrite=True)
    folder.prepare(of, overwrite=True)
    assert folder.trials(of.candidates[0]) == ([], "")


def test_a_folder_in_which_another_run_is_at_work(tmp_path: Path) -> None:
    of = settings(searching("epsilon-greedy"))
    with locked(tmp_path, field="out"):
        for resume, overwrite in ((False, False), (False, True), (True, False)):
            with pytest.raises(FieldError, match="no other run is at work; process"):
                run_tuning(of, tmp_path, resume=resume, overwrite=overwrite)
            TuningFolder(tmp_path).prepare(of, overwrite=False)


def test_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    for resume, overwrite in ((False, True), (True, False)):
        with pytest.raises(FieldError, match="expected a folder with a tuning"):
            run_tuning(settings(), tmp_path, resume=resume, overwrite=overwrite)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"names": ["linucp"]}, "agent = 'linucp': expected 'linucb'"),
        ({"names": ["uniform"]}, "agent = 'uniform': expected an agent with parameters to tune"),
        ({"names": ["oracle"]}, "agent = 'oracle': expected an agent with parameters to tune"),
        ({"names": ["linucb", "linucb"]}, "agent = 'linucb': expected a name given only once"),
        ({"names": ["linucb"], "suite": "world-tune"}, "suite = 'world-tune': expected 'worlds"),
        ({"names": ["linucb"], "trials": 0}, "trials = 0: expected"),
        ({"names": ["linucb"], "seed": -1}, "seed = -1: expected"),
    ],
)
def test_what_cannot_be_run_is_told_before_it_runs(given: dict[str, Any], message: str) -> None:
    with pytest.raises(FieldError, match=f"^{message}"):
        TuningSettings.checked(**given)
