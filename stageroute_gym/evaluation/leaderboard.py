"""Leaderboards: agents on scenarios, in parallel, kept as they finish."""

from __future__ import annotations

import datetime
import os
import platform
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation import agents
from stageroute_gym.evaluation.ranking import rank
from stageroute_gym.evaluation.reporting import (
    MOST_QUERY_VARIABLES,
    ReportTable,
    markdown,
    notes,
    report_tables,
)
from stageroute_gym.evaluation.running import environment_of, timed_evaluation, warm_up
from stageroute_gym.evaluation.settings import Settings, Task
from stageroute_gym.evaluation.storage import RESULTS, SUMMARY, TABLES, TIMINGS, ResultsFolder

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console


@dataclass(frozen=True)
class Failure:
    """An agent that raised.

    Attributes:
        scenario: name of the scenario.
        agent: name of the agent.
        error: type and message of what it raised.
        details: the traceback; empty where the error says what is wrong, as a `FieldError` does.
    """

    scenario: str
    agent: str
    error: str
    details: str


@dataclass(frozen=True)
class Leaderboard:
    """What a leaderboard has come to.

    Attributes:
        summary: what ``leaderboard.json`` holds.
        tables: the ranked tables.
        notes: what explains them.
        failures: agents that raised; the others' results are complete.
        files: what was written.
    """

    summary: dict[str, Any]
    tables: list[ReportTable]
    notes: list[str]
    failures: list[Failure]
    files: list[Path]


def run_leaderboard(
    settings: Settings,
    out: str | Path = "results",
    *,
    jobs: int | None = None,
    overwrite: bool = False,
    resume: bool = False,
    console: Console | None = None,
) -> Leaderboard:
    """Run every agent on every scenario and rank them.

    One task is one agent on one scenario with all its seeds, whatever ``jobs`` is, so the results
    do not depend on it. They go to ``out``: ``results.parquet`` (one row an episode),
    ``leaderboard.json`` (settings and ranking), both the same to the byte at every run;
    ``timings.parquet`` and ``leaderboard.md``, which are not. Finished tasks are kept in
    ``out/episodes`` as they come.

    Joblib runs the tasks: inside ``joblib.parallel_config(backend="ray")`` they leave the machine.

    Args:
        settings: what to run.
        out: folder to write to.
        jobs: processes; None takes one a core.
        overwrite: remove an earlier leaderboard in ``out``.
        resume: go on from what an interrupted one left in ``out``.
        console: where to show the progress, a ``rich`` console; None shows none.

    Raises:
        FieldError: if the folder may not be written to, or ``jobs`` is no number of processes;
            nothing has run then.
        KeyboardInterrupt: if interrupted; what has finished by then is kept.
    """
    if jobs is not None and (isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1):
        raise FieldError("jobs", jobs, "a number of processes, at least 1")
    folder, description = ResultsFolder(out), settings.to_dict()
    folder.check(description, overwrite=overwrite, resume=resume)
    folder.prepare(description, resume=resume)
    tasks = settings.tasks()
    finished = folder.finished(tasks)
    failures = _run(
        [task for task in tasks if task not in finished], folder, jobs, console, len(finished)
    )
    return _report(settings, folder, tasks, failures)


def _run(
    tasks: list[Task],
    folder: ResultsFolder,
    jobs: int | None,
    console: Console | None,
    finished: int,
) -> list[Failure]:
    """Run tasks and keep what they bring; those that failed, in the order of the tasks."""
    # Only here, since it is slow to load.
    import joblib

    if not tasks:
        return []
    # Compiled kernels are cached on disk: once here, instead of in every process at the same time.
    for env_id in sorted({environment_of(agents.load(t.agent), t.env_id) for t in tasks}):
        warm_up(env_id, tasks[0].scenario, tasks[0].overrides)
    workers = min(jobs or joblib.cpu_count(), len(tasks))
    parallel = joblib.Parallel(n_jobs=workers, batch_size=1, return_as="generator_unordered")
    failures: dict[int, Failure] = {}
    calls = (joblib.delayed(_run_task)(place, task) for place, task in enumerate(tasks))
    with _progress(console, finished, finished + len(tasks)) as advance:
        for place, outcome in parallel(calls):
            if isinstance(outcome, Failure):
                failures[place] = outcome
            else:
                folder.keep(tasks[place], *outcome)
            advance()
    return [failures[place] for place in sorted(failures)]


def _run_task(place: int, task: Task) -> tuple[int, tuple[pl.DataFrame, dict[str, Any]] | Failure]:
    """Run one task in a worker; its number, and the rows with their timing."""
    try:
        rows, timing = timed_evaluation(
            task.agent, task.scenario, task.seeds, env_id=task.env_id, warm=True, **task.overrides
        )
    # An agent is foreign code that may raise anything; it must not take the others' results along.
    except Exception as error:
        known = isinstance(error, FieldError)
        message = str(error) if known else f"{type(error).__name__}: {error}"
        details = "" if known else traceback.format_exc()
        return place, Failure(task.scenario, task.agent, message, details)
    return place, (rows, {**asdict(timing), **_machine()})


def _machine() -> dict[str, Any]:
    """What a timing depends on."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {
        "finished_at": now,
        "machine": platform.platform(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def _report(
    settings: Settings, folder: ResultsFolder, tasks: list[Task], failures: list[Failure]
) -> Leaderboard:
    summary: dict[str, Any] = {"settings": settings.to_dict()}
    failed = [{"scenario": f.scenario, "agent": f.agent, "error": f.error} for f in failures]
    finished = folder.finished(tasks)
    if not finished:
        summary["failures"] = failed
        folder.write_json(SUMMARY, summary)
        return Leaderboard(summary, [], [], failures, [folder.path / SUMMARY])
    results, timings = folder.collect(finished)
    summary |= rank(results, [scenario.name for scenario in settings.scenarios])
    summary["oracles"] = _oracles(settings, list(summary["scenarios"]))
    summary["failures"] = failed
    tables, explained = report_tables(summary, timings), notes(summary)
    folder.write_json(SUMMARY, summary)
    folder.write_text(TABLES, markdown(tables, explained))
    files = [folder.path / name for name in (RESULTS, TIMINGS, SUMMARY, TABLES)]
    return Leaderboard(summary, tables, explained, failures, files)


def _oracles(settings: Settings, names: list[str]) -> dict[str, dict[str, float | None]]:
    """Expected score a query of each oracle; the query oracle's in hindsight of the first seed.

    None stands for a query oracle whose programme would be too large.
    """
    # Only here, since the oracles load the compiler.
    from stageroute_gym.oracles import PLANNING_ORACLES, oracle_score, query_variables, realised

    values: dict[str, dict[str, float | None]] = {}
    for scenario in settings.scenarios:
        if scenario.name not in names:
            continue
        world = scenario.world()
        values[scenario.name] = {o: oracle_score(world, o) for o in PLANNING_ORACLES}
        met = realised(world, settings.seeds[0])
        small = query_variables(met) <= MOST_QUERY_VARIABLES
        values[scenario.name]["query"] = oracle_score(met, "query") if small else None
    return values


@contextmanager
def _progress(console: Console | None, done: int, total: int) -> Iterator[Any]:
    """A bar with the time left; yields what to call after each task."""
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
