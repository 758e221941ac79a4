"""The charts of a leaderboard, as Vega-Lite: one specification for the page and for pictures.

Their data are named tables of `stageroute_gym.report.charts.data.chart_tables`, cut down to one
scenario and the entries shown, each row with the entry's ``kind`` and ``color``. They read the
parameters ``paper`` (colours) and ``horizon`` (queries of an episode).
"""

from __future__ import annotations

from stageroute_gym.report.charts.course import regret_chart, spend_chart
from stageroute_gym.report.charts.models import deployed_chart, queries_chart
from stageroute_gym.report.charts.parts import BoardChart
from stageroute_gym.report.charts.standing import cost_chart, profile_chart, time_chart
from stageroute_gym.report.charts.sweep import budget_chart


def board_charts(*, swept: bool = True) -> list[BoardChart]:
    """All charts, in the order to show them in.

    Args:
        swept: whether there is a sweep of budgets to draw.
    """
    return [
        profile_chart(),
        regret_chart(),
        spend_chart(),
        queries_chart(),
        deployed_chart(),
        *([budget_chart()] if swept else []),
        cost_chart(),
        time_chart(),
    ]


__all__ = ["BoardChart", "board_charts"]
