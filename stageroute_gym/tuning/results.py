"""The folder of a tuning: trials are kept as they end, and are data when all are through."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.trials import first_difference
from stageroute_gym.locking import contents
from stageroute_gym.tuning.search import TuningTrial
from stageroute_gym.tuning.settings import Candidate, TuningSettings
from stageroute_gym.writing import make_folder, write_json, write_table

if TYPE_CHECKING:
    import polars as pl

SETTINGS = "settings.json"
AGENTS = "agents"
TRIALS = "trials.parquet"
WORLDS = "worlds.parquet"
TUNED = "tuned.json"


class TuningFolder:
    """Where a tuning keeps what it finds.

    Args:
        path: the folder; it need not exist yet.

    Raises:
        FieldError: if the path is empty.
    """

    def __init__(self, path: str | Path) -> None:
        if not str(path):
            raise FieldError("out", path, "the name of a folder")
        self.path = Path(path)

    def check(self, settings: TuningSettings, *, resume: bool, overwrite: bool) -> None:
        """Look whether a tuning may be written here; changes nothing.

        Args:
            settings: what is to be run.
            resume: whether to go on from the trials that are here: with more trials, or other
                agents, but the same suite, seeds and sampler.
            overwrite: whether to remove them.

        Raises:
            FieldError: if it is in use and neither was asked for, or both, or it was run with other
                settings.
        """
        if resume and overwrite:
            raise FieldError("resume", True, "either --resume or --overwrite, not both")
        if self.path.exists() and not self.path.is_dir():
            raise FieldError("out", str(self.path), "a folder; this is a file")
        if resume:
            self._check_same(settings)
        elif contents(self.path):
            if not overwrite:
                raise FieldError("out", str(self.path), "an empty folder, --resume or --overwrite")
            self._check_ours()

    def prepare(self, settings: TuningSettings, *, overwrite: bool) -> None:
        """Make the folder ready and, if asked for, remove an earlier tuning's files.

        Raises:
            FieldError: if it cannot be written to.
        """
        make_folder(self.path / AGENTS)
        try:
            if overwrite:
                for path in (*self.path.glob(f"{AGENTS}/*.json"), *self._written()):
                    path.unlink(missing_ok=True)
        except OSError as error:
            allowed = f"a folder that can be written to; {error.strerror}"
            raise FieldError("out", str(self.path), allowed) from error
        self._write_json(SETTINGS, settings.to_dict())

    def trials(self, candidate: Candidate) -> tuple[list[TuningTrial], str]:
        """The trials of an agent that are here and count, and why others do not, or ""."""
        path = self._file(candidate.entry.agent)
        if not path.is_file():
            return [], ""
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            trials = [TuningTrial(**trial) for trial in kept["trials"]]
            before = kept["candidate"]
        except (OSError, ValueError, KeyError, TypeError):
            return [], f"{AGENTS}/{path.name} is damaged"
        now = json.loads(json.dumps(candidate.to_dict()))
        if now != before:
            changed = [name for name in now if now[name] != before.get(name)]
            return [], f"its {', '.join(changed)} has changed"
        return trials, ""

    def keep(self, candidate: Candidate, trials: Sequence[TuningTrial]) -> None:
        """Keep an agent's trials, in place of those that are here."""
        kept = {"candidate": candidate.to_dict(), "trials": [each.to_dict() for each in trials]}
        self._write_json(f"{AGENTS}/{self._file(candidate.entry.agent).name}", kept)

    def sum_up(self) -> dict[str, Any]:
        """Write the tables and the tuned settings of all agents that are here; the latter.

        Raises:
            FieldError: if the folder holds no finished trial.
        """
        kept = [
            json.loads(path.read_text(encoding="utf-8"))
            for path in sorted((self.path / AGENTS).glob("*.json"))
        ]
        found = {
            each["candidate"]["agent"]: [TuningTrial(**trial) for trial in each["trials"]]
            for each in kept
        }
        if not any(trial.value is not None for trials in found.values() for trial in trials):
            raise FieldError("out", str(self.path), "a folder with a finished trial")
        for name, table in zip((TRIALS, WORLDS), tables(found), strict=True):
            write_table(self.path / name, table, field="out")
        settings = json.loads((self.path / SETTINGS).read_text(encoding="utf-8"))
        chosen = summary(settings, [each["candidate"] for each in kept], found)
        self._write_json(TUNED, chosen)
        return chosen

    def _check_same(self, settings: TuningSettings) -> None:
        self._check_ours()
        before = json.loads((self.path / SETTINGS).read_text(encoding="utf-8"))
        difference = first_difference(json.loads(json.dumps(settings.to_dict())), before)
        if difference is not None:
            name, given, kept = difference
            raise FieldError(name, given, f"{kept!r}, as the tuning to resume was run with")

    def _check_ours(self) -> None:
        try:
            before = json.loads((self.path / SETTINGS).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            allowed = f"a folder with a tuning and its {SETTINGS}; {type(error).__name__}: {error}"
            raise FieldError("out", str(self.path), allowed) from error
        if not isinstance(before, dict) or "sampler" not in before:
            raise FieldError("out", str(self.path), f"a folder whose {SETTINGS} is a tuning's")

    def _written(self) -> list[Path]:
        return [self.path / name for name in (SETTINGS, TRIALS, WORLDS, TUNED)]

    def _file(self, agent: str) -> Path:
        return self.path / AGENTS / f"{re.sub(r'[^A-Za-z0-9._-]', '_', agent)}.json"

    def _write_json(self, name: str, content: dict[str, Any]) -> None:
        write_json(self.path / name, content, field="out")


def tables(found: dict[str, list[TuningTrial]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The trials, and their scores in each world, as tables.

    Args:
        found: trials by agent.

    Returns:
        One row a trial: ``agent``, ``trial``, ``parameters`` (JSON), ``value``, ``error``; and one
        row a trial and world: ``agent``, ``trial``, ``scenario``, ``score`` (over the horizon
        oracle's, mean over seeds).
    """
    import polars as pl

    trials, worlds = [], []
    for agent, tried in found.items():
        for trial in tried:
            parameters = json.dumps(trial.parameters, sort_keys=True)
            trials.append((agent, trial.number, parameters, trial.value, trial.error))
            worlds += [(agent, trial.number, name, score) for name, score in trial.scores.items()]
    text, whole, real = pl.String, pl.Int64, pl.Float64
    return (
        pl.DataFrame(
            trials,
            {"agent": text, "trial": whole, "parameters": text, "value": real, "error": text},
            orient="row",
        ),
        pl.DataFrame(
            worlds,
            {"agent": text, "trial": whole, "scenario": text, "score": real},
            orient="row",
        ),
    )


def summary(
    settings: dict[str, Any],
    candidates: Sequence[dict[str, Any]],
    found: dict[str, list[TuningTrial]],
) -> dict[str, Any]:
    """What the trials come to, as JSON-native values: the settings, and ``agents`` by name.

    Args:
        settings: see `TuningSettings.to_dict`.
        candidates: see `Candidate.to_dict`.
        found: trials by agent.

    Returns:
        Of each agent with a trial that did not fail ``parameters`` (of the best trial, the earliest
        of equal ones), ``value``, ``trial``, ``default`` and ``default_value``, ``trials`` and
        ``failed`` (their numbers), ``values`` of all trials, ``fingerprint`` of the code.
    """
    chosen = {}
    for each in candidates:
        trials = found[each["agent"]]
        values = [trial.value for trial in trials]
        finished = [trial for trial in trials if trial.value is not None]
        if not finished:
            continue
        best = max(finished, key=lambda trial: (trial.value or 0.0, -trial.number))
        chosen[each["agent"]] = {
            "parameters": best.parameters,
            "value": best.value,
            "trial": best.number,
            "default": each["default"],
            "default_value": values[0],
            "trials": len(trials),
            "failed": len(trials) - len(finished),
            "values": values,
            "fingerprint": each["fingerprint"],
        }
    return {**settings, "agents": chosen}
