"""The folder of a leaderboard: nothing that is finished gets lost, nothing is overwritten unasked.

``episodes/`` holds the files of each finished trial, ``settings.json`` what they were run with. The
other files are written when all trials are through.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation import fingerprints
from stageroute_gym.evaluation.running import Played
from stageroute_gym.evaluation.trials import Trial, differing, first_difference
from stageroute_gym.writing import make_folder, write_json, write_table

if TYPE_CHECKING:
    import polars as pl

RESULTS = "results.parquet"
STAGES = "stages.parquet"
TIMINGS = "timings.parquet"
ORACLES = "oracles.parquet"
SUMMARY = "leaderboard.json"
TABLES = "leaderboard.md"
PAGE = "leaderboard.html"
SETTINGS = "settings.json"
EPISODES = "episodes"
SORTED_BY = ("scenario", "entry", "seed")
# What a trial leaves in `EPISODES`: its tables, and then the record that says it is finished.
_ENDINGS = (".parquet", ".stages.parquet")
_RECORD = ".json"
_LONGEST_NAME = 120


class ResultsFolder:
    """A leaderboard's folder.

    Args:
        path: the folder; it need not exist yet.

    Raises:
        FieldError: if the path is empty.
    """

    def __init__(self, path: str | Path) -> None:
        if not str(path):
            raise FieldError("out", path, "the name of a folder")
        self.path = Path(path)

    def check(self, settings: dict[str, Any], *, overwrite: bool, resume: bool) -> None:
        """Look whether a leaderboard may be written here; changes nothing.

        Args:
            settings: what is to be run, see
                `stageroute_gym.evaluation.trials.LeaderboardSettings.to_dict`.
            overwrite: whether results that are there may be removed.
            resume: whether to go on from what is there.

        Raises:
            FieldError: if it is no folder, holds results and neither was asked for, holds files
                that no leaderboard wrote under the names of those to write, or is to be resumed
                with other settings.
        """
        if overwrite and resume:
            raise FieldError("resume", True, "either --resume or --overwrite, not both")
        if self.path.exists() and not self.path.is_dir():
            raise FieldError("out", str(self.path), "a folder; this is a file")
        if resume:
            # Code that changed is no other leaderboard: its trials are run again.
            difference = first_difference(
                json.loads(json.dumps(settings)), self.settings(), but=("fingerprint",)
            )
            if difference is not None:
                name, given, before = difference
                allowed = f"{before!r}, as the leaderboard to resume was run with"
                raise FieldError(name, given, allowed)
            return
        present = ", ".join(str(path.relative_to(self.path)) for path in self._present())
        if not present:
            return
        if not (self.path / SETTINGS).is_file():
            allowed = f"a folder without files of these names; {present} has no {SETTINGS} beside"
            raise FieldError("out", str(self.path), f"{allowed} it that says whose it is")
        if not overwrite:
            allowed = f"a folder without results, or --overwrite, or --resume; it holds {present}"
            raise FieldError("out", str(self.path), allowed)
        self.settings()

    def settings(self) -> dict[str, Any]:
        """The settings of the leaderboard that is here.

        Raises:
            FieldError: if there is none, or its settings cannot be read.
        """
        file = self.path / SETTINGS
        if not file.is_file():
            raise FieldError("out", str(self.path), "a folder with a leaderboard to resume")
        try:
            kept = json.loads(file.read_text(encoding="utf-8"))
        except (ValueError, OSError) as error:
            raise FieldError("out", str(self.path), f"a readable {SETTINGS}; {error}") from error
        if not isinstance(kept, dict) or not {"version", "scenarios", "entries"} <= set(kept):
            raise FieldError("out", str(self.path), f"a {SETTINGS} that a leaderboard wrote")
        return kept

    def prepare(self, settings: dict[str, Any], *, resume: bool) -> None:
        """Make the folder and, unless resuming, remove an earlier leaderboard's files.

        Raises:
            FieldError: if the folder cannot be made or written to.
        """
        make_folder(self.path / EPISODES)
        try:
            if not resume:
                # The settings go last, since it is they that say whose the others are.
                for path in sorted(self._written(), key=lambda path: path.name == SETTINGS):
                    path.unlink()
        except OSError as error:
            allowed = f"a folder that can be written to; {error.strerror}"
            raise FieldError("out", str(self.path), allowed) from error
        self.write_json(SETTINGS, settings)

    def missing(self, trials: Sequence[Trial]) -> tuple[list[Trial], list[str]]:
        """What of the trials is not here: each with the seeds that it lacks.

        Returns:
            The trials to run, and why those that left files here have to be run again.
        """
        to_run, remarks = [], []
        for trial in trials:
            kept, fault = self._kept(trial)
            if fault:
                remarks.append(f"{trial.name}: {fault}; it is run again")
            seeds = tuple(seed for seed in trial.seeds if seed not in kept)
            if seeds:
                to_run.append(dataclasses.replace(trial, seeds=seeds))
        return to_run, remarks

    def keep(self, trial: Trial, played: Played, machine: dict[str, Any]) -> None:
        """Keep a finished trial beside what is here of its other seeds.

        Args:
            trial: the trial, with the seeds that it ran.
            played: its episodes, their stages, and how long they took.
            machine: what ran it.
        """
        tables = [played.episodes, played.stages]
        timing = {**asdict(played.timing), **machine}
        kept, _ = self._kept(trial)
        if kept:
            tables = [
                _merged(read_table(self._file(trial, ending)), table)
                for ending, table in zip(_ENDINGS, tables, strict=True)
            ]
            timing = _mean_timing(self._record(trial)["timing"], timing)
        for ending, table in zip(_ENDINGS, tables, strict=True):
            write_table(self._file(trial, ending), table, field="out")
        # The record comes last, since it is what says that the trial is finished.
        record = {
            "trial": {**trial.to_dict(), "seeds": sorted({*kept, *trial.seeds})},
            "timing": timing,
            "sha256": {
                ending: fingerprints.of_file(self._file(trial, ending)) for ending in _ENDINGS
            },
        }
        write_json(self._file(trial, _RECORD), record, field="out")

    def collect(self, trials: Sequence[Trial]) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Write results, stages and timings of finished trials, sorted; results and timings."""
        import polars as pl

        results, stages = (
            pl.concat([read_table(self._file(trial, ending)) for trial in trials])
            for ending in _ENDINGS
        )
        timings = pl.DataFrame([self._record(trial)["timing"] for trial in trials])
        results = results.sort(SORTED_BY)
        timings = timings.sort(SORTED_BY[:2])
        write_table(self.path / RESULTS, results, field="out")
        write_table(self.path / STAGES, stages.sort(*SORTED_BY, "stage"), field="out")
        write_table(self.path / TIMINGS, timings, field="out")
        return results, timings

    def write_oracles(self, rows: Sequence[pl.DataFrame]) -> None:
        """Write what the oracles do, see `stageroute_gym.evaluation.oracle_plans.oracle_rows`."""
        import polars as pl

        write_table(self.path / ORACLES, pl.concat(rows), field="out")

    def write_json(self, name: str, content: dict[str, Any]) -> None:
        """Write JSON to a file of the folder."""
        write_json(self.path / name, content, field="out")

    def _present(self) -> list[Path]:
        """What is here under the names of a leaderboard's files."""
        names = (SETTINGS, RESULTS, STAGES, TIMINGS, ORACLES, SUMMARY, TABLES, PAGE)
        found = [self.path / name for name in names if (self.path / name).exists()]
        episodes = self.path / EPISODES
        if episodes.exists() and (not episodes.is_dir() or any(episodes.iterdir())):
            found.append(episodes)
        return found

    def _written(self) -> list[Path]:
        """The files here that the leaderboard of the settings here wrote."""
        if not (self.path / SETTINGS).is_file():
            return []
        kept = self.settings()
        stems = {_file_name(s, e) for s in kept["scenarios"] for e in kept["entries"]}
        names = [stem + ending for stem in stems for ending in (*_ENDINGS, _RECORD)]
        # What an interrupted write left; see `stageroute_gym.writing`.
        partial = re.compile(r"\.(.+?)-[^-]*\.tmp")
        episodes = self.path / EPISODES
        left = [
            path
            for path in (episodes.iterdir() if episodes.is_dir() else ())
            if (match := partial.fullmatch(path.name)) and match[1].removesuffix(".stages") in stems
        ]
        paths = [path for path in self._present() if path.name != EPISODES]
        return [
            path for path in [*paths, *(episodes / name for name in names), *left] if path.is_file()
        ]

    def _kept(self, trial: Trial) -> tuple[frozenset[int], str]:
        """The seeds of the trial whose results are here; why they cannot be used, or ""."""
        nothing: frozenset[int] = frozenset()
        if not any(self._file(trial, ending).exists() for ending in (*_ENDINGS, _RECORD)):
            return nothing, ""
        try:
            record = self._record(trial)
            hashes = record["sha256"]
            now, before = json.loads(json.dumps(trial.to_dict())), record["trial"]
            seeds = frozenset(before.pop("seeds"))
            del now["seeds"]
            changed = differing(now, before)
            if changed == ["entry"] and differing(now["entry"], before["entry"]) == ["fingerprint"]:
                return nothing, "the agent's code or file has changed"
            if changed:
                return nothing, f"it was run with another {', '.join(changed)}"
            for ending in _ENDINGS:
                path = self._file(trial, ending)
                if fingerprints.of_file(path) != hashes[ending]:
                    return nothing, f"{path.relative_to(self.path)} is damaged"
        except OSError as error:
            name = Path(str(error.filename)).name
            return nothing, f"{EPISODES}/{name} cannot be read; {error.strerror}"
        except (ValueError, KeyError, TypeError, AttributeError):
            return nothing, f"{EPISODES}/{self._file(trial, _RECORD).name} is damaged"
        return seeds, ""

    def _record(self, trial: Trial) -> dict[str, Any]:
        return json.loads(self._file(trial, _RECORD).read_text(encoding="utf-8"))

    def _file(self, trial: Trial, ending: str) -> Path:
        return self.path / EPISODES / (_file_name(trial.scenario.name, trial.entry.label) + ending)


def read_table(path: Path) -> pl.DataFrame:
    """A Parquet file as a table; polars expands brackets in paths, so it gets the content."""
    import polars as pl

    return pl.read_parquet(io.BytesIO(path.read_bytes()))


def _merged(kept: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """Both tables' rows, those of a seed as they stand."""
    import polars as pl

    return pl.concat([kept, new]).sort("seed", maintain_order=True)


def _mean_timing(kept: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """What two runs took together; the machine is that of the new one."""
    decisions = kept["decisions"] + new["decisions"]
    means = {
        name: (kept[name] * kept["decisions"] + new[name] * new["decisions"]) / decisions
        for name in ("agent_microseconds", "env_microseconds")
    }
    return {**new, **means, "decisions": decisions}


def _file_name(scenario: str, entry: str) -> str:
    """A name for a trial's files; where a sign has to go, a hash tells apart what was equal."""
    name = f"{scenario}--{entry}"
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)[:_LONGEST_NAME]
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
