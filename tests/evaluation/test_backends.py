"""Worker processes that are lost: nothing that is finished goes with them, and all is completed."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.backends import LocalProcesses, Lost

PATIENCE = 60.0


def square(argument: tuple[Path, int, int], alive: Callable[[], None]) -> int:
    """The square of a number; sleeps for good in its first tries, as a file counts them."""
    folder, number, sleeps = argument
    tries = len(list(folder.glob(f"{number}-*")))
    (folder / f"{number}-{tries}").write_text(str(os.getpid()))
    if tries < sleeps:
        time.sleep(10 * PATIENCE)
    return number**2


def kill_each(folder: Path, number: int, times: int) -> threading.Thread:
    """Kill whoever works on a number, as often as asked."""

    def watch() -> None:
        deadline = time.monotonic() + PATIENCE
        for attempt in range(times):
            note = folder / f"{number}-{attempt}"
            while time.monotonic() < deadline:
                if note.exists() and (text := note.read_text()):
                    os.kill(int(text), signal.SIGKILL)
                    break
                time.sleep(0.02)

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


@pytest.mark.slow
@pytest.mark.parametrize("kills", [1, 2])
def test_a_worker_killed_in_mid_run_loses_nothing_that_can_be_completed(
    tmp_path: Path, kills: int
) -> None:
    # Twice in a row, of which the second time alone, is no accident.
    killer = kill_each(tmp_path, 1, kills)
    calls = [(tmp_path, number, kills if number == 1 else 0) for number in range(4)]
    results = dict(LocalProcesses(2).run(square, calls))
    killer.join()
    assert sorted(results) == [0, 1, 2, 3]
    assert [results[number] for number in (0, 2, 3)] == [0, 4, 9]
    if kills == 1:
        assert results[1] == 1
    else:
        assert isinstance(results[1], Lost)


KEPT: list[bytes] = []


def grow(megabytes: int, alive: Callable[[], None]) -> int:
    """Keep so much memory, for longer than from one look at it to the next; the process."""
    KEPT.append(b"x" * (megabytes * 10**6))
    time.sleep(1.1)
    return os.getpid()


@pytest.mark.slow
def test_a_worker_that_loads_much_code_is_not_replaced() -> None:
    pytest.importorskip("psutil", reason="loky looks at memory only where psutil is installed")
    processes = {process for _, process in LocalProcesses(1).run(grow, [1, 350, 1])}
    assert len(processes) == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"jobs": 0}, "jobs = 0: expected a whole number of processes of at least 1"),
        ({"jobs": True}, "jobs = True"),
        ({"jobs": 1.5}, "jobs = 1.5"),
        ({"patience": 0}, "patience = 0: expected a finite number of seconds above 0"),
        ({"patience": 1e7}, "at most 1e\\+06"),
        ({"patience": float("nan")}, "patience = nan"),
    ],
)
def test_wrong_numbers_are_named(given: dict[str, float], message: str) -> None:
    with pytest.raises(FieldError, match=message):
        LocalProcesses(**given)  # type: ignore[arg-type]
