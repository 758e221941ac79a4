"""One run at a time in a folder; another one is told who has it."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stageroute_gym.errors import FieldError
from stageroute_gym.writing import write_text

LOCK = ".lock"
# Who has it. A file of its own, since Windows lets nobody read a locked one.
HOLDER = ".lock-holder"


@contextmanager
def locked(folder: Path, *, field: str) -> Iterator[None]:
    """Make a folder, and keep other runs out of it until the block ends.

    The lock is the system's, which takes it from a process that ends, however it does: what one
    that was killed left behind is in nobody's way. The file of the lock stays, empty.

    Args:
        folder: the folder; it need not exist yet.
        field: name of the option that holds the folder, for errors.

    Raises:
        FieldError: if another run is at work in it, or it cannot be made or written to.
    """
    # Only here: it takes longer to load than the rest of this file.
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
    except Timeout:
        allowed = f"a folder in which no other run is at work; {_holder(folder)} is"
        raise FieldError(field, str(folder), allowed) from None
    except OSError as error:
        allowed = f"a folder that can be written to; {error.strerror}"
        raise FieldError(field, str(folder), allowed) from error
    try:
        now = datetime.datetime.now(datetime.UTC).isoformat(" ", timespec="seconds")
        holder = f"process {os.getpid()} on {platform.node()}, since {now},"
        write_text(folder / HOLDER, holder, field=field)
        yield
    finally:
        (folder / HOLDER).unlink(missing_ok=True)
        lock.release()


def contents(folder: Path) -> list[Path]:
    """What is in a folder besides its lock; nothing where there is no folder."""
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if path.name not in (LOCK, HOLDER)]


def _holder(folder: Path) -> str:
    try:
        return (folder / HOLDER).read_text(encoding="utf-8")
    except FileNotFoundError:
        # It has only just begun, or is about to end.
        return "one"
