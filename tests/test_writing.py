from __future__ import annotations

import errno
import os
import subprocess
import sys

import polars as pl
import pytest

from stageroute_gym import writing
from stageroute_gym.errors import FieldError

TABLE = pl.DataFrame({"a": [1, 2], "b": ["x", "[y]"]})


@pytest.mark.parametrize("name", ["table.parquet", "table[1].csv", "*.csv", "plain"])
def test_a_table_is_what_its_name_says_and_stands_alone_in_its_folder(tmp_path, name):
    writing.write_table(tmp_path / name, TABLE)
    content = (tmp_path / name).read_bytes()
    read = pl.read_csv(content) if name.endswith(".csv") else pl.read_parquet(content)
    assert read.equals(TABLE)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_has_the_rights_of_any_new_file(tmp_path):
    writing.write_text(tmp_path / "ours", "text\n")
    (tmp_path / "plain").write_text("text\n")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert (tmp_path / "ours").read_bytes() == b"text\n"


def test_it_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    flushed = []
    real = os.fsync

    def fsync(handle):
        flushed.append((tmp_path / "file").exists())
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    writing.write_text(tmp_path / "file", "text")
    assert flushed == [False]


# A limit on the size of files gives the errors of a full disk.
SMALL_DISK = """
import resource, sys
import numpy as np, polars as pl
from stageroute_gym.errors import FieldError
from stageroute_gym.writing import write_table
path = sys.argv[1]
table = pl.DataFrame({"x": np.random.default_rng(0).random(100_000)})
write_table(path, table)
before = open(path, "rb").read()
for limit in (20_000, len(before) - 50):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        write_table(path, table.reverse(), field="to")
    except FieldError as error:
        print(error)
    assert open(path, "rb").read() == before
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_full_disk_leaves_the_old_file_and_says_so(tmp_path, ending):
    path = tmp_path / f"table.{ending}"
    command = [sys.executable, "-c", SMALL_DISK, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said = f"to = {str(path)!r}: expected a file that can be written; File too large\n"
    assert done.stdout == 2 * said
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_full_disk_that_shows_only_when_flushed(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FieldError, match=r"out = .*: expected a file .*; No space left on device"):
        writing.write_text(tmp_path / "file", "text", field="out")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_absent_or_read_only_is_named(tmp_path, monkeypatch):
    with pytest.raises(FieldError, match="a folder that can be written to; No such file"):
        writing.write_text(tmp_path / "absent" / "file", "text")

    def read_only(**_):
        raise PermissionError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(writing.tempfile, "mkstemp", read_only)
    with pytest.raises(FieldError, match="a folder that can be written to; Read-only file system"):
        writing.write_table(tmp_path / "file.csv", TABLE)


def test_an_interruption_leaves_nothing(tmp_path):
    def stop(partial):
        partial.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        writing.write_atomically(tmp_path / "file", stop)
    assert list(tmp_path.iterdir()) == []
