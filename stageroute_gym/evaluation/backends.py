"""Where trials run: processes apart from this one, so that no agent can end or stop the others'."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stageroute_gym.checks import count, number
from stageroute_gym.evaluation.watchdog import Watchdog

# An agent that takes longer for one decision, or to be made, is taken to hang.
PATIENCE = 600.0
LONGEST_PATIENCE = 1e6
MOST_JOBS = 10_000
_LOOK = 0.5  # seconds from one look at whether the caller is still there to the next
# By default loky takes growth by 300 MB for a leak: it replaces the process and warns. Here it is
# the code of one agent after the other, loaded or compiled once. Measured: 30 agents add 110 MB on
# their first scenario and 20 on the next six; compiling one adds up to 140, torch 220.
_ENVIRONMENT = {"LOKY_MAX_MEMORY_LEAK_SIZE": "2e9"}


@dataclass(frozen=True)
class Lost:
    """A call whose process ended before it did.

    Attributes:
        error: why, in a line.
        details: where it was, if that is known.
    """

    error: str
    details: str = ""


class LocalProcesses:
    """Worker processes on this machine; one that ends is replaced.

    Args:
        jobs: number of processes; None takes one a core that this process may use.
        patience: seconds without a sign of life after which a call is taken to hang.

    Raises:
        FieldError: if ``jobs`` or ``patience`` are not such numbers.
    """

    def __init__(self, jobs: int | None = None, patience: float = PATIENCE) -> None:
        self.jobs = None if jobs is None else count("jobs", jobs, 1, MOST_JOBS, "processes")
        self.patience = number(
            "patience", patience, 0, LONGEST_PATIENCE, above=True, unit="seconds"
        )

    def run(
        self, function: Callable[..., Any], arguments: Sequence[Any]
    ) -> Iterator[tuple[int, Any]]:
        """Call ``function(argument, alive)`` for each argument, in a worker process.

        Args:
            function: what to call; ``alive`` is what it is to call now and then.
            arguments: its first arguments.

        Yields:
            As they finish, the place among the arguments and what the call returned, or `Lost`.
            A call that was lost is repeated once, alone: another one may have ended its process,
            or a person.
        """
        # Only here, since it is slow to load.
        import loky

        workers = min(self.jobs or loky.cpu_count(), len(arguments)) or 1
        with tempfile.TemporaryDirectory(prefix="stageroute-") as folder:
            notes = [Path(folder) / str(place) for place in range(len(arguments))]

            def submit(pool: Any, place: int) -> Future[Any]:
                call = (function, arguments[place], self.patience, notes[place])
                return pool.submit(_guarded, os.getcwd(), sys.path, *call)

            waiting = list(range(len(arguments)))[::-1]
            while waiting:
                lost = yield from _until_one_is_lost(loky, submit, waiting, workers)
                for place in lost:
                    if not (note := _read(notes[place])):
                        alone = yield from _until_one_is_lost(loky, submit, [place], 1)
                        if not alone:
                            continue
                        note = _read(notes[place])
                    yield place, self._explained(note)

    def _explained(self, note: str) -> Lost:
        if note:
            return Lost(f"no decision in {self.patience:g} seconds: it hangs", note)
        return Lost("its process ended: it exited, crashed, or was killed for want of memory")


def _until_one_is_lost(
    loky: Any, submit: Callable[[Any, int], Future[Any]], waiting: list[int], workers: int
) -> Any:
    """Run calls until all are through or a process ends; yields results, returns what was lost."""
    pool = loky.ProcessPoolExecutor(
        max_workers=workers, initializer=_follow, initargs=(os.getpid(),), env=_ENVIRONMENT
    )
    lost: list[int] = []
    running: dict[Future[Any], int] = {}
    finished = False
    try:
        # No more at a time than there are processes: what is lost is known to have been running.
        while running or (waiting and not lost):
            while waiting and not lost and len(running) < workers:
                place = waiting.pop()
                try:
                    running[submit(pool, place)] = place
                except BrokenProcessPool:
                    waiting.append(place)
                    break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                place = running.pop(future)
                try:
                    result = future.result()
                except BrokenProcessPool:
                    lost.append(place)
                    continue
                yield place, result
        finished = not lost
    finally:
        pool.shutdown(wait=finished, kill_workers=not finished)
    return sorted(lost)


def _follow(caller: int) -> None:
    """In a worker: end when the caller ends it or is no longer there, and not before.

    A terminal interrupts all processes, of which the caller ends its own. One that is killed
    cannot: its workers would wait for ever, and write where another run has taken its place.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # On Windows a process keeps the number of its parent.
    if sys.platform != "win32":
        threading.Thread(target=_end_after, args=(caller,), daemon=True).start()


def _end_after(caller: int) -> None:
    while os.getppid() == caller:
        time.sleep(_LOOK)
    os._exit(1)


def _guarded(
    folder: str,
    paths: list[str],
    function: Callable[[Any, Callable[[], None]], Any],
    argument: Any,
    patience: float,
    note: Path,
) -> Any:
    """In a worker: call the function where, and with the modules that, the caller has."""
    os.chdir(folder)
    sys.path[:] = paths
    watchdog = Watchdog(patience, note)
    try:
        return function(argument, watchdog.alive)
    finally:
        watchdog.close()


def _read(note: Path) -> str:
    return note.read_text(encoding="utf-8", errors="replace") if note.is_file() else ""
