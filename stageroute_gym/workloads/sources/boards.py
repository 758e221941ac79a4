"""Files by query: generic JSON lines, and SWE-bench's boards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from stageroute_gym.errors import FieldError
from stageroute_gym.workloads.sources.answers import Answer, Source, json_lines, number

_SHOWN = 5
_START = 2**20


def is_json_lines(path: Path) -> bool:
    """Whether it is JSON lines, or an array, with an object ``models``."""
    if not path.is_file() or not {".jsonl", ".ndjson", ".json"} & set(path.suffixes):
        return False
    if path.suffix == ".json" and not _is_array_of_models(path):
        return False
    return isinstance(next(json_lines(path), {}).get("models"), dict)


def _is_array_of_models(path: Path) -> bool:
    """Whether a JSON document begins like one, so that it is worth to be read for a look."""
    with path.open("rb") as stream:
        start = stream.read(_START)
    return start.lstrip().startswith(b"[") and b'"models"' in start


def read_json_lines(path: Path) -> Source:
    """``{"prompt", "dataset", "models": {model: {"score", "cost"}}}``, a line a query.

    Raises:
        FieldError: if a line cannot be read.
    """
    answers: list[Answer] = []
    for place, line in enumerate(json_lines(path)):
        query = str(line.get("query_id", line.get("id", f"q{place}")))
        for model, answer in line["models"].items():
            answers.append(
                (
                    query,
                    str(line.get("dataset", line.get("task", "all"))),
                    model,
                    number(answer.get("score")),
                    number(answer.get("cost")),
                    number(answer.get("input_tokens")),
                    number(answer.get("output_tokens")),
                )
            )
    return Source(answers)


def is_swebench(path: Path) -> bool:
    """Whether it is SWE-bench's ``leaderboards.json``."""
    if not path.is_file() or path.suffix != ".json":
        return False
    return b"per_instance_details" in path.read_bytes()


def read_swebench(path: Path) -> Source:
    """The board with the most entries that tell each instance; an entry is a model.

    Raises:
        FieldError: if it is no JSON, or no entry tells its instances with their costs.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FieldError("source", str(path), f"JSON: {error}") from error
    boards = content["leaderboards"] if isinstance(content, dict) else content
    told = {str(board.get("name")): _entries(board) for board in boards}
    name = max(told, key=lambda board: len(told[board]))
    answers: list[Answer] = []
    free = []
    names = [str(entry.get("name")) for entry in told[name]]
    twice = {each for each in names if names.count(each) > 1}
    for entry in told[name]:
        # A name says the agent and the model, not the run.
        label = str(entry["name"])
        if label in twice:
            label = f"{label} {entry.get('folder') or entry.get('date')}"
        details = entry["per_instance_details"]
        costs = [number(each.get("cost")) for each in details.values()]
        if not any(costs):
            free.append(label)
            continue
        for (instance, each), cost in zip(details.items(), costs, strict=True):
            task = instance.rpartition("-")[0].replace("__", "/") or instance
            resolved = number(each.get("resolved"))
            answers.append((instance, task, label, resolved, cost, None, None))
    if not answers:
        raise FieldError("source", str(path), "entries whose per_instance_details have costs")
    notes = [f"board {name!r}, of {len(told)}; a task is an instance's repository"]
    if twice:
        notes.append(f"entries of one name have their folder behind it: {', '.join(sorted(twice))}")
    if free:
        more = f" and {len(free) - _SHOWN} more" if len(free) > _SHOWN else ""
        notes.append(
            f"{len(free)} entries whose costs are null or 0 are left out, since that is no price: "
            f"{', '.join(free[:_SHOWN])}{more}"
        )
    return Source(answers, tuple(notes))


def _entries(board: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries of a board that tell their instances."""
    results = board.get("results", board.get("entries", []))
    return [entry for entry in results if entry.get("per_instance_details")]
