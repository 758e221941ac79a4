"""Running trials through a backend: what each came to, or why it failed."""

from __future__ import annotations

import datetime
import os
import platform
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.backends import Lost
from stageroute_gym.evaluation.clusters import Backend
from stageroute_gym.evaluation.running import Played, play, warm_up
from stageroute_gym.evaluation.trials import Trial


@dataclass(frozen=True)
class Failure:
    """An entry that failed on a scenario.

    Attributes:
        scenario: name of the scenario.
        entry: label of the entry.
        error: why, in a line.
        details: the traceback; empty where the error says what is wrong, as a `FieldError` does.
    """

    scenario: str
    entry: str
    error: str
    details: str

    def __str__(self) -> str:
        """The failure in a line."""
        return f"agent {self.entry} on scenario {self.scenario}: {self.error}"


@dataclass(frozen=True)
class Finished:
    """A trial that is through.

    Attributes:
        played: its episodes.
        machine: what its timing depends on, see `machine`.
    """

    played: Played
    machine: dict[str, Any]


def run_trials(
    trials: Sequence[Trial], backend: Backend
) -> Iterator[tuple[int, Finished | Failure]]:
    """Run trials; as each ends, its place among them, and what it came to."""
    # Compiled kernels are cached on disk: once here, instead of in every process at the same time.
    for env_id in sorted({trial.entry.env_id for trial in trials}):
        warm_up(env_id, trials[0].scenario)
    for place, outcome in backend.run(_run_trial, trials):
        if isinstance(outcome, Lost):
            names = trials[place].scenario.name, trials[place].entry.label
            yield place, Failure(*names, outcome.error, outcome.details)
        else:
            yield place, outcome


def machine() -> dict[str, Any]:
    """What a timing depends on."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {
        "finished_at": now,
        "machine": platform.platform(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def _run_trial(trial: Trial, alive: Callable[[], None]) -> Finished | Failure:
    """Run one trial in a worker: what came of it, and on which machine."""
    try:
        played = play(trial.entry, trial.scenario, trial.seeds, warm=True, alive=alive)
    # An agent is foreign code that may raise anything, SystemExit and KeyboardInterrupt too; it
    # must not take the others' results along.
    except BaseException as error:
        known = isinstance(error, FieldError)
        named = f"{type(error).__name__}: {error}".removesuffix(": ")
        message = str(error) if known else named
        details = "" if known else traceback.format_exc()
        return Failure(trial.scenario.name, trial.entry.label, message, details)
    return Finished(played, machine())
