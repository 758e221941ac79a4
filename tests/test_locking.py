"""One run at a time in a folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from stageroute_gym.errors import FieldError
from stageroute_gym.locking import LOCK, locked

HOLD = """
import sys, time
from pathlib import Path
from stageroute_gym.locking import locked
with locked(Path(sys.argv[1]), field="out"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """A process that is at work in the folder."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_other_run_is_named(tmp_path, holder):
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    at_work = rf"out = .*: expected a folder in which no other run is at work; process {holder.pid}"
    refused = pytest.raises(FieldError, match=rf"{at_work} on .+, since \d{{4}}-.*, is")
    with refused, locked(tmp_path, field="out"):
        pass
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_lock_ends_with_its_process_however_that_ends(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with locked(tmp_path, field="out"):
        assert len(list(tmp_path.iterdir())) == 2


def test_it_ends_with_the_block_and_makes_the_folder(tmp_path):
    folder = tmp_path / "new" / "folder"
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), locked(folder, field="out"):
            raise ZeroDivisionError
        assert [path.name for path in folder.iterdir()] == [LOCK]


def test_only_one_thread_of_a_process_has_it(tmp_path):
    refused = pytest.raises(FieldError, match=rf"process {os.getpid()} on ")
    with locked(tmp_path, field="out"), refused, locked(tmp_path, field="out"):
        pass


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "folder"):
        refused = pytest.raises(
            FieldError, match=r"out = .*: expected a folder that can be written"
        )
        with refused, locked(path, field="out"):
            pass
