"""Writing files: each appears whole or not at all, and a fault says which file and why.

A reader never meets half a file: it is written under another name beside its place, flushed to the
disk, and only then given its name.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stageroute_gym.errors import FieldError

if TYPE_CHECKING:
    import polars as pl


def write_atomically(
    path: str | Path, write: Callable[[Path], object], *, field: str = "file"
) -> None:
    """Have a file written whole or not at all; one that is there is replaced.

    Args:
        path: the file.
        write: called with the path of an empty file beside it, which it is to fill.
        field: name of the option that holds the path, for errors.

    Raises:
        FieldError: if the folder is absent or read-only, the disk is full, or anything else keeps
            the system from writing; nothing has changed at ``path`` then.
    """
    target = Path(path)
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.stem}-", suffix=".tmp")
    except OSError as error:
        allowed = f"a file in a folder that can be written to; {_reason(error)}"
        raise FieldError(field, str(path), allowed) from error
    os.close(handle)
    partial = Path(name)
    try:
        write(partial)
        with partial.open("rb+") as stream:
            os.fsync(stream.fileno())
        # mkstemp makes a private file; the target gets what a plain open would give it.
        mask = os.umask(0)
        os.umask(mask)
        partial.chmod(0o666 & ~mask)
        partial.replace(target)
    except OSError as error:
        allowed = f"a file that can be written; {_reason(error)}"
        raise FieldError(field, str(path), allowed) from error
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: str | Path, text: str, *, field: str = "file") -> None:
    """Write text in UTF-8, with line feeds, by `write_atomically`.

    Raises:
        FieldError: as `write_atomically`.
    """
    content = text.encode()
    write_atomically(path, lambda partial: partial.write_bytes(content), field=field)


def write_json(path: str | Path, content: Any, *, field: str = "file") -> None:
    """Write JSON, indented, by `write_atomically`.

    Args:
        path: the file.
        content: JSON-native values.
        field: as for `write_atomically`.

    Raises:
        FieldError: as `write_atomically`.
        ValueError: if a number is not finite, which JSON has no word for.
    """
    write_text(path, json.dumps(content, indent=2, allow_nan=False) + "\n", field=field)


def write_table(path: str | Path, table: pl.DataFrame, *, field: str = "file") -> None:
    """Write a table as CSV where the path ends in ``.csv``, else as Parquet.

    Args:
        path: the file.
        table: the table.
        field: as for `write_atomically`.

    Raises:
        FieldError: as `write_atomically`.
    """
    # Polars writes to memory and Python to the disk, whose errors say what is wrong with it: polars
    # calls a full one, in Parquet, "Invalid thrift: transport error".
    content = io.BytesIO()
    if Path(path).suffix.lower() == ".csv":
        table.write_csv(content)
    else:
        table.write_parquet(content, compression="zstd")
    write_atomically(path, lambda partial: partial.write_bytes(content.getbuffer()), field=field)


def make_folder(path: str | Path, *, field: str = "out") -> None:
    """Make a folder, and those above it, unless they are there.

    Args:
        path: the folder.
        field: as for `write_atomically`.

    Raises:
        FieldError: if that cannot be done.
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        allowed = f"a folder that can be written to; {_reason(error)}"
        raise FieldError(field, str(path), allowed) from error


def _reason(error: OSError) -> str:
    return error.strerror or str(error).strip().partition("\n")[0]
