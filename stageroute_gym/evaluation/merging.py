"""One ranking from the leaderboards of several machines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.leaderboard import Leaderboard
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
from stageroute_gym.evaluation.trials import first_difference
from stageroute_gym.writing import write_table

if TYPE_CHECKING:
    import polars as pl


def merge_leaderboards(
    sources: Sequence[str | Path], out: str | Path, *, overwrite: bool = False
) -> Leaderboard:
    """Rank the results of finished leaderboards together.

    Args:
        sources: their folders, or a file of each.
        out: folder to write the results, stages, timings, settings and ranking to.
        overwrite: remove an earlier leaderboard in ``out``.

    Raises:
        FieldError: if a source is none, a scenario or an entry of one name differs between two of
            them (in a field, a file's content or the agent's code), they were run by different
            versions, or two hold different results of one episode. Nothing is written then.
    """
    folders = [_folder_of(source) for source in sources]
    if not folders:
        raise FieldError("files", list(map(str, sources)), "at least one leaderboard")
    settings = _merged_settings(folders)
    results, stages, timings = (
        _merged_tables(folders, name, keys)
        for name, keys in (
            (RESULTS, SORTED_BY),
            (STAGES, (*SORTED_BY, "stage")),
            (TIMINGS, SORTED_BY[:2]),
        )
    )
    oracles = _merged_tables(folders, ORACLES, ("scenario", "seed", "stage"))
    summaries = [_json_of(folder / SUMMARY) for folder in folders]
    kinds = {label: entry["kind"] for label, entry in settings["entries"].items()}
    summary = {"settings": settings, **rank(results, list(settings["scenarios"]), kinds)}
    for part in ("oracles", "service"):
        values = {name: v for each in reversed(summaries) for name, v in each[part].items()}
        summary[part] = {name: values[name] for name in settings["scenarios"] if name in values}
    summary["sweeps"] = []
    summary["failures"] = [failure for each in summaries for failure in each["failures"]]
    target = ResultsFolder(out)
    target.check(settings, overwrite=overwrite, resume=False)
    target.prepare(settings, resume=False)
    for name, table in (
        (RESULTS, results),
        (STAGES, stages),
        (ORACLES, oracles),
        (TIMINGS, timings),
    ):
        write_table(target.path / name, table, field="out")
    target.write_json(SUMMARY, summary)
    files = [target.path / name for name in (RESULTS, STAGES, ORACLES, TIMINGS, SUMMARY)]
    return Leaderboard(summary, timings, [], [], files)


def _folder_of(source: str | Path) -> Path:
    path = Path(source)
    folder = path if path.is_dir() else path.parent
    for name in (SETTINGS, RESULTS, STAGES, ORACLES, TIMINGS, SUMMARY):
        if not path.exists() or not (folder / name).is_file():
            allowed = f"the folder of a finished leaderboard, or a file in one; {name} is not there"
            raise FieldError("files", str(source), allowed)
    return folder


def _json_of(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FieldError("files", str(file), f"a readable file; {error}") from error
    if not isinstance(content, dict):
        raise FieldError("files", str(file), "a file that a leaderboard wrote")
    return content


def _merged_settings(folders: Sequence[Path]) -> dict[str, Any]:
    first: dict[str, Any] = {}
    for folder in folders:
        other = ResultsFolder(folder).settings()
        if not first:
            first = other
            continue
        for part in ("scenarios", "entries"):
            for name, value in other[part].items():
                known = first[part].setdefault(name, value)
                _raise_difference(first_difference(value, known, f"{part}.{name}"), folder)
        _raise_difference(first_difference(other["version"], first["version"], "version"), folder)
        first["seeds"] = sorted({*first["seeds"], *other["seeds"]})
    # A curve needs the scenarios themselves, which files do not hold.
    return {**first, "sweeps": []}


def _raise_difference(difference: tuple[str, object, object] | None, folder: Path) -> None:
    if difference is not None:
        name, given, known = difference
        allowed = f"{known!r}, as in the files before; {given!r} was found in {folder}"
        raise FieldError(name, given, allowed)


def _merged_tables(folders: Sequence[Path], name: str, keys: Sequence[str]) -> pl.DataFrame:
    import polars as pl

    rows = pl.concat([read_table(folder / name) for folder in folders]).unique(maintain_order=True)
    if name == TIMINGS:
        # Of an entry that ran on several machines, the first one's.
        return rows.unique(keys, keep="first", maintain_order=True).sort(keys)
    twice = rows.filter(rows.select(keys).is_duplicated())
    if not twice.is_empty():
        place = ", ".join(f"{key} {twice[key][0]}" for key in keys)
        raise FieldError("files", f"{name}: {place}", "the same results in all files")
    return rows.sort(keys)
