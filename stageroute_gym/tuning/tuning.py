"""Tuning agents side by side, each in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stageroute_gym.evaluation.backends import LocalProcesses, Lost
from stageroute_gym.evaluation.running import warm_up
from stageroute_gym.locking import locked
from stageroute_gym.tuning.results import TuningFolder
from stageroute_gym.tuning.search import search
from stageroute_gym.tuning.settings import Candidate, TuningSettings


@dataclass(frozen=True)
class Tuned:
    """What a tuning has come to.

    Attributes:
        summary: what ``tuned.json`` holds.
        seconds: processor time of each agent's trials that this run ran, by agent.
        failures: why agents did not get through their trials, by agent.
        remarks: which kept trials could not be used, and why.
    """

    summary: dict[str, Any]
    seconds: dict[str, float]
    failures: dict[str, str]
    remarks: list[str]


def run_tuning(
    settings: TuningSettings,
    out: str | Path,
    *,
    backend: LocalProcesses | None = None,
    resume: bool = False,
    overwrite: bool = False,
    told: Callable[[str], None] = lambda line: None,
) -> Tuned:
    """Tune every agent: the same worlds, seeds, sampler and number of trials for each.

    Trials are kept in ``out/agents`` as they end. At the end ``out`` holds ``trials.parquet``,
    ``worlds.parquet`` and ``tuned.json`` with the best parameters of each agent, those of earlier
    runs in the same folder among them; see `stageroute_gym.tuning.results`.

    Args:
        settings: what to run.
        out: folder to write to.
        backend: the processes; None takes one a core.
        resume: go on from the trials in ``out``. An agent whose code or search space has changed
            starts anew.
        overwrite: remove the trials in ``out``.
        told: called with a line whenever an agent is through.

    Raises:
        FieldError: if the folder may not be written to, or another run is at work in it; nothing
            has run then.
        KeyboardInterrupt: if interrupted; what has finished by then is kept.
    """
    folder = TuningFolder(out)
    # Once before the folder is touched, and once when nobody else can change it.
    folder.check(settings, resume=resume, overwrite=overwrite)
    with locked(folder.path, field="out"):
        folder.check(settings, resume=resume, overwrite=overwrite)
        folder.prepare(settings, overwrite=overwrite)
        remarks, waiting = [], []
        for candidate in settings.candidates:
            kept, fault = folder.trials(candidate)
            if fault:
                remarks.append(f"agent {candidate.entry.label}: {fault}; it is tuned anew")
            if len(kept) < settings.trials:
                waiting.append(candidate)
        seconds, failures = {}, {}
        for candidate, came in _run(settings, folder, waiting, backend or LocalProcesses()):
            name = candidate.entry.agent
            if isinstance(came, Lost):
                failures[name] = came.error
                continue
            seconds[name] = came
            told(f"{name}: {settings.trials} trials, {came:.0f} s")
            trials, _ = folder.trials(candidate)
            if trials and trials[0].value is None:
                failures[name] = f"fails with its defaults: {trials[0].error}"
        return Tuned(folder.sum_up(), seconds, failures, remarks)


def _run(
    settings: TuningSettings,
    folder: TuningFolder,
    waiting: list[Candidate],
    backend: LocalProcesses,
) -> Iterator[tuple[Candidate, float | Lost]]:
    """Tune agents; as each is through, the agent, and the seconds that it took."""
    # Compiled kernels are cached on disk: once here, instead of in every process at the same time.
    for env_id in sorted({candidate.entry.env_id for candidate in waiting}):
        warm_up(env_id, settings.suite.scenarios[0])
    tasks = [(settings, candidate, str(folder.path.absolute())) for candidate in waiting]
    for place, came in backend.run(_tune_one, tasks):
        yield waiting[place], came


def _tune_one(task: tuple[TuningSettings, Candidate, str], alive: Callable[[], None]) -> float:
    """In a worker: give an agent the trials that it lacks; the seconds they took."""
    settings, candidate, path = task
    folder = TuningFolder(path)
    done, _ = folder.trials(candidate)
    before = len(done)
    search(settings, candidate, done, lambda trials: folder.keep(candidate, trials), alive)
    return sum(trial.seconds for trial in done[before:])
