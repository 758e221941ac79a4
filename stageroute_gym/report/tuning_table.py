"""What a tuning has come to, as a table."""

from __future__ import annotations

from typing import Any

from stageroute_gym.report.tables import ReportTable


def tuning_table(summary: dict[str, Any]) -> ReportTable:
    """Agents with their defaults and tuned, the best tuned value first.

    Args:
        summary: what ``tuned.json`` holds, see `stageroute_gym.tuning.results.summary`.
    """
    found = sorted(summary["agents"].items(), key=lambda each: (-each[1]["value"], each[0]))
    rows = tuple(
        (
            name,
            "failed" if each["default_value"] is None else f"{each['default_value']:.4f}",
            f"{each['value']:.4f}",
            str(each["trials"]),
            str(each["failed"]),
            ", ".join(f"{key}={value!r}" for key, value in each["parameters"].items())
            or "defaults",
        )
        for name, each in found
    )
    suite = summary["suite"]
    return ReportTable(
        f"{suite['name']} (version {suite['version']}), {len(summary['seeds'])} seeds: "
        "interquartile mean over worlds of score / horizon oracle, optimistic where tuned",
        ("agent", "defaults", "tuned", "trials", "failed", "best parameters"),
        rows,
    )
