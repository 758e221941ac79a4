"""From a leaderboard's files to the rows that its charts draw, each held once."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from stageroute_gym.evaluation.measures import SCORE
from stageroute_gym.evaluation.profiles import performance_profile
from stageroute_gym.evaluation.statistics import estimate, spread
from stageroute_gym.report.charts.model_data import model_tables

if TYPE_CHECKING:
    import polars as pl

    from stageroute_gym.report.results import Results

PROFILE_POINTS = 201
PER_THOUSAND = 1000.0


def chart_tables(results: Results) -> dict[str, pl.DataFrame]:
    """The tables, by name; all but ``profile`` have a column ``scenario``.

    - ``stages``: where stages start: ``start`` (a query's number), ``end``.
    - ``curves``: ``entry``, ``t`` (queries so far), ``regret`` (mean over seeds of the cumulative
      one, with ``regret_low`` and ``regret_high``, its 95 % interval), ``spent`` (share of the
      budget, the median over seeds, with ``spent_low`` and ``spent_high``, the range).
    - ``pace``: the budget's pace: ``t``, ``spent``.
    - ``cells``: which models served: ``entry``, ``model``, ``place`` (of the model among those
      drawn, from 0), ``start``, ``end``, ``share`` (of the stage's queries, mean over seeds),
      ``deployed`` (share of the seeds in which it was).
    - ``plans``: the stage oracle's shares beside each entry's, on the same models.
    - ``offers``: when each model drawn was on offer: ``start``, ``end``; ``arrives`` and ``leaves``
      (the query at which it did, null where that was not within the horizon).
    - ``points``: ``entry``, ``cost`` (USD for 1,000 queries), ``score`` (a query), means over
      seeds; with ``entry`` null the horizon oracle's at several budgets.
    - ``budget``: ``cost``, the budget in USD for 1,000 queries.
    - ``budgets``, of scenarios in a sweep of budgets: ``entry``, ``cost`` (the budget in USD for
      1,000 queries), ``score`` (a query, mean over seeds); with ``entry`` null the horizon
      oracle's.
    - ``single``, likewise: ``score`` of the best model on offer, serving all queries.
    - ``profile``: ``entry``, ``score`` over the horizon oracle's, ``share`` of runs that reach it.
    - ``times``: ``entry``, ``microseconds`` for one decision.
    """
    tables = {
        "stages": _stages(results),
        "curves": _curves(results),
        "pace": _pace(results),
        **model_tables(results),
        "points": _points(results),
        "budget": _budget(results),
        **_sweeps(results),
        "profile": _profile(results),
        "times": _times(results),
    }
    return {name: _rounded(table) for name, table in tables.items()}


def _rounded(table: pl.DataFrame) -> pl.DataFrame:
    """Numbers to five significant digits, which is finer than a screen."""
    import polars.selectors as cs

    return table.with_columns(cs.float().round_sig_figs(5))


def _stages(results: Results) -> pl.DataFrame:
    import polars as pl

    return (
        results.oracles.select("scenario", "stage", "start", "queries")
        .unique()
        .sort("scenario", "stage")
        .select("scenario", "start", (pl.col("start") + pl.col("queries")).alias("end"))
    )


def _totals(results: Results) -> pl.DataFrame:
    """USD that may be spent over the horizon, and its queries, of each scenario."""
    import polars as pl

    problems = [(name, part["problem"]) for name, part in results.summary["scenarios"].items()]
    return pl.DataFrame(
        {
            "scenario": [name for name, _ in problems],
            "horizon": [problem["horizon"] for _, problem in problems],
            "total_budget": [problem["budget"] * problem["horizon"] for _, problem in problems],
        }
    )


def _curves(results: Results) -> pl.DataFrame:
    import polars as pl

    keys = ["scenario", "entry"]
    cumulative = (
        results.stages.sort(*keys, "seed", "stage")
        .join(_totals(results), on="scenario")
        .select(
            *keys,
            "seed",
            (pl.col("start") + pl.col("queries")).alias("t"),
            pl.col("regret").cum_sum().over(*keys, "seed"),
            (pl.col("spend").cum_sum().over(*keys, "seed") / pl.col("total_budget")).alias("spent"),
        )
    )
    first = cumulative.select(*keys, "seed").unique().with_columns(t=0, regret=0.0, spent=0.0)
    first = first.cast({"t": cumulative.schema["t"]}).select(cumulative.columns)
    grouped = (
        pl.concat([first, cumulative]).group_by(*keys, "t").agg("regret", "spent").sort(*keys, "t")
    )
    regrets = [estimate(values) for values in grouped["regret"].to_list()]
    spends = [spread(values) for values in grouped["spent"].to_list()]
    return grouped.select(
        *keys,
        "t",
        pl.Series("regret", [value.mean for value in regrets]),
        pl.Series("regret_low", [value.low for value in regrets], pl.Float64),
        pl.Series("regret_high", [value.high for value in regrets], pl.Float64),
        pl.Series("spent", [value.median for value in spends]),
        pl.Series("spent_low", [value.minimum for value in spends]),
        pl.Series("spent_high", [value.maximum for value in spends]),
    )


def _pace(results: Results) -> pl.DataFrame:
    import polars as pl

    totals = _totals(results)
    ends = [totals.select("scenario", t=pl.lit(0, pl.Int64), spent=pl.lit(0.0))]
    ends.append(totals.select("scenario", t="horizon", spent=pl.lit(1.0)))
    return pl.concat(ends).sort("scenario", "t")


def _points(results: Results) -> pl.DataFrame:
    import polars as pl

    means = (
        # In their order, since threads that share the rows out would add them up in any.
        results.episodes.group_by("scenario", "entry", maintain_order=True)
        .agg(
            (pl.col("spend") / pl.col("horizon")).mean().alias("cost") * PER_THOUSAND,
            pl.col("score_per_query").mean().alias("score"),
        )
        # A logarithmic axis has no place for what costs nothing.
        .filter(pl.col("cost") > 0)
        .sort("scenario", "entry")
    )
    frontier = pl.DataFrame(
        [
            {
                "scenario": name,
                "entry": None,
                "cost": point["cost"] * PER_THOUSAND,
                "score": point["score"],
            }
            for name, points in results.summary["frontier"].items()
            for point in points
            if point["cost"] > 0
        ],
        schema=means.schema,
    )
    # Of the frontier what lies within a factor of two of what is compared to it.
    spans = pl.concat([means, _budget(results)], how="diagonal").group_by("scenario")
    ends = spans.agg(low=pl.col("cost").min() / 2, high=pl.col("cost").max() * 2)
    near = frontier.join(ends, on="scenario").filter(pl.col("cost").is_between("low", "high"))
    return pl.concat([means, near.select(means.columns)])


def _budget(results: Results) -> pl.DataFrame:
    import polars as pl

    parts = results.summary["scenarios"]
    return pl.DataFrame(
        {
            "scenario": list(parts),
            "cost": [part["problem"]["budget"] * PER_THOUSAND for part in parts.values()],
        }
    )


def _sweeps(results: Results) -> dict[str, pl.DataFrame]:
    """``budgets`` and ``single``: each sweep's curves, for each scenario in it."""
    import polars as pl

    budgets, single = [], []
    for curves in results.summary["sweeps"]:
        lines = {None: curves["oracle"], **curves["entries"]}
        for scenario in results.budget_sweeps[curves["scenario"]]:
            single.append({"scenario": scenario, "score": curves["single"]["score"]})
            budgets += [
                {"scenario": scenario, "entry": entry, "cost": b * PER_THOUSAND, "score": score}
                for entry, line in lines.items()
                for b, score in zip(curves["budgets"], line["score"], strict=True)
            ]
    numbers = {"cost": pl.Float64, "score": pl.Float64}
    return {
        "budgets": pl.DataFrame(
            budgets, schema={"scenario": pl.String, "entry": pl.String, **numbers}
        ),
        "single": pl.DataFrame(single, schema={"scenario": pl.String, "score": pl.Float64}),
    }


def _profile(results: Results) -> pl.DataFrame:
    import polars as pl

    scored = results.episodes.drop_nulls(SCORE)
    schema = {"entry": pl.String, "score": pl.Float64, "share": pl.Float64}
    if scored.is_empty():
        return pl.DataFrame(schema=schema)
    low, high = _ends(scored[SCORE].to_list())
    thresholds = np.linspace(low, high, PROFILE_POINTS)
    parts = []
    for (entry,), rows in scored.sort("entry", "scenario").group_by("entry", maintain_order=True):
        runs = [part[SCORE].to_numpy() for part in rows.partition_by("scenario")]
        if len(runs) == len(results.scenarios):
            share = performance_profile(runs, thresholds)
            # From the last score that all runs reach to the first that none does.
            changes = slice((share < 1).argmax() - 1, len(share) - (share[::-1] > 0).argmax() + 1)
            drawn = {"score": thresholds[changes], "share": share[changes]}
            parts.append(pl.DataFrame({"entry": entry, **drawn}))
    return pl.concat(parts) if parts else pl.DataFrame(schema=schema)


def _ends(values: Iterable[float]) -> tuple[float, float]:
    """Round numbers around some values: all runs reach the first, none the second."""
    known = list(values)
    return math.floor(min(known) * 20) / 20 - 0.05, math.ceil(max(known) * 20) / 20 + 0.05


def _times(results: Results) -> pl.DataFrame:
    return results.timings.select("scenario", "entry", microseconds="agent_microseconds").sort(
        "scenario", "entry"
    )
