"""Two entries on common seeds: how much one is ahead, and how probably it is better."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stageroute_gym.errors import FieldError, closest
from stageroute_gym.evaluation.statistics import CONFIDENCE, estimate

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Share:
    """A share of seeds with its 95 % interval; None without seeds.

    Attributes:
        mean: the share.
        low: lower end of the interval.
        high: upper end of the interval.
    """

    mean: float | None
    low: float | None
    high: float | None


def improvement(differences: Iterable[float | None]) -> Share:
    """Share of differences above 0, those that are 0 counted by half, by Wilson's interval.

    The interval is that of a share of independent yes and no (Wilson 1927, Journal of the American
    Statistical Association 22); halves vary less, so that with ties it covers more often.
    """
    known = [value for value in differences if value is not None]
    count = len(known)
    if not count:
        return Share(None, None, None)
    share = sum((value > 0) + (value == 0) / 2 for value in known) / count
    # Only here, since scipy is slow to load.
    from scipy.special import ndtri

    z = float(ndtri((1 + CONFIDENCE) / 2))
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2) / (1 + z * z / count)
    return Share(share, max(0.0, middle - half), min(1.0, middle + half))


def compare(
    results: pl.DataFrame,
    first: str,
    second: str,
    column: str = "score_over_horizon_oracle",
) -> pl.DataFrame:
    """How much ``first`` is ahead of ``second``, paired by seed: both met the same queries.

    Args:
        results: rows of `stageroute_gym.evaluation.evaluate`, of one or several scenarios.
        first: label of an entry in them.
        second: the entry to compare it with.
        column: what to compare.

    Returns:
        One row a scenario in which both ran: ``scenario``, ``first``, ``second``, ``column``,
        ``difference`` (mean of first minus second), ``low`` and ``high`` (95 % interval by
        Student's t; null with one seed), ``improvement`` (share of the seeds in which first has
        the larger value, ties counted by half: an estimate of the probability of improvement),
        ``improvement_low`` and ``improvement_high`` (its 95 % interval by Wilson's method),
        ``seeds`` (their number).

    Raises:
        FieldError: if the results lack an entry, the column or common seeds, or an entry has
            several episodes of one seed.
    """
    import polars as pl

    known = results["entry"].unique().to_list()
    for field, entry in (("first", first), ("second", second)):
        if entry not in known:
            raise FieldError(field, entry, closest(entry, known))
    if column not in results.columns:
        raise FieldError("column", column, closest(column, results.columns))
    keys = ["scenario", "seed"]
    sides = [results.filter(pl.col("entry") == entry) for entry in (first, second)]
    for entry, side in zip((first, second), sides, strict=True):
        if side.select(keys).is_duplicated().any():
            raise FieldError("results", entry, "one episode a seed in each scenario")
    paired = sides[0].join(sides[1].select(*keys, pl.col(column).alias("_second")), on=keys)
    if paired.is_empty():
        raise FieldError("results", (first, second), "entries with a scenario and seeds in common")
    rows = []
    for (scenario,), part in paired.sort(keys).group_by("scenario", maintain_order=True):
        differences = (part[column] - part["_second"]).to_list()
        ahead, better = estimate(differences), improvement(differences)
        rows.append(
            {
                "scenario": scenario,
                "first": first,
                "second": second,
                "column": column,
                "difference": ahead.mean,
                "low": ahead.low,
                "high": ahead.high,
                "improvement": better.mean,
                "improvement_low": better.low,
                "improvement_high": better.high,
                "seeds": ahead.count,
            }
        )
    numbers = ("difference", "low", "high", "improvement", "improvement_low", "improvement_high")
    types = dict.fromkeys(numbers, pl.Float64)
    return pl.DataFrame(rows, schema_overrides=types)
