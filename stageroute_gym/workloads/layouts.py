"""The layouts of recorded outcomes: which one a frame has, and turning it into the wide one.

Wide: ``query_id``, ``task``, and ``score:<model>``, ``cost:<model>`` for each model.
Long: ``query_id``, ``task``, ``model``, ``score``, ``cost``, one row for each query and model.
RouterBench's own: ``sample_id``, ``eval_name``, and ``<model>``, ``<model>|total_cost``.
Wide and long may also have ``weight`` (relative frequency of the query) and ``family``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from stageroute_gym.errors import FieldError, closest

if TYPE_CHECKING:
    import polars as pl

Layout = Literal["wide", "long", "routerbench"]

SCORE, COST = "score:", "cost:"
ROUTERBENCH_COST = "|total_cost"
OPTIONAL = ("family", "weight")
# Columns of gateways' logs that tell when a request came.
LOG_TIMES = ("time", "timestamp", "startTime", "request_created_at", "created_at")


def layout_of(columns: list[str]) -> Layout:
    """The layout that the column names speak for."""
    if any(name.endswith(ROUTERBENCH_COST) for name in columns):
        return "routerbench"
    wide = any(name.startswith((SCORE, COST)) for name in columns)
    long = {"model", "score", "cost"} & set(columns)
    return "long" if long and not wide else "wide"


def models_of(columns: list[str]) -> list[str]:
    """Names of the models of a wide frame that have a score column, in its order."""
    return [name.removeprefix(SCORE) for name in columns if name.startswith(SCORE)]


def columns_left_out(columns: list[str]) -> list[str]:
    """The columns that a frame loses in the wide layout; those of a wide one all stay."""
    layout = layout_of(columns)
    if layout == "wide":
        return []
    kept = {"query_id", "task", "model", "score", "cost", *OPTIONAL}
    if layout == "routerbench":
        costs = {name for name in columns if name.endswith(ROUTERBENCH_COST)}
        models = {name.removesuffix(ROUTERBENCH_COST) for name in costs}
        kept = {"sample_id", "eval_name", *models, *costs}
    return [name for name in columns if name not in kept]


def column_problems(columns: list[str]) -> list[FieldError]:
    """What is wrong with the column names, whatever the layout; empty if nothing is."""
    layout = layout_of(columns)
    if layout == "routerbench":
        problems = _missing(columns, ("sample_id", "eval_name"))
        for name in columns:
            model = name.removesuffix(ROUTERBENCH_COST)
            if model != name and model not in columns:
                problems.append(_partner(name, model))
        return problems
    if layout == "long":
        problems = _missing(columns, ("query_id", "task", "model", "score", "cost"))
        return [*_times_of_log(columns), *problems] if problems else []
    problems = _missing(columns, ("query_id", "task"))
    if not any(name.startswith((SCORE, COST)) for name in columns):
        problems = [*_times_of_log(columns), *problems]
        allowed = (
            "columns score:<model> and cost:<model> for at least one model (wide), "
            "or model, score and cost (long)"
        )
        return [*problems, FieldError("columns", columns, allowed)]
    for prefix, other in ((SCORE, COST), (COST, SCORE)):
        for name in columns:
            partner = other + name.removeprefix(prefix)
            if name.startswith(prefix) and partner not in columns:
                problems.append(_partner(name, partner))
    return problems


def _times_of_log(columns: list[str]) -> list[FieldError]:
    """What to say of a log, which is known by the times of its requests."""
    time = next((name for name in LOG_TIMES if name in columns), None)
    if time is None:
        return []
    allowed = (
        "none in a table of outcomes; a log, one model a request, is for advise, replay and "
        "--scenario logged, and needs time, model and cost, or tokens and --prices"
    )
    return [FieldError("column", time, allowed)]


def to_wide(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[FieldError]]:
    """The frame in the wide layout, and what kept cells out of it.

    Every column but those of the layout is dropped from a long or RouterBench frame. Column names
    must be free of problems.
    """
    layout = layout_of(frame.columns)
    if layout == "routerbench":
        return _from_routerbench(frame), []
    return _from_long(frame) if layout == "long" else (frame, [])


def to_long(wide: pl.DataFrame) -> pl.DataFrame:
    """The long layout of a wide frame: query by query, models in the order of its columns."""
    import polars as pl

    keys = ["query_id", "task", *(name for name in OPTIONAL if name in wide.columns)]
    parts = [
        wide.select(
            *keys,
            pl.lit(model).alias("model"),
            pl.col(SCORE + model).alias("score"),
            pl.col(COST + model).alias("cost"),
        ).with_row_index("row")
        for model in models_of(wide.columns)
    ]
    return pl.concat(parts).sort("row", maintain_order=True).drop("row")


def _from_routerbench(frame: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    cost_columns = [name for name in frame.columns if name.endswith(ROUTERBENCH_COST)]
    models = [name.removesuffix(ROUTERBENCH_COST) for name in cost_columns]
    return frame.select(
        pl.col("sample_id").alias("query_id"),
        pl.col("eval_name").alias("task"),
        *(pl.col(model).alias(SCORE + model) for model in models),
        *(pl.col(model + ROUTERBENCH_COST).alias(COST + model) for model in models),
    )


def _from_long(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[FieldError]]:
    import polars as pl

    problems = []
    frame = frame.with_columns(pl.col("model").cast(pl.String))
    keys = pl.struct("query_id", "model")
    twice = frame.filter(keys.is_duplicated())
    if len(twice):
        given = (twice["query_id"][0], twice["model"][0])
        problems.append(FieldError("(query_id, model)", given, _times("at most one row", twice)))
    unnamed = frame.filter(pl.col("model").is_null())
    if len(unnamed):
        where = f"model of query {unnamed['query_id'][0]!r}"
        problems.append(FieldError(where, None, _times("the name of a model", unnamed)))
    frame = frame.drop_nulls("model").unique(
        ["query_id", "model"], keep="first", maintain_order=True
    )
    per_query = ["task", *(name for name in OPTIONAL if name in frame.columns)]
    for name in per_query:
        several = frame.group_by("query_id", maintain_order=True).agg(
            pl.col(name).unique(maintain_order=True)
        )
        several = several.filter(pl.col(name).list.len() > 1)
        if len(several):
            where = f"{name} of query {several['query_id'][0]!r}"
            allowed = _times("the same on all rows of the query", several)
            problems.append(FieldError(where, several[name][0].to_list(), allowed))
    models = frame["model"].unique(maintain_order=True)
    log = _log_problem(frame, len(models))
    if log is not None and not problems:
        return frame.unique("query_id", keep="first", maintain_order=True).select(
            "query_id", *per_query
        ), [log]
    queries = frame.unique("query_id", keep="first", maintain_order=True)
    wide = queries.select("query_id", *per_query)
    for model in models:
        part = frame.filter(pl.col("model") == model)
        absent = queries.join(part, on="query_id", how="anti", nulls_equal=True)
        if len(absent):
            where = f"rows of model {model!r}"
            allowed = _times(f"a row for query {absent['query_id'][0]!r}", absent)
            problems.append(FieldError(where, len(part), allowed))
        cells = part.select(
            "query_id", pl.col("score").alias(SCORE + model), pl.col("cost").alias(COST + model)
        )
        wide = wide.join(cells, on="query_id", how="left", nulls_equal=True, maintain_order="left")
    return wide, problems


def _log_problem(frame: pl.DataFrame, models: int) -> FieldError | None:
    """What to say of a log, in which most requests went to one model only."""
    import polars as pl

    answers = frame.group_by("query_id").agg(pl.len())["len"]
    single = int((answers == 1).sum())
    if models == 1 or 2 * single <= len(answers):
        return None
    allowed = (
        f"a row for each of the {models} models on every query; {single:,} queries have one: a log "
        "tells nothing of what the other models would have scored, so it is no table of outcomes"
    )
    return FieldError("rows", len(frame), allowed)


def _missing(columns: list[str], wanted: tuple[str, ...]) -> list[FieldError]:
    return [
        FieldError(
            f"column {name}",
            None,
            f"a column of that name; {closest(name, columns)}; `stageroute data convert --columns "
            f"{name}=THAT` renames one",
        )
        for name in wanted
        if name not in columns
    ]


def _partner(name: str, partner: str) -> FieldError:
    return FieldError("column", name, f"a column {partner!r} with it")


def _times(allowed: str, offending: pl.DataFrame) -> str:
    """``allowed``, with how many rows offend where it is more than one."""
    return allowed if len(offending) == 1 else f"{allowed} ({len(offending)} offend)"
