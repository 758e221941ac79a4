"""The search for one agent: Optuna proposes settings, the suite's worlds judge them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from stageroute_gym import scenarios
from stageroute_gym.evaluation.running import play
from stageroute_gym.evaluation.statistics import interquartile_mean
from stageroute_gym.evaluation.strata import world_scores
from stageroute_gym.tuning.settings import Candidate, TuningSettings
from stageroute_gym.tuning.space import OneOf, Range, Real

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study import Study

# Trials drawn at random before the sampler goes by what it has seen.
STARTUP_TRIALS = 6


@dataclass(frozen=True)
class TuningTrial:
    """One setting of an agent on all worlds.

    Attributes:
        number: its place in the agent's search; 0 has the defaults.
        parameters: those that differ from the defaults, or may.
        value: interquartile mean over the worlds of score / horizon oracle; None if it failed.
        scores: score / horizon oracle in each world, mean over the seeds.
        error: why it failed; empty if it did not.
        seconds: processor time that it took.
    """

    number: int
    parameters: dict[str, Any]
    value: float | None
    scores: dict[str, float] = field(default_factory=dict)
    error: str = ""
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """The trial as JSON-native values."""
        return asdict(self)


def search(
    settings: TuningSettings,
    candidate: Candidate,
    done: list[TuningTrial],
    keep: Callable[[list[TuningTrial]], None],
    alive: Callable[[], None],
) -> None:
    """Try what an agent still lacks of its trials, one after the other.

    The first has the agent's defaults. What each of the others tries follows from the seed, the
    agent, and the trials before it, whether or not there was an interruption between them.

    Args:
        settings: suite, seeds and number of trials.
        candidate: the agent.
        done: its trials so far; it grows.
        keep: called after each trial with all of them.
        alive: called now and then.
    """
    while len(done) < settings.trials:
        number = len(done)
        parameters = _proposed(settings, candidate, done) if number else {}
        done.append(_tried(settings, candidate, number, parameters, alive))
        keep(done)


def _tried(
    settings: TuningSettings,
    candidate: Candidate,
    number: int,
    parameters: dict[str, Any],
    alive: Callable[[], None],
) -> TuningTrial:
    import polars as pl

    # The default entry under other parameters; a label would not change what it draws.
    entry = dataclasses.replace(candidate.entry, parameters=MappingProxyType(parameters))
    started = time.process_time()
    try:
        episodes = [
            play(entry, scenarios.get(name), settings.seeds, alive=alive).episodes
            for name in settings.suite.scenarios
        ]
    # An agent is foreign code that may raise anything for a setting; the next one may do.
    except Exception as error:
        seconds = time.process_time() - started
        told = f"{type(error).__name__}: {error}"
        return TuningTrial(number, parameters, None, {}, told, seconds)
    scores = world_scores(pl.concat(episodes))[entry.label]
    value = float(interquartile_mean(np.array(list(scores.values()))))
    seconds = time.process_time() - started
    return TuningTrial(number, parameters, value, scores, "", seconds)


def _proposed(
    settings: TuningSettings, candidate: Candidate, done: list[TuningTrial]
) -> dict[str, Any]:
    """What to try next."""
    space = candidate.space
    distributions = {name: _distribution(values) for name, values in space.items()}
    study = _study(settings, candidate, done, distributions)
    drawn = study.ask(distributions).params
    return {name: values.value(drawn[name]) for name, values in space.items()}


def _study(
    settings: TuningSettings,
    candidate: Candidate,
    done: list[TuningTrial],
    distributions: dict[str, BaseDistribution],
) -> Study:
    """A study in memory that has seen the trials so far; those that failed teach it nothing."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    place = json.dumps([settings.seed, candidate.entry.agent, len(done)])
    seed = int.from_bytes(hashlib.sha256(place.encode()).digest()[:4], "big")
    sampler = optuna.samplers.TPESampler(
        seed=seed, n_startup_trials=STARTUP_TRIALS, multivariate=False
    )
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for trial in done:
        if trial.value is None:
            continue
        tried = {**candidate.default, **trial.parameters}
        # A default outside of the space, such as None for a rule, has no place among the numbers.
        drawn = {name: values.drawn(tried[name]) for name, values in candidate.space.items()}
        known = {name: number for name, number in drawn.items() if number is not None}
        study.add_trial(
            optuna.trial.create_trial(
                params=known,
                distributions={name: distributions[name] for name in known},
                value=trial.value,
            )
        )
    return study


def _distribution(values: Range) -> BaseDistribution:
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if isinstance(values, OneOf):
        return CategoricalDistribution(values.choices)
    if isinstance(values, Real):
        return FloatDistribution(*values.ends, log=values.spacing != "even")
    return IntDistribution(values.low, values.high, log=values.log)
