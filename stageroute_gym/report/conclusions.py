"""What a leaderboard lets one conclude, in sentences."""

from __future__ import annotations

from typing import Any

from stageroute_gym.evaluation.measures import BY_KEY, SCORE
from stageroute_gym.report.tables import ReportTable

_SCORE = BY_KEY[SCORE]
# More names than this make a sentence that nobody reads.
_NAMED = 6


def conclusions(summary: dict[str, Any]) -> list[str]:
    """Who leads, who cannot be told apart from the leader, and how far the truth's knowers are.

    Args:
        summary: what ``leaderboard.json`` holds, with at least one scenario.
    """
    parts, overall = summary["scenarios"], summary["overall"]
    if overall is not None:
        return _of(overall, f"over all {len(parts)} scenarios", len(summary["settings"]["seeds"]))
    name, part = next(iter(parts.items()))
    return _of(part, f"on {name}", len(summary["settings"]["seeds"]))


def leaders_table(summary: dict[str, Any]) -> ReportTable:
    """Who leads in each scenario, and who cannot be told apart from that leader."""
    rows = []
    for name, part in summary["scenarios"].items():
        if not part["ranking"]:
            rows.append((name, "-", "-", "-"))
            continue
        first = part["ranking"][0]
        score = _SCORE.cell(first[SCORE])
        rows.append((name, first["entry"], score, _listed(_beside(part)) or "nobody"))
    columns = ("scenario", "leader", _SCORE.heading, "not separable from the leader")
    return ReportTable("Who leads where", columns, tuple(rows))


def failures(summary: dict[str, Any]) -> list[str]:
    """What failed, a line each."""
    return [
        f"Failed: {failure['entry']} on {failure['scenario']}: {failure['error']}"
        for failure in summary["failures"]
    ]


def _of(part: dict[str, Any], where: str, seeds: int) -> list[str]:
    if not part["ranking"]:
        return [f"Only references ran {where}: nothing is ranked."]
    first = part["ranking"][0]
    score = first[SCORE]
    if score["mean"] is None:
        return [f"Nothing can be ranked {where}: the horizon oracle expects no score."]
    interval = (
        ""
        if score["low"] is None
        else f" (95 % interval {_SCORE.number(score['low'])} to {_SCORE.number(score['high'])})"
    )
    lines = [
        f"{first['entry']} leads {where}: it scores {_SCORE.number(score['mean'])} of what the "
        f"horizon oracle expects{interval}."
    ]
    beside = _beside(part)
    if seeds < 2:
        lines.append("With one seed no two entries can be told apart.")
    elif beside:
        lines.append(f"Not separable from it with {seeds} seeds: {_listed(beside)}.")
    elif len(part["ranking"]) > 1:
        lines.append(f"It is ahead of every other entry beyond doubt, with {seeds} seeds.")
    return lines


def _beside(part: dict[str, Any]) -> list[str]:
    """Entries that share the leader's rank."""
    first, *others = part["ranking"]
    return [row["entry"] for row in others if row["rank"] == first["rank"]]


def _listed(names: list[str]) -> str:
    more = len(names) - _NAMED
    shown = names if more <= 1 else [*names[:_NAMED], f"{more} more"]
    return ", ".join(shown)
