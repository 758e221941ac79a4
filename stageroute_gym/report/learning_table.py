"""The small leaderboard of advice."""

from __future__ import annotations

from typing import Any

from stageroute_gym.evaluation.measures import BY_KEY, SCORE
from stageroute_gym.report.advice_tables import AdviceTable

_SHOWN = (SCORE, "score", "spend_over_budget", "unserved")


def learning_table(ranked: dict[str, Any]) -> AdviceTable:
    """Agents that learn while they serve, the best first.

    Args:
        ranked: what `stageroute_gym.advice.learning.rank_agents` returned.
    """
    rows = tuple(
        (
            row["entry"],
            "-" if row["rank"] is None else str(row["rank"]),
            *(BY_KEY[key].cell(row[key]) for key in _SHOWN),
        )
        for row in (*ranked["ranking"], *ranked["references"])
    )
    columns = ("agent", "rank", *(BY_KEY[key].heading for key in _SHOWN))
    problem, episodes = ranked["problem"], ranked["ranking"] or ranked["references"]
    return AdviceTable(
        "Which agent learns this best",
        columns,
        rows,
        note=(
            f"Each starts from nothing and serves {problem['horizon']:,} queries drawn from the "
            f"data, {episodes[0]['episodes']} times. Horizon oracle: the best plan blind to tasks "
            "that knows all means. Those that cannot be told apart share a rank."
        ),
    )
