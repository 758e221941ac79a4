"""Means over seeds with their intervals, and differences of two agents on common seeds."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stageroute_gym.errors import FieldError, closest

if TYPE_CHECKING:
    import polars as pl

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds.

    Attributes:
        mean: the mean; None without values.
        half_width: half the width of its 95 % interval; None with fewer than two values.
        count: number of values.
    """

    mean: float | None
    half_width: float | None
    count: int

    @property
    def low(self) -> float | None:
        """Lower end of the interval; None where there is none."""
        if self.mean is None or self.half_width is None:
            return None
        return self.mean - self.half_width

    @property
    def high(self) -> float | None:
        """Upper end of the interval; None where there is none."""
        if self.mean is None or self.half_width is None:
            return None
        return self.mean + self.half_width


def estimate(values: Iterable[float | None]) -> Estimate:
    """Mean and 95 % interval by Student's t distribution; None among the values is left out."""
    known = np.array([value for value in values if value is not None], dtype=np.float64)
    count = len(known)
    if count == 0:
        return Estimate(None, None, 0)
    # fsum, since a sum must not depend on how numpy groups it on this machine.
    mean = math.fsum(known.tolist()) / count
    if count == 1:
        return Estimate(mean, None, 1)
    # Only here, since scipy is slow to load.
    from scipy.special import stdtrit

    variance = math.fsum(((known - mean) ** 2).tolist()) / (count - 1)
    quantile = float(stdtrit(count - 1, (1 + CONFIDENCE) / 2))
    return Estimate(mean, quantile * math.sqrt(variance / count), count)


def compare(
    results: pl.DataFrame,
    first: str,
    second: str,
    column: str = "score_over_horizon_oracle",
) -> pl.DataFrame:
    """How much ``first`` is ahead of ``second``, paired by seed: both met the same queries.

    Args:
        results: rows of `stageroute_gym.evaluation.evaluate`, of one or several scenarios.
        first: an agent in them.
        second: the agent to compare it with.
        column: what to compare.

    Returns:
        One row a scenario in which both ran: ``scenario``, ``first``, ``second``, ``column``,
        ``difference`` (mean of first minus second), ``low`` and ``high`` (95 % interval by
        Student's t; null with one seed), ``seeds`` (their number).

    Raises:
        FieldError: if the results lack an agent, the column or common seeds, or an agent has
            several episodes of one seed.
    """
    import polars as pl

    known = results["agent"].unique().to_list()
    for field, agent in (("first", first), ("second", second)):
        if agent not in known:
            raise FieldError(field, agent, closest(agent, known))
    if column not in results.columns:
        raise FieldError("column", column, closest(column, results.columns))
    keys = ["scenario", "seed"]
    sides = [results.filter(pl.col("agent") == agent) for agent in (first, second)]
    for agent, side in zip((first, second), sides, strict=True):
        if side.select(keys).is_duplicated().any():
            raise FieldError("results", agent, "one episode a seed in each scenario")
    paired = sides[0].join(sides[1].select(*keys, pl.col(column).alias("_second")), on=keys)
    if paired.is_empty():
        raise FieldError("results", (first, second), "agents with a scenario and seeds in common")
    rows = []
    for (scenario,), part in paired.sort(keys).group_by("scenario", maintain_order=True):
        ahead = estimate(part[column] - part["_second"])
        rows.append(
            {
                "scenario": scenario,
                "first": first,
                "second": second,
                "column": column,
                "difference": ahead.mean,
                "low": ahead.low,
                "high": ahead.high,
                "seeds": ahead.count,
            }
        )
    types = {"difference": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    return pl.DataFrame(rows, schema_overrides=types)
