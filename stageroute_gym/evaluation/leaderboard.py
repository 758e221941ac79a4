"""Leaderboards: entries on scenarios, in parallel, kept as they finish."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.attempts import Failure, run_trials
from stageroute_gym.evaluation.backends import LocalProcesses
from stageroute_gym.evaluation.clusters import Backend
from stageroute_gym.evaluation.oracle_plans import frontier, oracle_rows
from stageroute_gym.evaluation.oracle_values import oracle_values, service
from stageroute_gym.evaluation.ranking import rank
from stageroute_gym.evaluation.storage import (
    ORACLES,
    RESULTS,
    STAGES,
    SUMMARY,
    TIMINGS,
    ResultsFolder,
)
from stageroute_gym.evaluation.sweeps import budget_curves, budget_truth
from stageroute_gym.evaluation.trials import LeaderboardSettings, Trial
from stageroute_gym.locking import locked

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console


@dataclass(frozen=True)
class Leaderboard:
    """What a leaderboard has come to.

    Attributes:
        summary: what ``leaderboard.json`` holds.
        timings: what ``timings.parquet`` holds; None where all entries failed.
        failures: entries that failed; the others' results are complete.
        remarks: which kept results could not be used, and why.
        files: what was written.
    """

    summary: dict[str, Any]
    timings: pl.DataFrame | None
    failures: list[Failure]
    remarks: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)


def run_leaderboard(
    settings: LeaderboardSettings,
    out: str | Path = "results",
    *,
    backend: Backend | None = None,
    overwrite: bool = False,
    resume: bool = False,
    add: bool = False,
    console: Console | None = None,
) -> Leaderboard:
    """Run every entry on every scenario and rank them.

    One trial is one entry on one scenario with all its seeds, however many processes there are, so
    the results do not depend on it. They go to ``out``: ``results.parquet`` (one row an episode),
    ``stages.parquet`` (one row for each of its stages), ``oracles.parquet`` (what the oracles do
    in each stage) and ``leaderboard.json`` (settings and ranking), the same to the byte at every
    run; and ``timings.parquet``, which is not. Finished
    trials are kept in ``out/episodes`` as they come.

    Args:
        settings: what to run.
        out: folder to write to.
        backend: where to run it, see `stageroute_gym.evaluation.clusters.make_backend`; None takes
            one process a core.
        overwrite: remove an earlier leaderboard in ``out``.
        resume: go on from what an interrupted one left in ``out``. Trials whose agent has changed
            since, in code or file, and those whose files are damaged are run again.
        add: go on from the leaderboard in ``out``, finished or not, whose entries and seeds are
            kept beside those of ``settings``; only what it lacks is run.
        console: where to show the progress, a ``rich`` console; None shows none.

    Raises:
        FieldError: if the folder may not be written to, or another run is at work in it; nothing
            has run then. Or if it can no longer be written to, as when a disk is full; what has
            finished by then is kept.
        KeyboardInterrupt: if interrupted; what has finished by then is kept.
    """
    if add and (overwrite or resume):
        raise FieldError("add", True, "either --add, --resume or --overwrite")
    folder = ResultsFolder(out)
    # Once before the folder is touched, and once when nobody else can change it.
    _to_run(settings, folder, overwrite=overwrite, resume=resume, add=add)
    with locked(folder.path, field="out"):
        settings = _to_run(settings, folder, overwrite=overwrite, resume=resume, add=add)
        folder.prepare(settings.to_dict(), resume=resume or add)
        trials = settings.trials()
        missing, remarks = folder.missing(trials)
        finished = len(trials) - len(missing)
        failures = [
            Failure(scenario.name, name, error, "")
            for scenario in settings.scenarios
            for name, error in settings.broken
        ]
        failures += _run(missing, folder, backend or LocalProcesses(), console, finished)
        return _summed_up(settings, folder, trials, failures, remarks)


def _to_run(
    settings: LeaderboardSettings,
    folder: ResultsFolder,
    *,
    overwrite: bool,
    resume: bool,
    add: bool,
) -> LeaderboardSettings:
    """What to run in the folder, those beside which it is to stand included; changes nothing."""
    if add:
        return settings.beside(folder.settings())
    folder.check(settings.to_dict(), overwrite=overwrite, resume=resume)
    return settings


def _run(
    missing: list[Trial],
    folder: ResultsFolder,
    backend: Backend,
    console: Console | None,
    finished: int,
) -> list[Failure]:
    """Run trials and keep what they bring; those that failed, in the order of the trials."""
    failures: dict[int, Failure] = {}
    with progress(console, finished, finished + len(missing)) as advance:
        for place, outcome in run_trials(missing, backend):
            if isinstance(outcome, Failure):
                failures[place] = outcome
            else:
                folder.keep(missing[place], outcome.played, outcome.machine)
            advance()
    return [failures[place] for place in sorted(failures)]


def _summed_up(
    settings: LeaderboardSettings,
    folder: ResultsFolder,
    trials: list[Trial],
    failures: list[Failure],
    remarks: list[str],
) -> Leaderboard:
    summary: dict[str, Any] = {"settings": settings.to_dict()}
    failed = [{"scenario": f.scenario, "entry": f.entry, "error": f.error} for f in failures]
    unfinished = {(trial.scenario.name, trial.entry.label) for trial in folder.missing(trials)[0]}
    finished = [t for t in trials if (t.scenario.name, t.entry.label) not in unfinished]
    if not finished:
        summary["failures"] = failed
        folder.write_json(SUMMARY, summary)
        return Leaderboard(summary, None, failures, remarks, [folder.path / SUMMARY])
    results, timings = folder.collect(finished)
    names = [scenario.name for scenario in settings.scenarios]
    summary |= rank(results, names, {entry.label: entry.kind for entry in settings.entries})
    played = [s for s in settings.scenarios if s.name in summary["scenarios"]]
    summary["oracles"] = {s.name: oracle_values(s, settings.seeds[0]) for s in played}
    summary["service"] = {s.name: service(s.world(settings.seeds[0])) for s in played}
    summary["frontier"] = {s.name: frontier(s, settings.seeds) for s in played}
    folder.write_oracles([oracle_rows(s, settings.seeds) for s in played])
    truths = [budget_truth(sweep, settings.seeds[0]) for sweep in settings.sweeps]
    summary["sweeps"] = [budget_curves(truth, results) for truth in truths if truth is not None]
    summary["failures"] = failed
    folder.write_json(SUMMARY, summary)
    files = [folder.path / name for name in (RESULTS, STAGES, ORACLES, TIMINGS, SUMMARY)]
    return Leaderboard(summary, timings, failures, remarks, files)


@contextmanager
def progress(console: Console | None, done: int, total: int) -> Iterator[Any]:
    """A bar with the time left; yields what to call after each trial."""
    if console is None:
        yield lambda: None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("agents x scenarios"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("leaderboard", total=total, completed=done)
        yield lambda: progress.advance(bar)
