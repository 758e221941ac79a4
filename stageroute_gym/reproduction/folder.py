"""The folder of a reproduction: whose it is, what is finished in it, and what each part took."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation import fingerprints
from stageroute_gym.evaluation.storage import read_table
from stageroute_gym.locking import contents
from stageroute_gym.reproduction.part import Measured
from stageroute_gym.writing import make_folder, write_table, write_text

if TYPE_CHECKING:
    from stageroute_gym.reproduction.manifest import Part

MARK = "reproduction.json"
RECORD = "part.json"
SUMMARY = "summary.json"
TIMINGS = "timings"


class ReproductionFolder:
    """A folder that ``stageroute reproduce`` writes to.

    Args:
        path: the folder; it need not exist yet.
        quick: whether it is for the settings of ``--quick``.
    """

    def __init__(self, path: str | Path, *, quick: bool) -> None:
        self.path = Path(path)
        self.quick = quick

    def check(self) -> None:
        """Look whether a reproduction may be written here; changes nothing.

        Raises:
            FieldError: if it is no folder, holds something else, or a reproduction with the other
                settings.
        """
        if self.path.exists() and not self.path.is_dir():
            raise FieldError("out", str(self.path), "a folder, there already or not")
        if not contents(self.path):
            return
        try:
            mark = json.loads((self.path / MARK).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            mark = None
        if not isinstance(mark, dict) or not isinstance(mark.get("quick"), bool):
            allowed = f"an empty or new folder, or that of a reproduction, with its {MARK}"
            raise FieldError("out", str(self.path), allowed)
        if mark["quick"] != self.quick:
            kind = "with --quick" if mark["quick"] else "without --quick"
            raise FieldError("out", str(self.path), f"another folder; this one was made {kind}")

    def prepare(self) -> None:
        """Make the folder and mark it.

        Raises:
            FieldError: if it cannot be made or written to.
        """
        make_folder(self.path)
        make_folder(self.path / TIMINGS)
        write_text(self.path / MARK, as_json({"quick": self.quick}), field="out")

    def of(self, part: Part) -> Path:
        """The folder of a part."""
        return self.path / part.name

    def record(self, part: Part) -> dict[str, Any]:
        """What the part's folder was written with; empty where nothing is known."""
        try:
            kept = json.loads((self.of(part) / RECORD).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return kept if isinstance(kept, dict) else {}

    def begin(self, part: Part, identity: Mapping[str, Any]) -> None:
        """Say what the part is about to be run with."""
        make_folder(self.of(part))
        write_text(self.of(part) / RECORD, as_json(dict(identity)), field="out")

    def is_done(self, part: Part, identity: Mapping[str, Any]) -> bool:
        """Whether the part is here, run with just this, and no file has changed since."""
        kept = self.record(part)
        files = kept.pop("files", None)
        if kept != identity or not isinstance(files, dict):
            return False
        paths = {name: self.of(part) / name for name in files}
        return all(
            path.is_file() and fingerprints.of_file(path) == files[name]
            for name, path in paths.items()
        )

    def keep(self, part: Part, identity: Mapping[str, Any], measured: Measured) -> None:
        """Keep what a part has come to; the record comes last."""
        folder = self.of(part)
        write_text(folder / SUMMARY, as_json(measured.summary), field="out")
        names = [SUMMARY]
        for name, table in measured.tables.items():
            names.append(f"{name}.parquet")
            write_table(folder / names[-1], table, field="out")
        files = {name: fingerprints.of_file(folder / name) for name in names}
        write_text(folder / RECORD, as_json({**identity, "files": files}), field="out")

    def keep_timing(self, part: Part, timing: Mapping[str, Any]) -> None:
        """Keep what a part took, apart from what is the same at every run."""
        write_text(self.path / TIMINGS / f"{part.name}.json", as_json(dict(timing)), field="out")

    def timing(self, part: Part) -> dict[str, Any]:
        """What `keep_timing` kept."""
        path = self.path / TIMINGS / f"{part.name}.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}

    def read(self, part: Part) -> Measured | None:
        """What a finished part has come to; None where it is not finished."""
        files = self.record(part).get("files")
        if not isinstance(files, dict):
            return None
        folder = self.of(part)
        summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        tables = {
            name.removesuffix(".parquet"): read_table(folder / name)
            for name in files
            if name != SUMMARY
        }
        return Measured(summary, tables, self.timing(part).get("measured", {}))


def as_json(content: Any, *, indent: int | None = 1) -> str:
    """JSON as the folder's files hold it; without ``indent`` as short as it gets."""
    separators = (",", ":") if indent is None else None
    return json.dumps(content, indent=indent, separators=separators, allow_nan=False) + "\n"
