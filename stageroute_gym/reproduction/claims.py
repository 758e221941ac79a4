"""What the paper claims beside what was measured, and the settings that it does not tell."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stageroute_gym.report.tables import ReportTable
from stageroute_gym.reproduction.part import Table

CHOICES = Path(__file__).parent / "choices.toml"
DROPPED = Path(__file__).parent / "dropped.toml"

AGREES, DIFFERS, UNTESTED = "agrees", "differs", "could not be tested"
NOT_RUN = "not run yet"


@dataclass(frozen=True)
class Finding:
    """What was measured about a claim.

    Attributes:
        measured: in words, with the figures.
        verdict: `AGREES`, `DIFFERS` or `UNTESTED`, with what was asked, or the reason, behind a
            colon.
        short: the figures that the verdict hangs on, or the reason, in a line.
    """

    measured: str
    verdict: str
    short: str


def judged(measured: str, short: str, asked: str, *, agrees: bool) -> Finding:
    """A finding with what was asked for beside the verdict, whichever it is.

    Args:
        measured: what was measured, in words.
        short: the figures that the verdict hangs on.
        asked: the rule, in words.
        agrees: whether the figures keep it.
    """
    return Finding(measured, f"{AGREES if agrees else DIFFERS}: asked {asked}", short)


def untested(what: str) -> Finding:
    """A finding of a claim that the settings of the parts leave untested.

    Args:
        what: why, such as what did not run.
    """
    return Finding("-", f"{UNTESTED}: {what}", what)


@dataclass(frozen=True)
class Claim:
    """A claim of the paper, and the rule that compares it with what was measured.

    Attributes:
        claim: the claim, in our words.
        parts: names of the parts whose summaries the rule reads.
        judge: the rule; its arguments are those summaries.
    """

    claim: str
    parts: tuple[str, ...]
    judge: Callable[..., Finding]

    def finding(self, results: Mapping[str, Any]) -> Finding:
        """What the results say of it.

        Args:
            results: as `stageroute_gym.reproduction.markdown.results_of` returns them.
        """
        absent = [name for name in self.parts if name not in results["parts"]]
        if absent:
            return Finding("-", f"{NOT_RUN}: {', '.join(absent)}", "-")
        return self.judge(*(results["parts"][name]["summary"] for name in self.parts))


def claims_table(results: Mapping[str, Any]) -> Table:
    """Claim of the paper, what was measured, and whether they agree."""
    rows = tuple((claim, found.measured, found.verdict) for claim, found in _findings(results))
    columns = ("claim of the paper", "what was measured", "verdict")
    return Table(ReportTable("claims of the paper", columns, rows))


def short_claims_table(results: Mapping[str, Any]) -> ReportTable:
    """As `claims_table`, in cells that a README has room for; what was asked is left out."""
    rows = tuple(
        (claim, found.short, found.verdict.partition(":")[0]) for claim, found in _findings(results)
    )
    columns = ("claim of the paper", "what was measured", "verdict")
    return ReportTable("claims of the paper", columns, rows)


def _findings(results: Mapping[str, Any]) -> list[tuple[str, Finding]]:
    from stageroute_gym.reproduction.judging import CLAIMS

    return [(claim.claim, claim.finding(results)) for claim in CLAIMS]


def choices_table() -> Table:
    """The settings that had to be chosen, with what is known of each."""
    return _listed(
        CHOICES, "settings that had to be chosen", ("setting", "chosen here", "what is known")
    )


def dropped_table() -> Table:
    """What was tried and dropped."""
    return _listed(
        DROPPED, "tried and dropped", ("what was tried", "what came of it", "why dropped")
    )


def _listed(path: Path, title: str, columns: tuple[str, ...]) -> Table:
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["rows"]
    return Table(ReportTable(title, columns, tuple(tuple(row) for row in rows)))
