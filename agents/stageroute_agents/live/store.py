"""The store of a live router: one SQLite file with a snapshot and a journal of what came after.

Each decision and each record is one transaction, committed before the call returns. In WAL mode a
commit is handed to the operating system: a killed process loses none of them. A power cut, or a
crash of the system, can lose the last ones (``synchronous=NORMAL`` writes them to the disk at
checkpoints only), but leaves the file whole.
"""

from __future__ import annotations

import io
import json
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.errors import FieldError

FORMAT = 3
_APPLICATION = 0x53526C76  # "SRlv", SQLite's application id of these files
# A commit appends a page to the write-ahead log; the log is emptied at each snapshot.
_NO_CHECKPOINTS = 0

Arrays = dict[str, NDArray[Any]]


class Store:
    """A store, opened; no other process can open it meanwhile.

    Args:
        path: the file; it is made if it does not exist.
        settings: what the router was made from, JSON-native; a store of others is refused.

    Attributes:
        events: events in the journal since the last snapshot.
        token: what tells this store's decisions from those of others.

    Raises:
        FieldError: if the file cannot be opened, is in use, no store, of a newer version, or was
            made with other settings; it is left as it is.
    """

    def __init__(self, path: str | Path, settings: Mapping[str, Any]) -> None:
        self.path = str(path)
        try:
            self._database = sqlite3.connect(
                self.path, isolation_level=None, check_same_thread=False, timeout=0
            )
            try:
                self._open(settings)
            except BaseException:
                self._database.close()
                raise
        except sqlite3.Error as error:
            allowed = f"a store that can be opened, and that no other process uses; {error}"
            raise FieldError("store", self.path, allowed) from error
        self.token: str = self._row("SELECT token FROM settings")[0]
        self.events: int = self._row("SELECT count(*) FROM journal")[0]
        self._last: int = self._row("SELECT coalesce(max(number), 0) FROM journal")[0]

    def _open(self, settings: Mapping[str, Any]) -> None:
        execute = self._database.execute
        execute("PRAGMA locking_mode = EXCLUSIVE")
        application = self._row("PRAGMA application_id")[0]
        version = self._row("PRAGMA user_version")[0]
        tables = self._row("SELECT count(*) FROM sqlite_master")[0]
        if application != _APPLICATION and tables:
            raise FieldError("store", self.path, "a store of a live router, or a new file")
        if tables and version != FORMAT:
            allowed = f"a store of version {FORMAT}, not {version}; install what wrote it"
            raise FieldError("store", self.path, allowed)
        if tables:
            # Looked at before anything is written.
            self._check(settings)
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = NORMAL")
        execute(f"PRAGMA wal_autocheckpoint = {_NO_CHECKPOINTS}")
        if not tables:
            execute("BEGIN IMMEDIATE")
            execute("CREATE TABLE settings (content TEXT NOT NULL, token TEXT NOT NULL)")
            execute("CREATE TABLE snapshot (books TEXT NOT NULL, arrays BLOB NOT NULL)")
            execute("CREATE TABLE journal (number INTEGER PRIMARY KEY, event BLOB NOT NULL)")
            token = secrets.token_hex(4)
            execute("INSERT INTO settings VALUES (?, ?)", (json.dumps(settings), token))
            execute(f"PRAGMA application_id = {_APPLICATION}")
            execute(f"PRAGMA user_version = {FORMAT}")
            execute("COMMIT")

    def _check(self, settings: Mapping[str, Any]) -> None:
        kept = json.loads(self._row("SELECT content FROM settings")[0])
        # As JSON has it: what went through it is compared with what did, too.
        differing = _differences(kept, json.loads(json.dumps(settings)))
        if differing:
            allowed = f"a store of a router made like this one; {'; '.join(differing)}"
            raise FieldError("store", self.path, allowed)

    def _row(self, query: str) -> Any:
        return self._database.execute(query).fetchone()

    def append(self, event: bytes) -> None:
        """Add an event to the journal; once this returns, a killed process does not lose it.

        Raises:
            sqlite3.Error: if it cannot be written, such as on a full disk.
        """
        self._database.execute("INSERT INTO journal VALUES (?, ?)", (self._last + 1, event))
        self._last += 1
        self.events += 1

    def snapshot(self, books: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep a state, from which on the journal starts anew.

        Args:
            books: JSON-native values.
            arrays: arrays without objects, by name.
        """
        content = io.BytesIO()
        np.savez(content, allow_pickle=False, **arrays)
        execute = self._database.execute
        execute("BEGIN IMMEDIATE")
        execute("DELETE FROM snapshot")
        execute("INSERT INTO snapshot VALUES (?, ?)", (json.dumps(books), content.getvalue()))
        execute("DELETE FROM journal")
        execute("COMMIT")
        self.events = 0
        execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def restored(self) -> tuple[dict[str, Any], Arrays] | None:
        """What the last `snapshot` kept; None if there was none."""
        row = self._row("SELECT books, arrays FROM snapshot")
        if row is None:
            return None
        with np.load(io.BytesIO(row[1]), allow_pickle=False) as arrays:
            return json.loads(row[0]), dict(arrays)

    def journal(self) -> Iterator[bytes]:
        """The events since, in their order."""
        for (event,) in self._database.execute("SELECT event FROM journal ORDER BY number"):
            yield event

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def _differences(kept: Any, given: Any, name: str = "") -> list[str]:
    """What differs between two settings, each by its full name."""
    if isinstance(kept, dict) and isinstance(given, dict):
        found = []
        for key in sorted({*kept, *given}):
            inner = f"{name}.{key}" if name else key
            found += _differences(kept.get(key), given.get(key), inner)
        return found
    return [] if kept == given else [f"{name} is {kept!r} there and {given!r} here"]
