"""Answers as benchmarks record them: one row for each query and model, with tokens or a cost."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from stageroute_gym.errors import FieldError
from stageroute_gym.workloads.prices import Price, check_names, match

if TYPE_CHECKING:
    import polars as pl

# A row of answers: query, task, model, score, cost in USD, prompt tokens, completion tokens.
Answer = tuple[str, str, str, float | None, float | None, float | None, float | None]
_NAMES = ("query_id", "task", "model", "score", "cost", "input_tokens", "output_tokens")
_SHOWN = 5


class Source(NamedTuple):
    """What a foreign file holds.

    Attributes:
        answers: rows of `Answer`; a query that a model failed on has no score, or has no row.
        notes: what is assumed or left out, in words.
        prices: the prices that come with the file; empty where none do.
    """

    answers: list[Answer]
    notes: tuple[str, ...] = ()
    prices: Mapping[str, Price] = {}


class Completed(NamedTuple):
    """Outcomes of every model on every query.

    Attributes:
        frame: the long layout, see `stageroute_gym.workloads.layouts`.
        notes: what is assumed or left out, in words.
    """

    frame: pl.DataFrame
    notes: tuple[str, ...]


def completed(
    source: Source, prices: Mapping[str, Price] | None, names: Mapping[str, str]
) -> Completed:
    """The queries that every model has answered, with the cost of each answer.

    Args:
        source: the answers.
        prices: a price list of the user's, which goes before the source's own; None for none.
        names: what models are called in it, see `stageroute_gym.workloads.prices.match`.

    Raises:
        FieldError: if costs need prices that are not there, or no query is left.
    """
    import polars as pl

    frame = pl.DataFrame(source.answers, schema=_schema(), orient="row")
    notes = list(source.notes)
    frame = frame.with_columns(_without_empty_costs().alias("cost"))
    open_costs = frame.filter(pl.col("cost").is_null() & pl.col("score").is_not_null())
    counted = open_costs.filter(~pl.any_horizontal(pl.col(_NAMES[5:]).is_null()))
    if len(counted):
        models = counted["model"].unique(maintain_order=True).to_list()
        known = prices if prices is not None else source.prices
        check_names(names, frame["model"].unique())
        if not known:
            allowed = (
                f"a price list (--prices FILE), since {len(counted):,} answers of {len(models)} "
                f"models tell their tokens and no cost, or 0: {_named(models)}; one's own list may "
                "say that a model is free"
            )
            raise FieldError("prices", None, allowed)
        priced = match(known, models, names)
        rates = pl.DataFrame(
            [(model, price.input, price.output) for model, price in priced.items()],
            schema={"model": pl.String, "input_rate": pl.Float64, "output_rate": pl.Float64},
            orient="row",
        )
        computed = pl.col("input_tokens") * pl.col("input_rate") + pl.col("output_tokens") * pl.col(
            "output_rate"
        )
        frame = frame.join(rates, on="model", how="left", maintain_order="left").with_columns(
            pl.coalesce("cost", computed).alias("cost")
        )
        notes.append(f"the cost of {len(counted):,} answers is their tokens times the list prices")
    kept = frame.drop_nulls(["score", "cost"]).select(_NAMES[:5])
    if len(kept) < len(frame):
        lost = frame.filter(pl.any_horizontal(pl.col("score", "cost").is_null()))
        worst = lost["model"].value_counts(sort=True).head(_SHOWN).rows()
        shown = ", ".join(f"{model} {number:,}" for model, number in worst)
        notes.append(f"{len(lost):,} answers without score or cost are left out: {shown}")
    return _whole_queries(kept, frame["query_id"].n_unique(), notes)


def _without_empty_costs() -> pl.Expr:
    """The costs, and none where a model answered at length and each of its costs is 0."""
    import polars as pl

    tokens = pl.sum_horizontal(_NAMES[5:]).fill_null(0.0)
    empty = (pl.col("cost").max() == 0.0) & (tokens.max() > 0.0)
    return pl.when(empty.over("model")).then(None).otherwise("cost")


def _named(models: list[str]) -> str:
    more = f" and {len(models) - _SHOWN} more" if len(models) > _SHOWN else ""
    return ", ".join(models[:_SHOWN]) + more


def _whole_queries(kept: pl.DataFrame, queries: int, notes: list[str]) -> Completed:
    import polars as pl

    models = kept["model"].n_unique()
    whole = kept.filter(pl.col("model").n_unique().over("query_id") == models)
    left = whole["query_id"].n_unique()
    if left == 0:
        fewest = kept.group_by("model").agg(pl.col("query_id").n_unique()).sort("query_id").row(0)
        allowed = (
            f"a query that all {models} models have answered; leave models out that answered few "
            f"(--without MODEL), such as {fewest[0]!r} with {fewest[1]:,} of {queries:,}"
        )
        raise FieldError("source", f"{queries:,} queries", allowed)
    if left < queries:
        notes.append(f"{queries - left:,} of {queries:,} queries lack a model's answer: left out")
    return Completed(whole, tuple(notes))


def json_lines(path: Path, field: str = "source") -> Iterator[dict[str, Any]]:
    """The objects of a JSON file, one a line or in an array, plain or gzipped, one after the other.

    Raises:
        FieldError: if it cannot be read, or a line is no object.
    """
    place = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            lines: Iterable[bytes] = stream
            if stream.read(1) == b"[":
                stream.seek(0)
                lines = (json.dumps(entry).encode() for entry in json.load(stream))
            else:
                stream.seek(0)
            for place, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                content = json.loads(line)
                if not isinstance(content, dict):
                    raise FieldError(f"line {place} of {path}", content, "a JSON object")
                yield content
    except FieldError:
        raise
    except (OSError, EOFError, ValueError) as error:
        raise FieldError(field, str(path), f"JSON lines; after line {place}: {error}") from error


def number(value: Any) -> float | None:
    """A number of a foreign file; None for nothing, true and false as 1 and 0.

    Raises:
        FieldError: if it is something else.
    """
    if value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise FieldError("number", value, "a number, or null") from error


def _schema() -> dict[str, Any]:
    import polars as pl

    return {name: pl.String if name in _NAMES[:3] else pl.Float64 for name in _NAMES}
