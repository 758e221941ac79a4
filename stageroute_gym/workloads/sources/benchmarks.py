"""Routing benchmarks: LLMRouterBench, RouterArena, LLMRouter and SPROUT as they are published."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stageroute_gym.errors import FieldError
from stageroute_gym.workloads.prices import read_prices
from stageroute_gym.workloads.sources.answers import Answer, Source, json_lines, number

_TAR_ENDINGS = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")


def is_llmrouterbench(path: Path) -> bool:
    """Whether it is LLMRouterBench's tar, or the folder in it."""
    if path.is_dir():
        return next(path.glob("**/*/*/*.json"), None) is not None
    return path.name.lower().endswith(_TAR_ENDINGS)


def read_llmrouterbench(path: Path) -> Source:
    """A file a run of a model on a dataset, with ``records``; a query is an ``index`` of a dataset.

    Dataset, split and model stand in the file, as they are published, or else are its folders:
    ``<task>/<model>/*.json``. Of several runs the last one counts, by the time in the file's name.

    Raises:
        FieldError: if a file of it cannot be read.
    """
    runs: dict[tuple[str, str, str], tuple[str, list[Answer]]] = {}
    older = demonstrations = 0
    for name, content in _json_files(path):
        *_, folder, subfolder, _ = name.split("/")
        try:
            run = json.loads(content)
            records = run["records"]
        except (ValueError, KeyError, TypeError) as error:
            raise FieldError(
                f"{name} of source", str(path), f"JSON with records: {error}"
            ) from error
        if run.get("demo"):
            demonstrations += 1
            continue
        task = str(run.get("dataset_name") or folder)
        split = str(run.get("split") or "")
        model = str(run.get("model_name") or subfolder)
        if (task, split, model) in runs:
            older += 1
            if name < runs[task, split, model][0]:
                continue
        # What is kept of a run is small; the texts of its answers are not.
        runs[task, split, model] = (
            name,
            [
                (
                    "/".join(part for part in (task, split, str(record["index"])) if part),
                    task,
                    model,
                    number(record.get("score")),
                    number(record.get("cost")),
                    number(record.get("prompt_tokens")),
                    number(record.get("completion_tokens")),
                )
                for record in records
            ],
        )
    answers = [answer for _, rows in runs.values() for answer in rows]
    if not answers:
        raise FieldError("source", str(path), "files <task>/<model>/*.json with records")
    notes = []
    if older:
        notes.append(f"{older:,} older runs of a model on the same task are left out")
    if demonstrations:
        notes.append(f"{demonstrations:,} demonstration runs are left out")
    return Source(answers, tuple(notes))


def _json_files(path: Path) -> Iterator[tuple[str, bytes]]:
    """Names with slashes, and contents, of the JSON files of a tar or a folder."""
    if path.is_dir():
        for file in sorted(path.glob("**/*/*/*.json")):
            yield file.relative_to(path.parent).as_posix(), file.read_bytes()
        return
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                parts = member.name.split("/")
                if not member.isfile() or member.name[-5:] != ".json" or len(parts) < 3:
                    continue
                stream = archive.extractfile(member)
                assert stream is not None
                yield member.name, stream.read()
    except (OSError, EOFError, tarfile.TarError) as error:
        reason = str(error).partition(":\n")[0]
        raise FieldError("source", str(path), f"a whole tar file: {reason}") from error


def is_routerarena(path: Path) -> bool:
    """Whether it is RouterArena's folder, its ``cached_results``, or a file of that."""
    files = _arena_files(path)
    return bool(files) and "global_index" in next(json_lines(files[0]), {})


def read_routerarena(path: Path) -> Source:
    """``<model>.jsonl`` with ``global_index``, ``evaluation_result`` and ``token_usage``.

    Raises:
        FieldError: if a line cannot be read.
    """
    answers: list[Answer] = []
    for file in _arena_files(path):
        for line in json_lines(file):
            result, tokens = line.get("evaluation_result") or {}, line.get("token_usage") or {}
            query = str(line["global_index"])
            answers.append(
                (
                    query,
                    query.rpartition("_")[0] or query,
                    str(line.get("llm_selected") or file.stem),
                    number(result.get("score")),
                    number(result.get("inference_cost")),
                    number(tokens.get("input_tokens")),
                    number(tokens.get("output_tokens")),
                )
            )
    listed = [folder / "model_cost" / "model_cost.json" for folder in (path, path.parent)]
    prices = next((read_prices(file) for file in listed if file.is_file()), {})
    note = "RouterArena's rules forbid fitting on its answers: evaluate with it, do not train"
    return Source(answers, (note,), prices)


def _arena_files(path: Path) -> list[Path]:
    if path.is_file():
        return [path] if ".jsonl" in path.suffixes else []
    return sorted((path / "cached_results").glob("*.jsonl")) or sorted(path.glob("*.jsonl"))


def is_llmrouter(path: Path) -> bool:
    """Whether it is LLMRouter's or xRouteBench's ``routing_data_*.jsonl``."""
    if not path.is_file() or ".jsonl" not in path.suffixes:
        return False
    return {"task_name", "model_name", "performance"} <= set(next(json_lines(path), {}))


def read_llmrouter(path: Path) -> Source:
    """A line for each query and model; prices are the user's.

    Raises:
        FieldError: if a line cannot be read.
    """
    answers: list[Answer] = []
    texts: dict[str, int] = {}
    for line in json_lines(path):
        identity = line.get("task_id")
        if identity is None:
            identity = texts.setdefault(str(line.get("query")), len(texts))
        answers.append(
            (
                f"{line['task_name']}/{identity}",
                str(line["task_name"]),
                str(line["model_name"]),
                number(line.get("performance")),
                number(line.get("cost")),
                number(line.get("input_tokens")),
                number(line.get("output_tokens")),
            )
        )
    note = "queries without task_id are told apart by their text"
    return Source(answers, (note,) if texts else ())


def is_sprout(path: Path) -> bool:
    """Whether it is SPROUT's Parquet: a struct with score and tokens for each model."""
    import polars as pl

    if path.suffix != ".parquet" or not path.is_file():
        return False
    try:
        with path.open("rb") as stream:
            return bool(_structs(pl.read_parquet_schema(stream)))
    except (OSError, pl.exceptions.PolarsError):
        return False  # reading it as a table says what is wrong


def read_sprout(path: Path) -> Source:
    """``key``, ``dataset``, and a struct a model; prices are the user's."""
    import polars as pl

    frame = pl.read_parquet(path, glob=False)
    models = _structs(frame.schema)
    tasks = frame["dataset"].to_list()
    keys = frame["key"].to_list() if "key" in frame.columns else list(range(len(frame)))
    answers: list[Answer] = []
    for model in models:
        cells: list[dict[str, Any] | None] = frame[model].to_list()
        for key, task, cell in zip(keys, tasks, cells, strict=True):
            answer = cell or {}
            answers.append(
                (
                    str(key),
                    str(task),
                    model,
                    number(answer.get("score")),
                    None,
                    number(answer.get("num_input_tokens")),
                    number(answer.get("num_output_tokens")),
                )
            )
    return Source(answers)


def _structs(schema: Any) -> list[str]:
    import polars as pl

    wanted = {"score", "num_input_tokens", "num_output_tokens"}
    return [
        name
        for name, kind in schema.items()
        if isinstance(kind, pl.Struct) and wanted <= {field.name for field in kind.fields}
    ]
