"""Rows of the charts by model: what was on offer, deployed, and served."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stageroute_gym.report.names import short_names

if TYPE_CHECKING:
    import polars as pl

    from stageroute_gym.report.results import Results

# More models than this make rows that nobody reads; the others are drawn as one.
MODELS_DRAWN = 20


def model_tables(results: Results) -> dict[str, pl.DataFrame]:
    """``cells``, ``plans`` and ``offers``: what was deployed and served, model by model."""
    import polars as pl

    keys = ["scenario", "entry"]
    where = ["start", "end"]
    end = (pl.col("start") + pl.col("queries")).alias("end")
    seeds = pl.col("seed").n_unique().over(*keys).alias("seeds")
    served = (
        results.stages.select(*keys, "start", end, "queries", seeds, "deployed", "pulls")
        .explode("deployed", "pulls")
        .drop_nulls("deployed")
        .group_by(*keys, *where, "queries", "seeds", model="deployed")
        .agg(pl.col("pulls").sum(), pl.len().alias("episodes"))
        .select(
            *keys,
            "model",
            *where,
            (pl.col("pulls") / (pl.col("queries") * pl.col("seeds"))).alias("share"),
            (pl.col("episodes") / pl.col("seeds")).alias("deployed"),
        )
    )
    worlds = pl.col("seed").n_unique().over("scenario").alias("worlds")
    planned = (
        results.oracles.select(
            "scenario", "start", end, worlds, model="stage_models", share="stage_shares"
        )
        .explode("model", "share")
        .drop_nulls("model")
        .group_by("scenario", *where, "worlds", "model", maintain_order=True)
        .agg(pl.col("share").sum())
        .select("scenario", "model", *where, pl.col("share") / pl.col("worlds"))
    )
    places = _places(served, planned, results)
    # The oracle's plan beside each entry's, on that entry's models.
    beside = places.select(keys).unique().join(planned, on="scenario")
    return {
        "cells": _gathered(served, places, ["share", "deployed"]),
        "plans": _gathered(beside, places, ["share"]),
        "offers": _offers(results, places),
    }


def _places(served: pl.DataFrame, planned: pl.DataFrame, results: Results) -> pl.DataFrame:
    """Which models stand in which row beside which entry: those that serve most come first."""
    import polars as pl

    keys = ["scenario", "entry"]
    queries = pl.col("share") * (pl.col("end") - pl.col("start"))
    own = served.select(*keys, "model", amount=queries)
    theirs = (
        served.select(keys)
        .unique()
        .join(planned, on="scenario")
        .select(*keys, "model", amount=queries)
    )
    return (
        pl.concat([own, theirs])
        # One order of adding up, so that a page has the same bytes at every run.
        .sort(*keys, "model", "amount")
        .group_by(*keys, "model", maintain_order=True)
        .agg(pl.col("amount").sum())
        .sort(*keys, "amount", "model", descending=[False, False, True, False])
        .with_columns(
            pl.int_range(pl.len()).over(keys).alias("place"),
            pl.len().over(keys).alias("models"),
        )
        .select(
            *keys,
            "model",
            pl.col("place").clip(0, MODELS_DRAWN),
            pl.when(pl.col("place") >= MODELS_DRAWN)
            .then(pl.format("{} other models", pl.col("models") - MODELS_DRAWN))
            .otherwise(_short(results))
            .alias("name"),
        )
    )


def _short(results: Results) -> pl.Expr:
    """The short name of the column ``model``, distinct within each scenario."""
    import polars as pl

    names: dict[str, dict[str, str]] = {}
    for (scenario,), rows in results.oracles.group_by("scenario"):
        models = tuple(rows["available"].explode().drop_nulls().unique(maintain_order=True))
        names[str(scenario)] = dict(zip(models, short_names(models), strict=True))
    short = pl.col("model")
    for scenario, of_models in names.items():
        short = (
            pl.when(pl.col("scenario") == scenario)
            .then(pl.col("model").replace(of_models))
            .otherwise(short)
        )
    return short


def _gathered(rows: pl.DataFrame, places: pl.DataFrame, values: list[str]) -> pl.DataFrame:
    """Rows with the names that are drawn; those beyond the last place are added up."""
    import polars as pl

    keys = ["scenario", "entry"]
    return (
        rows.join(places, on=[*keys, "model"])
        .sort(*keys, "place", "start", "model")
        .group_by(*keys, "place", "name", "start", "end", maintain_order=True)
        .agg(pl.col(values).sum().clip(0.0, 1.0))
        .sort(*keys, "place", "start")
        .rename({"name": "model"})
        .select(*keys, "model", "place", "start", "end", *values)
    )


def _offers(results: Results, places: pl.DataFrame) -> pl.DataFrame:
    """When each model that is drawn was on offer, unbroken spans as one."""
    import polars as pl

    keys = ["scenario", "entry"]
    end = (pl.col("start") + pl.col("queries")).alias("end")
    horizon = end.max().over("scenario").alias("horizon")
    spans = (
        results.oracles.select("scenario", "stage", "start", end, horizon, model="available")
        .explode("model")
        .drop_nulls("model")
        .unique()
        .sort("scenario", "model", "stage")
        # Within an unbroken span, the stage's number less the number of the row stays the same.
        .with_columns(
            span=pl.col("stage") - pl.int_range(pl.len()).over("scenario", "model").cast(pl.Int64)
        )
        .group_by("scenario", "model", "span")
        .agg(pl.col("start").min(), pl.col("end").max(), pl.col("horizon").first())
    )
    drawn = places.filter(pl.col("place") < MODELS_DRAWN)
    return (
        drawn.join(spans, on=["scenario", "model"])
        .select(
            *keys,
            pl.col("name").alias("model"),
            "place",
            "start",
            "end",
            pl.when(pl.col("start") > 0).then("start").alias("arrives"),
            pl.when(pl.col("end") < pl.col("horizon")).then("end").alias("leaves"),
        )
        .sort(*keys, "place", "start")
    )
