"""Submissions: what one entry came to on a suite, as one file that others can check.

The file is a ZIP archive: ``submission.json`` (format, entry with its fingerprint, suite with its
hash, versions, machine, and the hash of each table) and the tables of episodes, stages and timings.
Its hashes find what was damaged or changed by hand; only running episodes again finds what was made
up, see `stageroute_gym.evaluation.verification`.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import stageroute_gym
from stageroute_gym import scenarios
from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation import fingerprints
from stageroute_gym.evaluation.attempts import Failure, machine, run_trials
from stageroute_gym.evaluation.backends import LocalProcesses
from stageroute_gym.evaluation.clusters import Backend
from stageroute_gym.evaluation.storage import RESULTS, SORTED_BY, STAGES, TIMINGS
from stageroute_gym.evaluation.submitted_figures import check_figures
from stageroute_gym.evaluation.trials import LeaderboardSettings
from stageroute_gym.scenarios import Scenario, Suite
from stageroute_gym.writing import write_atomically

if TYPE_CHECKING:
    import polars as pl

FORMAT = 1
DEFAULT_SUITE = "core"
SUFFIX = ".submission"
MANIFEST = "submission.json"
TABLES = (RESULTS, STAGES, TIMINGS)
# Of numbers that one machine cannot hold, an archive of a few bytes may tell.
LARGEST_MEMBER = 2**28
_VERSIONS = ("gymnasium", "numpy", "scipy", "numba", "polars")
_TEXTS = ("agent", "label", "kind", "env_id", "fingerprint")


@dataclass(frozen=True)
class Submission:
    """What one entry came to on a suite.

    Attributes:
        entry: the entry, as `stageroute_gym.evaluation.entries.Entry.to_dict` makes it.
        suite: the suite.
        versions: see `versions`.
        machine: what ran it.
        episodes: one row an episode, see `stageroute_gym.evaluation.books.episode_rows`.
        stages: one row for each stage of these, see `stageroute_gym.evaluation.stages.stage_rows`.
        timings: one row a scenario.
    """

    entry: dict[str, Any]
    suite: Suite
    versions: dict[str, str]
    machine: dict[str, Any]
    episodes: pl.DataFrame
    stages: pl.DataFrame
    timings: pl.DataFrame

    @property
    def scenarios(self) -> dict[str, Scenario]:
        """The suite's scenarios by name."""
        return {name: scenarios.get(name) for name in self.suite.scenarios}

    def manifest(self) -> dict[str, Any]:
        """What the file says beside its tables, as JSON-native values."""
        suite = {"name": self.suite.name, "version": self.suite.version}
        return {
            "format": FORMAT,
            "entry": self.entry,
            "suite": {**suite, "sha256": self.suite.sha256()},
            "versions": self.versions,
            "machine": self.machine,
        }


def submit(
    entry: str, suite: str = DEFAULT_SUITE, *, backend: Backend | None = None
) -> Submission | list[Failure]:
    """Run an entry on a suite.

    Args:
        entry: the entry, as text, see `stageroute_gym.evaluation.entries.Entry.parsed`.
        suite: name of the suite.
        backend: as for `stageroute_gym.evaluation.leaderboard.run_leaderboard`.

    Returns:
        The submission; or, where the entry failed on a scenario, all its failures.

    Raises:
        FieldError: if there is no such suite or agent, or it is more than one; nothing has run
            then.
    """
    import polars as pl

    settings = LeaderboardSettings.checked(agents=[entry], suite=suite)
    if len(settings.entries) != 1:
        raise FieldError("entry", entry, "one agent")
    trials = settings.trials()
    outcomes = dict(run_trials(trials, backend or LocalProcesses()))
    ordered = [outcomes[place] for place in range(len(trials))]
    failures = [outcome for outcome in ordered if isinstance(outcome, Failure)]
    if failures:
        return failures
    finished = [outcome for outcome in ordered if not isinstance(outcome, Failure)]
    return Submission(
        settings.entries[0].to_dict(),
        scenarios.suite(suite),
        versions(),
        machine(),
        pl.concat([each.played.episodes for each in finished]).sort(SORTED_BY),
        pl.concat([each.played.stages for each in finished]).sort(*SORTED_BY, "stage"),
        pl.DataFrame([{**asdict(each.played.timing), **each.machine} for each in finished]),
    )


def versions() -> dict[str, str]:
    """Versions of stageroute-gym and of the libraries that results depend on, by name."""
    return {
        "stageroute-gym": stageroute_gym.__version__,
        **{name: version(name) for name in _VERSIONS},
    }


def write_submission(submission: Submission, path: str | Path) -> None:
    """Write a submission as one file.

    Raises:
        FieldError: if the file cannot be written.
    """
    tables = (submission.episodes, submission.stages, submission.timings)
    content = dict(zip(TABLES, map(_parquet, tables), strict=True))
    manifest: dict[str, Any] = submission.manifest()
    manifest["files"] = {name: hashlib.sha256(data).hexdigest() for name, data in content.items()}
    manifest["sha256"] = fingerprints.of_json(manifest)

    def write(partial: Path) -> None:
        with zipfile.ZipFile(partial, "w") as archive:
            archive.writestr(MANIFEST, json.dumps(manifest, indent=2, allow_nan=False) + "\n")
            for name, data in content.items():
                archive.writestr(name, data)

    write_atomically(path, write, field="out")


def read_submission(path: str | Path) -> Submission:
    """Read a submission, and check all of it that can be checked without running anything.

    Raises:
        FieldError: if there is no such file, it is truncated, damaged or changed, a newer version
            wrote it, its suite is not the one that goes by its name here, or its figures do not
            follow from each other.
    """
    import polars as pl

    content = _members(path)
    try:
        manifest = json.loads(content[MANIFEST])
        known = manifest["format"]
        if known != FORMAT:
            newer = isinstance(known, int) and known > FORMAT
            how = "; a newer stageroute-gym wrote it" if newer else ""
            raise FieldError("format", known, f"{FORMAT}, which this version reads{how}")
        _check_version(manifest["versions"]["stageroute-gym"])
        _check_hashes(path, manifest, content)
        suite = _suite_of(manifest["suite"])
        entry = _entry_of(manifest["entry"])
        episodes, stages, timings = (pl.read_parquet(io.BytesIO(content[name])) for name in TABLES)
        submission = Submission(
            entry,
            suite,
            dict(manifest["versions"]),
            dict(manifest["machine"]),
            episodes,
            stages,
            timings,
        )
    except (ValueError, KeyError, TypeError, AttributeError, pl.exceptions.PolarsError) as error:
        if isinstance(error, FieldError):
            raise
        allowed = f"a submission, whole and unchanged; {MANIFEST} or a table of it is not: {error}"
        raise FieldError("file", str(path), allowed) from error
    check_figures(episodes, stages, timings, entry, submission.scenarios, suite.seeds)
    return submission


def is_submission(path: str | Path) -> bool:
    """Whether a path is that of a submission's file, by its name."""
    return Path(path).suffix == SUFFIX


def _members(path: str | Path) -> dict[str, bytes]:
    """The contents of the archive's files."""
    try:
        with zipfile.ZipFile(path) as archive:
            content = dict(_contents(archive))
    except OSError as error:
        reason = error.strerror or str(error)
        raise FieldError("file", str(path), f"a file that can be read; {reason}") from error
    # Besides what the format calls damaged: what a damaged header leads the decompressors to.
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, KeyError) as error:
        allowed = f"a submission; this is none, or it is truncated or damaged: {error}"
        raise FieldError("file", str(path), allowed) from error
    return content


def _contents(archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    for name in (MANIFEST, *TABLES):
        size = archive.getinfo(name).file_size
        if size > LARGEST_MEMBER:
            raise zipfile.BadZipFile(f"{name} holds {size:,} bytes, more than {LARGEST_MEMBER:,}")
        yield name, archive.read(name)


def _check_version(given: str) -> None:
    here = stageroute_gym.__version__
    if _numbers(given) > _numbers(here):
        allowed = f"at most {here}, the version here; install stageroute-gym {given} to read it"
        raise FieldError("version", given, allowed)


def _numbers(text: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", text)]


def _check_hashes(path: str | Path, manifest: dict[str, Any], content: dict[str, bytes]) -> None:
    own = {key: value for key, value in manifest.items() if key != "sha256"}
    changed = [MANIFEST] if fingerprints.of_json(own) != manifest["sha256"] else []
    changed += [
        name
        for name in TABLES
        if hashlib.sha256(content[name]).hexdigest() != manifest["files"][name]
    ]
    if changed:
        allowed = f"a file that is as it was written; changed since: {', '.join(changed)}"
        raise FieldError("file", str(path), allowed)


def _suite_of(given: dict[str, Any]) -> Suite:
    found = scenarios.suite(given["name"])
    if given["version"] != found.version:
        allowed = f"{found.version}, the version of suite {found.name} here"
        raise FieldError("version of the suite", given["version"], allowed)
    if given["sha256"] != found.sha256():
        allowed = f"{found.sha256()}, that of {found.name} v{found.version} here: a foreign suite"
        raise FieldError("sha256 of the suite", given["sha256"], allowed)
    return found


def _entry_of(given: dict[str, Any]) -> dict[str, Any]:
    for name in _TEXTS:
        if not isinstance(given[name], str):
            raise FieldError(f"entry.{name}", given[name], "a text")
    if not isinstance(given["parameters"], dict):
        raise FieldError("entry.parameters", given["parameters"], "parameters by name")
    trained_on = given["trained_on"]
    if not isinstance(trained_on, list) or not all(isinstance(name, str) for name in trained_on):
        raise FieldError("entry.trained_on", trained_on, "a list of names")
    return {name: given[name] for name in ("agent", "parameters", *_TEXTS[1:], "trained_on")}


def _parquet(table: pl.DataFrame) -> bytes:
    stream = io.BytesIO()
    table.write_parquet(stream, compression="zstd")
    return stream.getvalue()
