"""RESULTS.md: written from the figures of a reproduction, never by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import stageroute_gym
from stageroute_gym.errors import FieldError
from stageroute_gym.report.tables import markdown
from stageroute_gym.reproduction.claims import choices_table, claims_table, dropped_table
from stageroute_gym.reproduction.folder import ReproductionFolder
from stageroute_gym.reproduction.manifest import Part
from stageroute_gym.reproduction.part import Table

RESULTS = "results.json"
MARKDOWN = "RESULTS.md"


def command_of(names: Sequence[str] = (), *, quick: bool, data: bool = False) -> str:
    """The command that runs parts; all where none is named."""
    options = [*(["--data FILE"] if data else []), *(["--quick"] if quick else [])]
    return " ".join(["stageroute reproduce", *names, *options])


def results_of(parts: Sequence[Part], folder: ReproductionFolder) -> dict[str, Any]:
    """The summaries of all parts that are done, JSON-native: all that `render` needs.

    Args:
        parts: the parts of the manifest, in their order.
        folder: the folder.
    """
    done = {part.name: part for part in parts if folder.read(part) is not None}
    return {
        "version": stageroute_gym.__version__,
        "quick": folder.quick,
        "parts": {
            name: {
                "title": part.title,
                "about": part.about,
                "module": part.module,
                "needs_data": part.needs_data,
                "summary": _summary(folder, part),
            }
            for name, part in done.items()
        },
    }


def read_results(path: str | Path, field: str = "render") -> dict[str, Any]:
    """The results of a reproduction, from its ``results.json``.

    Args:
        path: the file.
        field: name of the option that holds the path, for errors.

    Raises:
        FieldError: if the file cannot be read or is none.
    """
    try:
        results = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FieldError(field, str(path), f"a readable {RESULTS}; {error}") from error
    if not isinstance(results, dict) or not {"version", "quick", "parts"} <= set(results):
        raise FieldError(field, str(path), f"a {RESULTS} that stageroute reproduce wrote")
    return results


def render(results: Mapping[str, Any]) -> str:
    """RESULTS.md.

    Args:
        results: as `results_of` returns them.
    """
    command = command_of(quick=results["quick"])
    parts = results["parts"]
    blocks = [
        "# Results",
        f"Written by `{command}` of stageroute-gym {results['version']}, which also draws the "
        "charts; every figure is computed, none typed. Change nothing here by hand.",
        "\n".join(f"- [{found['title']}](#{_anchor(found['title'])})" for found in parts.values()),
        "## Claims of the paper",
        _tables([claims_table(results)]),
    ]
    for name, found in parts.items():
        needs_data = found["needs_data"]
        part = Part(name, found["title"], found["about"], found["module"], {}, needs_data)
        own = command_of([name], quick=results["quick"], data=needs_data)
        blocks += [f"## {part.title}", *([part.about] if part.about else []), f"    {own}"]
        blocks.append(_tables(part.showing().tables(found["summary"])))
    blocks += ["## What was tried and dropped", _tables([dropped_table()])]
    blocks += ["## Settings that had to be chosen", _tables([choices_table()])]
    return "\n\n".join(block.strip("\n") for block in blocks if block) + "\n"


def _anchor(title: str) -> str:
    """What a heading is linked by: letters, digits and dashes."""
    kept = "".join(sign for sign in title.lower() if sign.isalnum() or sign in " -_")
    return kept.replace(" ", "-")


def _summary(folder: ReproductionFolder, part: Part) -> dict[str, Any]:
    found = folder.read(part)
    return {} if found is None else found.summary


def _tables(tables: Sequence[Table]) -> str:
    return "\n".join(markdown([each.table], each.notes) for each in tables)
