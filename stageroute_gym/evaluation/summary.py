"""What ``leaderboard.json`` says, read from the folder of a finished leaderboard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.storage import SUMMARY

WRITE_AGAIN = "stageroute leaderboard --resume with its options writes the files anew"
# What tables, pages and mergers read.
_KEYS = ("overall", "oracles", "service", "frontier", "sweeps", "failures")


def read_summary(folder: str | Path, field: str) -> dict[str, Any]:
    """Settings, ranking, oracles and curves of a leaderboard.

    Args:
        folder: its folder.
        field: name of the argument that holds it, for errors.

    Raises:
        FieldError: if the file is absent, cannot be read or is not of this version, or no entry
            has finished.
    """
    path = Path(folder)
    if not (path / SUMMARY).is_file():
        raise FieldError(field, str(path), f"the folder of a finished leaderboard, with {SUMMARY}")
    try:
        summary = json.loads((path / SUMMARY).read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise FieldError(field, str(path), f"a readable {SUMMARY}; {error}") from error
    if not isinstance(summary, dict) or "settings" not in summary:
        raise FieldError(field, str(path), f"a {SUMMARY} that a leaderboard wrote")
    if "scenarios" not in summary:
        raise FieldError(field, str(path), "a leaderboard in which an entry has finished")
    missing = [key for key in _KEYS if key not in summary]
    if missing or any("variants" not in curves for curves in summary["sweeps"]):
        raise FieldError(field, str(path), f"a {SUMMARY} of this version; {WRITE_AGAIN}")
    return summary
