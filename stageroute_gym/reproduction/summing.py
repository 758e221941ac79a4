"""From what leaderboards wrote to the rows that summaries hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from stageroute_gym.evaluation.comparison import compare
from stageroute_gym.evaluation.measures import SCORE
from stageroute_gym.evaluation.statistics import estimate, spread

if TYPE_CHECKING:
    from stageroute_gym.report.results import Results


def entry_rows(results: Results) -> list[dict[str, Any]]:
    """What each entry has come to on each scenario, JSON-native, in the leaderboard's order.

    Each row: ``scenario``, ``budget`` (USD a query), ``rule``, ``entry``, ``agent``, ``kind``;
    ``score`` (over the horizon oracle's), ``stage`` (over the stage oracle's) and ``regret`` (share
    of the stage oracle's score), each with ``mean``, ``low`` and ``high``; ``spend`` (over the
    budget) with ``median``, ``minimum`` and ``maximum``; ``seeds``.
    """
    rows = []
    episodes = results.episodes.sort("scenario", "entry", "seed")
    for (scenario, entry), part in episodes.group_by("scenario", "entry", maintain_order=True):
        rows.append(
            {
                "scenario": scenario,
                "budget": part["budget"][0],
                "rule": part["budget_rule"][0],
                "entry": entry,
                "agent": part["agent"][0],
                "kind": results.kinds[str(entry)],
                "score": interval(part[SCORE]),
                "stage": interval(part["score_over_stage_oracle"]),
                "regret": interval(part["regret"] / part["stage_oracle"]),
                "spend": middle(part["spend_over_budget"]),
                "seeds": len(part),
            }
        )
    places = {name: place for place, name in enumerate(results.scenarios)}
    return sorted(rows, key=lambda row: (places[str(row["scenario"])], str(row["entry"])))


def ahead_of_others(results: Results, subject: str) -> list[dict[str, Any]]:
    """How far an entry lies ahead of each other one in score / horizon oracle, JSON-native.

    Each row: ``scenario``, ``budget`` (USD a query), ``rule``, ``entry`` (the other one), and
    ``ahead`` with ``mean``, ``low`` and ``high``, paired by seed.
    """
    problems = {name: part["problem"] for name, part in results.summary["scenarios"].items()}
    others = [entry for entry in results.kinds if entry != subject]
    return [
        {
            "scenario": row["scenario"],
            "budget": problems[row["scenario"]]["budget"],
            "rule": problems[row["scenario"]]["budget_rule"],
            "entry": row["second"],
            "ahead": {"mean": row["difference"], "low": row["low"], "high": row["high"]},
        }
        for entry in others
        for row in compare(results.episodes, subject, entry).iter_rows(named=True)
    ]


def interval(values: Iterable[float | None]) -> dict[str, float | None]:
    """Mean over seeds with its 95 % interval, JSON-native."""
    found = estimate(list(values))
    return {"mean": found.mean, "low": found.low, "high": found.high}


def middle(values: Iterable[float | None]) -> dict[str, float | None]:
    """Median and range, JSON-native."""
    found = spread(list(values))
    return {"median": found.median, "minimum": found.minimum, "maximum": found.maximum}
