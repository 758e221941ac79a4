"""Running parts of the reproduction, each once for its settings and its code."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import stageroute_gym
from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation import fingerprints
from stageroute_gym.evaluation.leaderboard import run_leaderboard
from stageroute_gym.evaluation.storage import SETTINGS, ResultsFolder
from stageroute_gym.evaluation.trials import LeaderboardSettings
from stageroute_gym.report.results import read_results
from stageroute_gym.reproduction.folder import ReproductionFolder
from stageroute_gym.reproduction.manifest import Part

if TYPE_CHECKING:
    from rich.console import Console

    from stageroute_gym.evaluation.clusters import Backend


@dataclass(frozen=True, eq=False)
class Planned:
    """A part that can be run.

    Attributes:
        part: the part.
        settings: its checked settings.
        boards: its leaderboards.
        identity: all that decides its results, JSON-native.
    """

    part: Part
    settings: Any
    boards: Mapping[str, LeaderboardSettings]
    identity: dict[str, Any]


def plan(parts: Sequence[Part]) -> list[Planned]:
    """Check the settings of parts, before any of them runs.

    Raises:
        FieldError: if a setting is not allowed.
    """
    return [_planned(part) for part in parts]


def run_parts(
    planned: Sequence[Planned],
    folder: ReproductionFolder,
    *,
    backend: Backend | None,
    console: Console | None,
    tell: Callable[[str], None],
) -> list[str]:
    """Run those parts that are not done yet, one after the other.

    Args:
        planned: the parts, see `plan`.
        folder: the folder, checked and prepared.
        backend: where leaderboards run; None takes one process a core.
        console: where to show the progress of leaderboards.
        tell: called with a line on what is done.

    Returns:
        What failed, a line each; the other parts are complete.

    Raises:
        FieldError: if the folder cannot be written to.
        KeyboardInterrupt: if interrupted; what has finished by then is kept.
    """
    failures: list[str] = []
    for each in planned:
        name = each.part.name
        if folder.is_done(each.part, each.identity):
            tell(f"{name}: done already, with these settings and this code")
            continue
        tell(f"{name}: {each.part.title}")
        started = _clock()
        failed = _run(each, folder, backend, console, tell)
        failures += failed
        wall, cpu = (now - then for now, then in zip(_clock(), started, strict=True))
        kept = "not finished" if failed else "finished"
        tell(f"{name}: {kept} after {wall:.1f} s, {cpu:.1f} s of processors")
        if not failed:
            timing = {"wall_seconds": wall, "cpu_seconds": cpu}
            folder.keep_timing(each.part, {**folder.timing(each.part), **timing})
    return failures


def _planned(part: Part) -> Planned:
    settings, module = part.checked(), part.computing()
    try:
        boards = module.boards(settings)
    except FieldError as error:
        raise FieldError(f"{part.name}.{error.field}", error.value, error.allowed) from error
    described = {name: board.to_dict() for name, board in boards.items()}
    identity = {
        "version": stageroute_gym.__version__,
        "settings": dataclasses.asdict(settings),
        "code": fingerprints.of_code(part.code),
        "boards": {name: fingerprints.of_json(described[name]) for name in described},
    }
    return Planned(part, settings, boards, json.loads(json.dumps(identity)))


def _run(
    planned: Planned,
    folder: ReproductionFolder,
    backend: Backend | None,
    console: Console | None,
    tell: Callable[[str], None],
) -> list[str]:
    part, kept = planned.part, folder.record(planned.part)
    places = {name: ResultsFolder(folder.of(part) / name) for name in planned.boards}
    if any(kept.get(key) != planned.identity[key] for key in ("version", "code", "boards")):
        # What other code or other settings left is no part of this one; gone before the record
        # says that what is here is this one's.
        for name, place in places.items():
            place.check(planned.boards[name].to_dict(), overwrite=True, resume=False)
            place.prepare(planned.boards[name].to_dict(), resume=False)
    folder.begin(part, planned.identity)
    results, failures = {}, []
    for name, place in places.items():
        resume = (place.path / SETTINGS).is_file()
        board = run_leaderboard(
            planned.boards[name], place.path, backend=backend, console=console, resume=resume
        )
        failures += [f"{part.name}: {failure}" for failure in board.failures]
        if not board.failures:
            results[name] = read_results(place.path, "out")
    if failures:
        return failures
    measured = planned.part.computing().measure(planned.settings, results, tell)
    folder.keep(part, planned.identity, measured)
    folder.keep_timing(part, {"measured": measured.timings})
    return []


def _clock() -> tuple[float, float]:
    """Seconds of the wall, and of the processors of this process and those that it waited for."""
    times = os.times()
    cpu = times.user + times.system + times.children_user + times.children_system
    return time.perf_counter(), cpu
