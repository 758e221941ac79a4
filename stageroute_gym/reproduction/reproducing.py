"""The whole of a reproduction: parts, page, pictures, RESULTS.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stageroute_gym.benchmark.machine import describe_machine
from stageroute_gym.evaluation.clusters import make_backend
from stageroute_gym.extras import check_extra
from stageroute_gym.locking import locked
from stageroute_gym.report.tables import markdown
from stageroute_gym.reproduction.claims import short_claims_table
from stageroute_gym.reproduction.folder import TIMINGS, ReproductionFolder, as_json
from stageroute_gym.reproduction.manifest import chosen_parts, read_manifest
from stageroute_gym.reproduction.markdown import MARKDOWN, RESULTS, render, results_of
from stageroute_gym.reproduction.page import write_report
from stageroute_gym.reproduction.running import plan, run_parts
from stageroute_gym.writing import write_text

if TYPE_CHECKING:
    from rich.console import Console

CLAIMS = "claims.md"
PATIENCE = 600.0


@dataclass(frozen=True)
class Reproduced:
    """What a reproduction has come to.

    Attributes:
        files: what was written for people to look at.
        failures: parts that failed, a line each; what the others brought is complete.
    """

    files: list[Path]
    failures: list[str]


def reproduce(
    names: Sequence[str] = (),
    out: str | Path = "reproduction",
    *,
    quick: bool = False,
    manifest: str | Path | None = None,
    data: str | None = None,
    jobs: int | None = None,
    console: Console | None = None,
    tell: Callable[[str], None] = print,
) -> Reproduced:
    """Run parts that are not done yet, and write the page, the pictures and RESULTS.md anew.

    Args:
        names: parts of the manifest; none for all.
        out: folder to write to, and to go on in.
        quick: whether to take the smaller settings.
        manifest: another manifest, see `stageroute_gym.reproduction.manifest.read_manifest`.
        data: a file of recorded outcomes for the parts that need one; without it they do not run.
        jobs: number of processes; None takes one a core.
        console: where to show the progress of leaderboards.
        tell: called with a line on what is done.

    Raises:
        FieldError: if a part is unknown, a setting out of range, the folder in use by something
            else, by the other settings or by a run at work, or the extra ``report`` not installed;
            nothing has run then. Or if a file cannot be written.
        KeyboardInterrupt: if interrupted; what has finished by then is kept.
    """
    parts = read_manifest(manifest, quick=quick)
    chosen = chosen_parts(parts, names, data)
    folder = ReproductionFolder(out, quick=quick)
    folder.check()
    check_extra("report", "out", str(out))
    backend = make_backend("loky", jobs, PATIENCE)
    planned = plan(chosen)
    with locked(folder.path, field="out"):
        # Again, since another run may have been here in the meantime.
        folder.check()
        folder.prepare()
        machine = as_json(describe_machine())
        write_text(folder.path / TIMINGS / "machine.json", machine, field="out")
        failures = run_parts(planned, folder, backend=backend, console=console, tell=tell)
        every = list(parts.values())
        results = results_of(every, folder)
        texts = {
            RESULTS: as_json(results, indent=None),
            MARKDOWN: render(results),
            CLAIMS: markdown([short_claims_table(results)], []),
        }
        for name, text in texts.items():
            write_text(folder.path / name, text, field="out")
        return Reproduced(
            [*(folder.path / name for name in texts), *write_report(every, folder)], failures
        )
