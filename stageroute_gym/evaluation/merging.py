"""One ranking from leaderboards of several machines, and from submissions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stageroute_gym import scenarios
from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.leaderboard import Leaderboard
from stageroute_gym.evaluation.oracle_plans import frontier, oracle_rows
from stageroute_gym.evaluation.oracle_values import oracle_values, service
from stageroute_gym.evaluation.ranking import rank
from stageroute_gym.evaluation.storage import (
    ORACLES,
    RESULTS,
    SETTINGS,
    SORTED_BY,
    STAGES,
    SUMMARY,
    TIMINGS,
    ResultsFolder,
    read_table,
)
from stageroute_gym.evaluation.submissions import is_submission, read_submission
from stageroute_gym.evaluation.summary import read_summary
from stageroute_gym.evaluation.sweeps import budget_curves, joined_truth
from stageroute_gym.evaluation.trials import first_difference, scenario_dict
from stageroute_gym.locking import locked
from stageroute_gym.writing import write_table

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class _Source:
    """What one leaderboard or submission brings.

    Attributes:
        name: where it lies.
        settings: as `stageroute_gym.evaluation.trials.LeaderboardSettings.to_dict` makes them.
        tables: its tables by the name of their file.
        oracles: what ``leaderboard.json`` says of the oracles, by scenario.
        service: what it says of what the budgets serve, by scenario.
        frontier: what it says of the most that money can buy, by scenario.
        sweeps: what it says of scores over budgets.
        failures: what it says of entries that failed.
    """

    name: str
    settings: dict[str, Any]
    tables: dict[str, pl.DataFrame]
    oracles: dict[str, Any]
    service: dict[str, Any]
    frontier: dict[str, Any]
    sweeps: list[Any]
    failures: list[Any]


def merge_leaderboards(
    sources: Sequence[str | Path], out: str | Path, *, overwrite: bool = False
) -> Leaderboard:
    """Rank the results of finished leaderboards and of submissions together.

    Args:
        sources: folders of leaderboards, or a file of each; and files of submissions, whose figures
            are taken as they stand: a remark says so.
        out: folder to write the results, stages, timings, settings and ranking to.
        overwrite: remove an earlier leaderboard in ``out``.

    Raises:
        FieldError: if a source is none, a scenario or an entry of one name differs between two of
            them (in a field, a file's content or the agent's code), they were run by different
            versions, or two hold different results of one episode; or if ``out`` may not be written
            to, or another run is at work in it. Nothing is written then.
    """
    if not sources:
        raise FieldError("files", list(map(str, sources)), "at least one leaderboard or submission")
    parts = [
        _of_submission(source) if is_submission(source) else _of_folder(source)
        for source in sources
    ]
    settings = _merged_settings(parts)
    keys = {
        RESULTS: SORTED_BY,
        STAGES: (*SORTED_BY, "stage"),
        ORACLES: ("scenario", "seed", "stage"),
        TIMINGS: SORTED_BY[:2],
    }
    for name in settings["scenarios"]:
        # Submissions bring no oracles: what is missing is computed, once for all of them.
        if not any(name in part.oracles for part in parts):
            parts.append(_of_oracles(name, settings))
    tables = {name: _merged_tables(parts, name, columns) for name, columns in keys.items()}
    kinds = {label: entry["kind"] for label, entry in settings["entries"].items()}
    ranking = rank(tables[RESULTS], list(settings["scenarios"]), kinds)
    summary = {"settings": settings, **ranking}
    for what in ("oracles", "service", "frontier"):
        values = {n: v for part in reversed(parts) for n, v in getattr(part, what).items()}
        summary[what] = {name: values[name] for name in settings["scenarios"] if name in values}
    summary["sweeps"] = _merged_sweeps(parts, tables[RESULTS])
    summary["failures"] = [failure for part in parts for failure in part.failures]
    target = ResultsFolder(out)
    target.check(settings, overwrite=overwrite, resume=False)
    with locked(target.path, field="out"):
        target.check(settings, overwrite=overwrite, resume=False)
        target.prepare(settings, resume=False)
        for name, table in tables.items():
            write_table(target.path / name, table, field="out")
        target.write_json(SUMMARY, summary)
    files = [target.path / name for name in (RESULTS, STAGES, ORACLES, TIMINGS, SUMMARY)]
    remarks = [
        f"{source}: figures as they were submitted; stageroute verify runs some of them again"
        for source in sources
        if is_submission(source)
    ]
    return Leaderboard(summary, tables[TIMINGS], [], remarks, files)


def _of_submission(source: str | Path) -> _Source:
    submission = read_submission(source)
    tables = {
        RESULTS: submission.episodes,
        STAGES: submission.stages,
        TIMINGS: submission.timings,
    }
    played = {name: scenario_dict(each) for name, each in submission.scenarios.items()}
    settings = {
        "version": submission.versions["stageroute-gym"],
        "scenarios": json.loads(json.dumps(played)),
        "entries": {submission.entry["label"]: submission.entry},
        "seeds": list(submission.suite.seeds),
        "sweeps": [],
    }
    return _Source(str(source), settings, tables, {}, {}, {}, [], [])


def _of_oracles(name: str, settings: dict[str, Any]) -> _Source:
    """What the oracles of a scenario come to, for sources that do not say it."""
    scenario, seeds = scenarios.get(name), settings["seeds"]
    return _Source(
        name,
        settings,
        {ORACLES: oracle_rows(scenario, seeds)},
        {name: oracle_values(scenario, seeds[0])},
        {name: service(scenario.world(seeds[0]))},
        {name: frontier(scenario, seeds)},
        [],
        [],
    )


def _of_folder(source: str | Path) -> _Source:
    folder = _folder_of(source)
    summary = read_summary(folder, "files")
    return _Source(
        str(folder),
        ResultsFolder(folder).settings(),
        {name: read_table(folder / name) for name in (RESULTS, STAGES, ORACLES, TIMINGS)},
        summary["oracles"],
        summary["service"],
        summary["frontier"],
        summary["sweeps"],
        summary["failures"],
    )


def _folder_of(source: str | Path) -> Path:
    path = Path(source)
    folder = path if path.is_dir() else path.parent
    for name in (SETTINGS, RESULTS, STAGES, ORACLES, TIMINGS, SUMMARY):
        if not path.exists() or not (folder / name).is_file():
            allowed = f"the folder of a finished leaderboard, or a file in one; {name} is not there"
            raise FieldError("files", str(source), allowed)
    return folder


def _merged_settings(parts: Sequence[_Source]) -> dict[str, Any]:
    # A copy, since it grows.
    first: dict[str, Any] = json.loads(json.dumps(parts[0].settings))
    for part in parts[1:]:
        other = part.settings
        for kind in ("scenarios", "entries"):
            for name, value in other[kind].items():
                known = first[kind].setdefault(name, value)
                _raise_difference(first_difference(value, known, f"{kind}.{name}"), part.name)
        _raise_difference(
            first_difference(other["version"], first["version"], "version"), part.name
        )
        first["seeds"] = sorted({*first["seeds"], *other["seeds"]})
    # What has been swept where is said by the curves; no sweep is run again from here.
    return {**first, "sweeps": []}


def _merged_sweeps(parts: Sequence[_Source], results: pl.DataFrame) -> list[dict[str, Any]]:
    """The curves over the budgets of all parts, each scenario's in one."""
    truths: dict[str, Any] = {}
    for curves in (curves for part in parts for curves in part.sweeps):
        known = truths.get(curves["scenario"])
        truths[curves["scenario"]] = curves if known is None else joined_truth(known, curves)
    return [budget_curves(truth, results) for truth in truths.values()]


def _raise_difference(difference: tuple[str, object, object] | None, source: str) -> None:
    if difference is not None:
        name, given, known = difference
        allowed = f"{known!r}, as in the files before; {given!r} was found in {source}"
        raise FieldError(name, given, allowed)


def _merged_tables(parts: Sequence[_Source], name: str, keys: Sequence[str]) -> pl.DataFrame:
    import polars as pl

    tables = [part.tables[name] for part in parts if name in part.tables]
    rows = pl.concat(tables).unique(maintain_order=True)
    if name == TIMINGS:
        # Of an entry that ran on several machines, the first one's.
        return rows.unique(keys, keep="first", maintain_order=True).sort(keys)
    twice = rows.filter(rows.select(keys).is_duplicated())
    if not twice.is_empty():
        place = ", ".join(f"{key} {twice[key][0]}" for key in keys)
        raise FieldError("files", f"{name}: {place}", "the same results in all files")
    return rows.sort(keys)
