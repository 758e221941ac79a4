"""What is measured of an episode: one row a measure, read by all that shows or ranks results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Better = Literal["high", "low", "neither"]
Summary = Literal["interval", "range", "single"]
Table = Literal["results", "timings"]


@dataclass(frozen=True)
class Measure:
    """One measure.

    Attributes:
        key: its column in the results, and its name in ``leaderboard.json``.
        heading: what tables call it.
        digits: decimals shown; of a percentage where ``percent`` is set.
        meaning: what it is, in a line.
        better: which way is better.
        summary: how several seeds are summed up. ``interval``: the mean and the 95 % interval by
            Student's t, for measures whose intervals cover (a test simulates it). ``range``: the
            median, the smallest and the largest value, for those that are skewed or piled up at a
            bound, where no such interval covers. ``single``: one value for all seeds.
        table: which table holds it.
        ranked: whether ranking tables show it.
        listed: whether the list of episodes that ``stageroute run`` prints shows it.
        percent: whether it is shown as a percentage.
    """

    key: str
    heading: str
    digits: int
    meaning: str
    better: Better
    summary: Summary
    table: Table = "results"
    ranked: bool = True
    listed: bool = True
    percent: bool = False

    def number(self, value: float | None) -> str:
        """A value as tables show it; a dash where there is none."""
        if value is None:
            return "-"
        return f"{value:,.{self.digits}{'%' if self.percent else 'f'}}"

    def cell(self, summed: dict[str, Any]) -> str:
        """What several seeds come to, as tables show it.

        Args:
            summed: as in ``leaderboard.json``: ``mean``, ``low`` and ``high`` of an interval, or
                ``median``, ``minimum`` and ``maximum`` of a range.
        """
        if self.summary == "interval":
            mean, high = summed["mean"], summed["high"]
            half = "" if high is None else f" ± {self.number(high - mean)}"
            return f"{self.number(mean)}{half}"
        middle, low, high = (self.number(summed[k]) for k in ("median", "minimum", "maximum"))
        return middle if low == high else f"{middle} ({low} to {high})"


SCORE = "score_over_horizon_oracle"
BEHIND_FIRST = "behind_first"

# In the order of the columns. Where a terminal is too narrow, the last ones go first.
MEASURES = (
    Measure(
        "score",
        "score",
        1,
        "total score of the queries served",
        "high",
        "interval",
        ranked=False,
    ),
    Measure(
        SCORE,
        "score / horizon oracle",
        3,
        "score as a share of the best plan made in advance, which entries are ranked by",
        "high",
        "interval",
    ),
    Measure(
        "score_over_stage_oracle",
        "score / stage oracle",
        3,
        "score as a share of the paper's oracle, which may spend b USD a query in each stage",
        "high",
        "interval",
        ranked=False,
        listed=False,
    ),
    Measure(
        "regret",
        "regret",
        0,
        "expected score behind the stage oracle, over the horizon",
        "low",
        "range",
    ),
    Measure(
        "spend",
        "spend (USD)",
        4,
        "cost of all queries and activations, in USD",
        "neither",
        "range",
        ranked=False,
    ),
    Measure(
        "spend_over_budget",
        "spend / budget",
        3,
        "spend as a share of the budget of the horizon",
        "neither",
        "range",
    ),
    Measure(
        "unserved",
        "unserved",
        0,
        "queries declined or never reached",
        "low",
        "range",
    ),
    Measure(
        "invalid_share",
        "forbidden",
        1,
        "share of the actions that the mask forbids",
        "low",
        "range",
        percent=True,
    ),
    Measure(
        "activations",
        "activations",
        0,
        "models newly deployed, over all stages",
        "neither",
        "range",
        ranked=False,
    ),
    Measure(
        "agent_microseconds",
        "µs / decision",
        1,
        "time of the agent for one decision, which depends on the machine",
        "low",
        "single",
        table="timings",
        listed=False,
    ),
)
BY_KEY = {measure.key: measure for measure in MEASURES}
# Those that episodes' rows hold, in the same order.
OF_EPISODES = tuple(measure for measure in MEASURES if measure.table == "results")
