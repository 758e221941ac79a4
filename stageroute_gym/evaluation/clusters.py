"""Running trials on a cluster that is there already: Dask's or Ray's."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from stageroute_gym.checks import choice
from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.backends import PATIENCE, LocalProcesses, Lost
from stageroute_gym.evaluation.watchdog import Watchdog
from stageroute_gym.extras import check_extra

BACKENDS = ("loky", "dask", "ray")
_ENDED = "its worker ended: it exited, crashed, hung, or was killed for want of memory"


class Backend(Protocol):
    """What runs calls apart from this process; see `LocalProcesses.run`."""

    def run(
        self, function: Callable[..., Any], arguments: Sequence[Any]
    ) -> Iterator[tuple[int, Any]]:
        """Call ``function(argument, alive)`` for each argument; see `LocalProcesses.run`."""


def make_backend(name: str, jobs: int | None = None, patience: float = PATIENCE) -> Backend:
    """A backend by name.

    Args:
        name: one of `BACKENDS`: ``loky`` takes processes on this machine. ``dask`` takes the
            cluster at ``DASK_SCHEDULER_ADDRESS``, ``ray`` that at ``RAY_ADDRESS``; without these
            variables both start one on this machine. Agents' modules and recorded files must be
            where the workers find them under the same names.
        jobs: number of processes of ``loky``; a cluster has its own.
        patience: as for `LocalProcesses`.

    Raises:
        FieldError: if there is no such backend, its library is not installed, or ``jobs`` are given
            for a cluster.
    """
    choice("backend", name, BACKENDS)
    local = LocalProcesses(jobs, patience)
    if name == "loky":
        return local
    check_extra(name, "backend", name)
    if jobs is not None:
        raise FieldError("jobs", jobs, f"no number; --backend {name} takes the cluster's workers")
    return DaskCluster(patience) if name == "dask" else RayCluster(patience)


class DaskCluster:
    """The workers of a Dask cluster; a lost call is repeated as often as the scheduler allows.

    Args:
        patience: as for `LocalProcesses`; of workers with several threads, none of which can be
            ended alone, it is not watched.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self.patience = patience

    def run(
        self, function: Callable[..., Any], arguments: Sequence[Any]
    ) -> Iterator[tuple[int, Any]]:
        """See `LocalProcesses.run`."""
        import distributed

        # Their parts without annotations.
        make_client: Any = distributed.Client
        as_completed: Any = distributed.as_completed
        with make_client(set_as_default=False) as client:
            places = {
                client.submit(_on_dask, function, argument, self.patience, pure=False): place
                for place, argument in enumerate(arguments)
            }
            for future in as_completed(list(places), loop=client.loop):
                try:
                    result = future.result()
                except distributed.KilledWorker:
                    result = Lost(_ENDED)
                yield places.pop(future), result


class RayCluster:
    """The workers of a Ray cluster, one core a call; a lost call is repeated once.

    Args:
        patience: as for `LocalProcesses`.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self.patience = patience

    def run(
        self, function: Callable[..., Any], arguments: Sequence[Any]
    ) -> Iterator[tuple[int, Any]]:
        """See `LocalProcesses.run`."""
        import ray

        started = not ray.is_initialized()
        if started:
            ray.init(log_to_driver=False, include_dashboard=False)
        try:
            call = ray.remote(num_cpus=1, max_retries=1)(_watched)
            places = {
                call.remote(function, argument, self.patience): place
                for place, argument in enumerate(arguments)
            }
            while places:
                (done,), _ = ray.wait(list(places), num_returns=1)
                try:
                    result = ray.get(done)
                except ray.exceptions.WorkerCrashedError:
                    result = Lost(_ENDED)
                yield places.pop(done), result
        finally:
            if started:
                ray.shutdown()


def _on_dask(function: Callable[..., Any], argument: Any, patience: float) -> Any:
    from distributed import get_worker

    if get_worker().state.nthreads == 1:
        return _watched(function, argument, patience)
    return function(argument, lambda: None)


def _watched(function: Callable[..., Any], argument: Any, patience: float) -> Any:
    """In a worker: call the function under a watchdog, whose note nobody reads."""
    with tempfile.TemporaryDirectory(prefix="stageroute-") as folder:
        watchdog = Watchdog(patience, Path(folder) / "note")
        with contextlib.closing(watchdog):
            return function(argument, watchdog.alive)
