"""What came of verifying a submission, as tables and sentences."""

from __future__ import annotations

from stageroute_gym.evaluation.submissions import Submission
from stageroute_gym.evaluation.verification import CONTROL, SIGNIFICANT, Verification
from stageroute_gym.report.tables import ReportTable

MOST_SHOWN = 30
LIMITS = (
    "What this cannot show: foreknowledge in the agent's code, such as the models' true means, or "
    "outcomes computed from the seed that it is told; it serves fresh seeds as well. Read the code."
)


def differences_table(found: Verification) -> ReportTable:
    """The figures that could not be reproduced, at most `MOST_SHOWN` of them."""
    shown = found.differences[:MOST_SHOWN]
    left = len(found.differences) - len(shown)
    title = f"could not be reproduced{f' (and {left} more)' if left else ''}"
    cells = tuple(
        (
            each.scenario,
            str(each.seed),
            "-" if each.stage is None else str(each.stage + 1),
            each.figure,
            str(each.submitted),
            str(each.found),
        )
        for each in shown
    )
    return ReportTable(
        title, ("scenario", "seed", "stage", "figure", "as submitted", "here"), cells
    )


def luck_table(found: Verification) -> ReportTable:
    """How the suite's seeds went beside fresh ones."""
    cells = tuple(
        (
            luck.scenario or "all together",
            f"{luck.public:.4f}",
            f"{luck.fresh:.4f}",
            f"{luck.ahead:+.4f}",
            f"{luck.p_value:.4f}",
            f"{luck.corrected:.4f}",
        )
        for luck in found.luck
    )
    columns = (
        *("scenario", "the suite's seeds", "fresh seeds", f"luck beside {CONTROL}"),
        *("p", "p, Holm"),
    )
    return ReportTable("score / horizon oracle", columns, cells)


def conclusions(submission: Submission, found: Verification) -> list[str]:
    """What can be said, a sentence each."""
    entry, suite = submission.entry["label"], submission.suite
    lines = [
        f"{entry} on suite {suite.name} v{suite.version}: {found.sampled} of "
        f"{len(submission.episodes)} episodes run again, "
        + (
            "every figure of them and of their stages as submitted."
            if found.reproduced
            else f"{len(found.differences)} figures not as submitted, {len(found.failures)} failed."
        )
    ]
    if found.luck:
        together = found.luck[0]
        how = "were luckier than" if found.luckier else "were not luckier beyond chance than"
        lines.append(
            f"The suite's seeds {how} {found.fresh} fresh ones a scenario: smallest corrected p = "
            f"{min(luck.corrected for luck in found.luck):.4f} (one-sided permutation test within "
            f"scenarios, Holm's correction, {SIGNIFICANT:g} is the limit); lead beside {CONTROL}, "
            f"which plays the same seeds: {together.ahead:+.4f}."
        )
    return [*lines, f"--salt {found.salt} repeats this."]
