"""Tables as people have them: Parquet, CSV of any dialect, JSON objects, plain or gzipped.

A path is a path: brackets and asterisks in it are not expanded. What had to be recognised, such as
a separator or decimal commas, is said.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from stageroute_gym.errors import FieldError

if TYPE_CHECKING:
    import polars as pl

ENDINGS = (".parquet", ".csv", ".tsv", ".jsonl", ".ndjson", ".json")
_CSV = (".csv", ".tsv")
PICKLES = (".pkl", ".pickle")
_PARQUET_MARK, _GZIP_MARK = b"PAR1", b"\x1f\x8b"
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
# Columns that stay text in a CSV: 007 is another query than 7.
NAME_COLUMNS = ("query_id", "sample_id", "task", "eval_name", "family", "model")
_LONGEST_HEADER = 2**20
_NUMBER = r"^\s*[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?\s*$"


class TableFile(NamedTuple):
    """A table that was read from a file.

    Attributes:
        frame: the table, as it stands in the file.
        remarks: what was recognised, in words; empty for an ordinary file.
    """

    frame: pl.DataFrame
    remarks: tuple[str, ...]


def read_table(path: str | Path, field: str = "data") -> TableFile:
    """The table in a file, after a look at whether it is what its ending says.

    Args:
        path: a file that ends as one of `ENDINGS`, the text ones also with ``.gz`` behind. JSON
            objects stand one a line or in an array; where a
            gateway's interface answered, it may be under ``data``.
        field: name of the option that holds the path, for errors.

    Raises:
        FieldError: if it is absent, empty, or cannot be read.
    """
    import polars as pl

    file = Path(path)
    ending = table_ending(file)
    if file.suffix.lower() in PICKLES:
        raise FieldError(field, str(path), f"a {_listed()} file; convert a pickle first")
    if file.is_dir():
        raise FieldError(field, str(path), "a file; this is a folder")
    if ending not in ENDINGS:
        raise FieldError(field, str(path), f"a file that ends in {_listed()}, or in .gz after that")
    if not file.is_file():
        raise FieldError(field, str(path), "an existing file")
    content = _content(file, ending, field)
    try:
        if ending == ".parquet":
            return TableFile(pl.read_parquet(file, glob=False), ())
        if ending in _CSV:
            return _read_csv(file, content, field)
        frame = _read_json(content, ending)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise FieldError(field, str(path), f"a readable {ending[1:]} file: {reason}") from error
    if not frame.width:
        raise FieldError(field, str(path), "JSON objects, a row each; this holds none")
    return TableFile(frame, ())


def table_ending(path: Path) -> str:
    """What a path ends in, in lower case, without ``.gz``."""
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    if suffixes[-1:] == [".gz"]:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _listed() -> str:
    return f"{', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}"


def _content(file: Path, ending: str, field: str) -> bytes:
    """The text of a file, unpacked; the first bytes of a Parquet file."""
    text = ending != ".parquet"
    try:
        with file.open("rb") as stream:
            content = stream.read() if text else stream.read(4)
            stream.seek(max(file.stat().st_size - 4, 0))
            tail = stream.read()
    except OSError as error:
        raise FieldError(field, str(file), f"a readable file: {error.strerror}") from error
    if not content:
        raise FieldError(field, str(file), "a file that is not empty")
    if content.startswith(_GZIP_MARK) and text:
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise FieldError(field, str(file), f"a whole gzip file: {error}") from error
    kind = "CSV text" if ending in _CSV else "JSON"
    if text and content.startswith(_PARQUET_MARK):
        raise FieldError(field, str(file), f"{kind}; this is a Parquet file: name it .parquet")
    if text and b"\0" in content[:4096]:
        raise FieldError(field, str(file), f"{kind}; this is a binary file")
    if not text and not content.startswith(_PARQUET_MARK):
        raise FieldError(field, str(file), "a Parquet file; this is not one: is it a CSV?")
    if not text and (tail != _PARQUET_MARK or file.stat().st_size < 12):
        raise FieldError(field, str(file), "a whole Parquet file; the end of this one is missing")
    return content


def place_in(path: str | Path, row: int) -> str:
    """Where a row of the table that `read_table` returns stands in its file, counted from 1.

    Args:
        path: the file, as it was read.
        row: the row's number, from 0 on.

    Returns:
        ``"line 7"`` of a text, its header counted; ``"entry 6"`` of an array; ``"row 6"`` of a
        Parquet file.
    """
    file = Path(path)
    ending = table_ending(file)
    if ending == ".parquet":
        return f"row {row + 1}"
    content = _content(file, ending, "data")
    if ending not in _CSV and (ending == ".json" or _is_array(content)):
        return f"entry {row + 1}"
    left = row + (ending in _CSV)
    start, quoted = 1, False
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not quoted:
            start = number
        if ending in _CSV:
            # A quoted cell may go over several lines.
            quoted ^= line.count(b'"') % 2 == 1
        elif not line.strip():
            continue
        if not quoted:
            left -= 1
        if left < 0:
            break
    return f"line {start}"


def _is_array(content: bytes) -> bool:
    return content[:64].lstrip()[:1] == b"["


def _read_json(content: bytes, ending: str) -> pl.DataFrame:
    """Objects as rows."""
    import polars as pl

    if ending == ".json" and not _is_array(content):
        try:
            document = json.loads(content)
        except ValueError:
            pass  # objects one a line, or a fault that reading these names
        else:
            listed = document.get("data") if isinstance(document, dict) else None
            content = json.dumps(listed if isinstance(listed, list) else document).encode()
    if _is_array(content):
        frame = pl.read_json(content, infer_schema_length=None)
    else:
        frame = pl.read_ndjson(content, infer_schema_length=None)
    if frame.columns == ["data"] and isinstance(frame.schema["data"], pl.Struct):
        return frame.unnest("data")
    return frame


def _read_csv(file: Path, content: bytes, field: str) -> TableFile:
    import polars as pl

    start = content[:_LONGEST_HEADER].removeprefix(b"\xef\xbb\xbf").decode(errors="replace")

    def header(separator: str) -> list[str]:
        return next(csv.reader(io.StringIO(start, newline=""), delimiter=separator), [])

    # The one that makes the most columns; commas where several do, as bars stand in some names.
    separator = max(_SEPARATORS, key=lambda sign: len(header(sign)))
    names = header(separator)
    if any("\N{REPLACEMENT CHARACTER}" in name for name in names):
        raise FieldError(field, str(file), "CSV text in UTF-8; this is in another encoding")
    stripped = [name.strip() for name in names]
    for name in stripped:
        if stripped.count(name) > 1:
            raise FieldError("column", name, "a name given only once, blanks around it aside")
    remarks = []
    if separator != ",":
        remarks.append(f"columns are separated by {_SEPARATORS[separator]}")
    if stripped != names:
        remarks.append("blanks around the names of columns are left out")
    # All rows decide a column's type: a stray word far down must not stop the reading. The names
    # are not polars' own, which leaves doubled quotes in a header as they are.
    frame = pl.read_csv(
        content,
        separator=separator,
        has_header=True,
        new_columns=stripped,
        infer_schema_length=None,
        schema_overrides={name: pl.String for name in stripped if name in NAME_COLUMNS},
    )
    return _with_numbers(frame, remarks)


def _with_numbers(frame: pl.DataFrame, remarks: list[str]) -> TableFile:
    """Columns of numbers that polars took for text: with decimal commas or blanks."""
    import polars as pl

    found = []
    for name, kind in frame.schema.items():
        values = frame[name]
        if kind != pl.String or name in NAME_COLUMNS or not values.null_count() < len(values):
            continue
        if values.drop_nulls().str.contains(_NUMBER).all():
            found.append(name)
    commas = [name for name in found if frame[name].str.contains(",", literal=True).any()]
    if commas:
        more = f" and {len(commas) - 1} more" if len(commas) > 1 else ""
        remarks.append(f"decimal commas are read as points in column {commas[0]!r}{more}")
    numbers = (
        pl.col(name).str.strip_chars().str.replace(",", ".", literal=True).cast(pl.Float64)
        for name in found
    )
    return TableFile(frame.with_columns(*numbers), tuple(remarks))
