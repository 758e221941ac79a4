"""The folder of a leaderboard: nothing that is finished gets lost, nothing is overwritten unasked.

``episodes/`` holds one file a finished task, ``settings.json`` what they were run with. The other
files are written when all tasks are through.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.settings import Task, first_difference

if TYPE_CHECKING:
    import polars as pl

RESULTS = "results.parquet"
TIMINGS = "timings.parquet"
SUMMARY = "leaderboard.json"
TABLES = "leaderboard.md"
SETTINGS = "settings.json"
EPISODES = "episodes"
_TIMING_ENDING = ".timing.parquet"
_SORTED_BY = ("scenario", "agent", "agent_parameters", "seed")


class ResultsFolder:
    """A leaderboard's folder.

    Args:
        path: the folder; it need not exist yet.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def check(self, settings: dict[str, Any], *, overwrite: bool, resume: bool) -> None:
        """Look whether a leaderboard may be written here; changes nothing.

        Args:
            settings: what is to be run, see `stageroute_gym.evaluation.settings.Settings.to_dict`.
            overwrite: whether results that are there may be removed.
            resume: whether to go on from what is there.

        Raises:
            FieldError: if it is no folder, holds results and neither was asked for, or is to be
                resumed with other settings.
        """
        if overwrite and resume:
            raise FieldError("resume", True, "either --resume or --overwrite, not both")
        if self.path.exists() and not self.path.is_dir():
            raise FieldError("out", str(self.path), "a folder; this is a file")
        if resume:
            self._check_same(settings)
        elif self._present() and not overwrite:
            allowed = (
                f"a folder without results, or --overwrite, or --resume; "
                f"it holds {', '.join(path.name for path in self._present())}"
            )
            raise FieldError("out", str(self.path), allowed)

    def prepare(self, settings: dict[str, Any], *, resume: bool) -> None:
        """Make the folder and, unless resuming, remove an earlier leaderboard's files.

        Raises:
            FieldError: if the folder cannot be made or written to.
        """
        try:
            (self.path / EPISODES).mkdir(parents=True, exist_ok=True)
            if resume:
                return
            for path in [*self._present(), *(self.path / EPISODES).glob("*.parquet")]:
                if path.is_file():
                    path.unlink()
            self.write_json(SETTINGS, settings)
        except OSError as error:
            allowed = f"a folder that can be written to; {error.strerror}"
            raise FieldError("out", str(self.path), allowed) from error

    def finished(self, tasks: Sequence[Task]) -> list[Task]:
        """Those of the tasks whose episodes are here."""
        return [task for task in tasks if self._episodes(task).is_file()]

    def keep(self, task: Task, rows: pl.DataFrame, timing: dict[str, Any]) -> None:
        """Keep a finished task: its episodes, and how long they took."""
        import polars as pl

        # The episodes come last, since it is they that say the task is finished.
        self._write_table(self._timing(task), pl.DataFrame([timing]))
        self._write_table(self._episodes(task), rows)

    def collect(self, tasks: Sequence[Task]) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Write the results and timings of finished tasks, sorted; both as tables."""
        import polars as pl

        results = pl.concat([pl.read_parquet(self._episodes(task)) for task in tasks])
        timings = pl.concat([pl.read_parquet(self._timing(task)) for task in tasks])
        results = results.sort(_SORTED_BY)
        timings = timings.sort(_SORTED_BY[:2])
        self._write_table(self.path / RESULTS, results)
        self._write_table(self.path / TIMINGS, timings)
        return results, timings

    def write_json(self, name: str, content: dict[str, Any]) -> None:
        """Write JSON to a file of the folder."""
        text = json.dumps(content, indent=2, allow_nan=False) + "\n"
        self.write_text(name, text)

    def write_text(self, name: str, text: str) -> None:
        """Write text to a file of the folder."""
        _atomically(self.path / name, lambda partial: partial.write_text(text, encoding="utf-8"))

    def _present(self) -> list[Path]:
        """What is here of a leaderboard."""
        names = (SETTINGS, RESULTS, TIMINGS, SUMMARY, TABLES, EPISODES)
        return [self.path / name for name in names if (self.path / name).exists()]

    def _check_same(self, settings: dict[str, Any]) -> None:
        file = self.path / SETTINGS
        if not file.is_file():
            raise FieldError("out", str(self.path), "a folder with a leaderboard to resume")
        try:
            kept = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise FieldError("out", str(self.path), f"a readable {SETTINGS}; {error}") from error
        # Through JSON, as the kept ones went, so that tuples are lists in both.
        difference = first_difference(json.loads(json.dumps(settings)), kept)
        if difference is not None:
            name, given, before = difference
            raise FieldError(name, given, f"{before!r}, as the leaderboard to resume was run with")

    def _episodes(self, task: Task) -> Path:
        return self.path / EPISODES / f"{_file_name(task)}.parquet"

    def _timing(self, task: Task) -> Path:
        return self.path / EPISODES / f"{_file_name(task)}{_TIMING_ENDING}"

    def _write_table(self, path: Path, table: pl.DataFrame) -> None:
        _atomically(path, lambda partial: table.write_parquet(partial, compression="zstd"))


def _file_name(task: Task) -> str:
    """A name for the task's files; where a sign has to go, a hash tells apart what was equal."""
    name = f"{task.scenario}--{task.agent}"
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Write beside the file and rename, so that an interruption leaves no half a file."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=".tmp")
    os.close(handle)
    partial = Path(name)
    try:
        write(partial)
        # mkstemp makes a private file; this gives it what a plain open would have.
        mask = os.umask(0)
        os.umask(mask)
        partial.chmod(0o666 & ~mask)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
