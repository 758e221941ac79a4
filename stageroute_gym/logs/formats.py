"""Where gateways keep what a log needs: columns, units, and what marks a failed request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stageroute_gym.errors import FieldError, closest

if TYPE_CHECKING:
    import polars as pl

FIELDS = (
    *("id", "time", "model", "cost", "score", "task", "propensity"),
    *("input_tokens", "output_tokens"),
)


@dataclass(frozen=True)
class LogFormat:
    """Columns of one gateway's log.

    Attributes:
        name: what ``--from`` calls it.
        columns: by field of `FIELDS`, the columns that may hold it, the first that is there counts.
        marks: columns by which the format is known: all must be there.
        cost_unit: USD in one unit of the cost column.
        succeeded: column and values of a request that was answered; None where all are.
        cached: column and values of a request that a cache answered, which tells nothing of what
            its model costs; None where the log does not tell.
        others: column, and words in it, of what is no answer in text, such as an embedding; None
            where the log does not tell.
        mixed: whether rows without a model are something else than requests, as spans of tools are.
    """

    name: str
    columns: Mapping[str, tuple[str, ...]]
    marks: tuple[str, ...]
    cost_unit: float = 1.0
    succeeded: tuple[str, tuple[str, ...]] | None = None
    cached: tuple[str, tuple[str, ...]] | None = None
    others: tuple[str, tuple[str, ...]] | None = None
    mixed: bool = False


# Beside a format's own columns, those that a user may have added under plain names.
_PLAIN: Mapping[str, tuple[str, ...]] = {
    "score": ("score",),
    "task": ("task",),
    "propensity": ("propensity",),
}

FORMATS = (
    LogFormat(
        "litellm",
        {
            "id": ("request_id",),
            "time": ("startTime",),
            "model": ("model",),
            "cost": ("spend",),
            "input_tokens": ("prompt_tokens",),
            "output_tokens": ("completion_tokens",),
        },
        marks=("spend", "startTime", "model"),
        succeeded=("status", ("success",)),
        cached=("cache_hit", ("true",)),
        others=(
            "call_type",
            ("embedding", "moderation", "image", "speech", "transcription", "rerank"),
        ),
    ),
    LogFormat(
        "helicone",
        {
            "id": ("request_id",),
            "time": ("request_created_at",),
            "model": ("model",),
            "cost": ("cost",),
            "input_tokens": ("prompt_tokens",),
            "output_tokens": ("completion_tokens",),
        },
        marks=("request_created_at", "model", "cost"),
        succeeded=("response_status", ("200", "201")),
    ),
    LogFormat(
        "portkey",
        {
            "id": ("id",),
            "time": ("created_at",),
            "model": ("ai_model",),
            "cost": ("cost",),
            "input_tokens": ("req_units",),
            "output_tokens": ("res_units",),
        },
        marks=("created_at", "ai_model", "cost"),
        cost_unit=0.01,
        succeeded=("is_success", ("true", "1")),
    ),
    LogFormat(
        "openrouter",
        {
            "id": ("id",),
            "time": ("created_at",),
            "model": ("model",),
            "cost": ("total_cost",),
            "input_tokens": ("native_tokens_prompt",),
            "output_tokens": ("native_tokens_completion",),
        },
        marks=("created_at", "model", "total_cost"),
    ),
    LogFormat(
        "opentelemetry",
        {
            "id": ("spanId", "span_id"),
            "time": ("startTimeUnixNano",),
            "model": ("gen_ai.response.model", "gen_ai.request.model"),
            "cost": ("gen_ai.usage.cost",),
            "input_tokens": ("gen_ai.usage.input_tokens",),
            "output_tokens": ("gen_ai.usage.output_tokens",),
        },
        marks=("startTimeUnixNano",),
        # The span of an agent tells the tokens of its calls again.
        others=("gen_ai.operation.name", ("embedding", "tool", "agent", "workflow")),
        mixed=True,
    ),
    LogFormat(
        "generic",
        {
            "id": ("id", "request_id"),
            "time": ("time", "timestamp"),
            "model": ("model",),
            "cost": ("cost",),
            "input_tokens": ("input_tokens",),
            "output_tokens": ("output_tokens",),
        },
        marks=("time", "model", "cost"),
    ),
)


def is_log(columns: list[str]) -> bool:
    """Whether a table is known as a log: one model a request, with the time of each.

    The long layout of outcomes may tell times too, and is none: ``--from`` says so where it is one.
    """
    present = set(columns)
    if {"query_id", "task", "model", "score", "cost"} <= present:
        return False
    return "resourceSpans" in present or any(set(known.marks) <= present for known in FORMATS)


def format_of(columns: list[str], name: str | None, mapped: Mapping[str, str]) -> LogFormat:
    """The format of a log.

    Args:
        columns: its columns.
        name: the format that a user names; None recognises it.
        mapped: columns that a user names, by field; a format may lack those.

    Raises:
        FieldError: if there is no such format, or none is recognised.
    """
    by_name = {format_.name: format_ for format_ in FORMATS}
    if name is not None:
        if name not in by_name:
            raise FieldError("from", name, closest(name, by_name))
        return by_name[name]
    for format_ in FORMATS:
        if set(format_.marks) <= set(columns):
            return format_
    generic = by_name["generic"]
    plain = {field for field, names in generic.columns.items() if set(names) & set(columns)}
    if {"time", "model"} <= plain | set(mapped):
        return generic
    raise FieldError(
        "columns",
        columns,
        f"a log of {', '.join(by_name)} (--from), or --columns time=...,model=...,cost=...",
    )


def column_names(
    columns: list[str], format_: LogFormat, mapped: Mapping[str, str], *, priced: bool = False
) -> dict[str, str]:
    """The column of each field that the log has.

    Args:
        columns: its columns.
        format_: its format.
        mapped: columns that a user names, by field.
        priced: whether tokens will do in place of a cost.

    Raises:
        FieldError: if a field or column that a user names does not exist, or time, model or cost
            has no column.
    """
    for name, column in mapped.items():
        if name not in FIELDS:
            raise FieldError("columns", f"{name}={column}", closest(name, FIELDS))
        if column not in columns:
            raise FieldError("columns", f"{name}={column}", closest(column, columns))
    found = dict(mapped)
    for name, candidates in {**_PLAIN, **format_.columns}.items():
        there = next((column for column in candidates if column in columns), None)
        if there is not None:
            found.setdefault(name, there)
    cost = ("input_tokens", "output_tokens") if priced and "cost" not in found else ("cost",)
    for name in ("time", "model", *cost):
        if name not in found:
            known = " or ".join(format_.columns.get(name, (name,)))
            raise FieldError(
                f"column {known}",
                None,
                f"the {name} of a request; --columns {name}=NAME names it"
                + ("; or --prices, for tokens" if name == "cost" else ""),
            )
    return found


def one_column(frame: pl.DataFrame, candidates: tuple[str, ...]) -> pl.DataFrame:
    """With the first of the columns that are there filled from the others, row by row."""
    import polars as pl

    there = [column for column in candidates if column in frame.columns]
    return frame.with_columns(pl.coalesce(there).alias(there[0])) if there[1:] else frame


def flattened(frame: pl.DataFrame, wanted: Iterable[str] = ()) -> pl.DataFrame:
    """Objects inside a line of JSON as columns of their own: ``metadata.score``.

    Args:
        frame: the table.
        wanted: columns that a user names; where one is asked of a column of text, as of the
            ``metadata`` of a CSV, that text is read as JSON.

    Raises:
        FieldError: if that text is no JSON.
    """
    import polars as pl

    for asked in wanted:
        outer = asked.partition(".")[0]
        if outer != asked and asked not in frame.columns and frame.schema.get(outer) == pl.String:
            text = frame[outer].str.strip_chars().replace("", None)
            try:
                frame = frame.with_columns(text.str.json_decode(infer_schema_length=None))
            except pl.exceptions.PolarsError as error:
                allowed = f"JSON objects in column {outer}: {str(error).splitlines()[0]}"
                raise FieldError("columns", asked, allowed) from error
    while nested := [name for name, kind in frame.schema.items() if isinstance(kind, pl.Struct)]:
        for name in nested:
            inner = frame[name].struct.unnest()
            inner.columns = [f"{name}.{field}" for field in inner.columns]
            frame = frame.drop(name).hstack(inner)
    return frame


def likely_scores(columns: Iterable[str]) -> list[str]:
    """Columns whose names sound as if they held scores."""
    words = ("score", "rating", "feedback", "reward", "grade")
    return [name for name in columns if any(word in name.lower() for word in words)]


def flat_spans(frame: pl.DataFrame) -> pl.DataFrame:
    """One row a span, attributes as columns, of OpenTelemetry's JSON as its exporters write it."""
    import polars as pl

    rows = []
    for line in frame["resourceSpans"].to_list():
        for resource in line or ():
            for scope in resource.get("scopeSpans") or ():
                for span in scope.get("spans") or ():
                    plain = {k: v for k, v in span.items() if not isinstance(v, (list, dict))}
                    rows.append(plain | _attributes(span.get("attributes")))
    return pl.from_dicts(rows, infer_schema_length=None) if rows else pl.DataFrame()


def _attributes(listed: list[dict[str, Any]] | None) -> dict[str, Any]:
    """Attributes as a dictionary; numbers, which the format writes as text, as they are."""
    values = {}
    for attribute in listed or ():
        held = {kind: value for kind, value in attribute["value"].items() if value is not None}
        for kind, value in held.items():
            values[attribute["key"]] = int(value) if kind == "intValue" else value
    return values
