from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from stageroute_gym.errors import FieldError
from stageroute_gym.reproduction.command import reproduce
from stageroute_gym.reproduction.manifest import read_manifest


def invoke(*arguments: str):
    app = typer.Typer()
    app.command()(reproduce)
    return CliRunner().invoke(app, list(arguments))


def test_the_list_names_every_part_and_what_it_needs():
    shown = invoke("--list").output.splitlines()
    parts = read_manifest()
    assert [line.partition(":")[0] for line in shown] == list(parts)
    needing = [line.partition(":")[0] for line in shown if line.endswith("(needs --data)")]
    assert needing == [name for name, part in parts.items() if part.needs_data]


def test_kept_results_are_printed_as_markdown(tmp_path: Path):
    file = tmp_path / "results.json"
    row = {"agent": "stageroute", "entry": "without <a> part", "scenario": "paper"}
    row["ahead"] = {"mean": 0.02, "low": 0.01, "high": 0.03}
    part = {
        "title": "What the parts are worth",
        "about": "One part off each.",
        "module": "ablations",
        "needs_data": False,
        "summary": {
            "rows": [row],
            "scenarios": ["paper"],
            "seeds": 3,
            "worlds": {"suite": "worlds-tune", "number": 4, "seeds": 2, "agents": []},
        },
    }
    content = {"version": "9.9", "quick": True, "parts": {"parts": part}}
    file.write_text(json.dumps(content))
    shown = invoke("--render", str(file)).output
    assert "Written by `stageroute reproduce --quick` of stageroute-gym 9.9" in shown
    assert "- [What the parts are worth](#what-the-parts-are-worth)" in shown
    assert "    stageroute reproduce parts --quick" in shown
    assert "| paper | +2.0 ± 1.0 |" in shown
    assert "| scenario | without \\<a> part |" in shown
    assert "| Greedy | two readings" in shown


@pytest.mark.parametrize("content", ["{", "[]", '{"parts": {}}'])
def test_what_no_reproduction_wrote_is_refused(tmp_path: Path, content: str):
    file = tmp_path / "results.json"
    file.write_text(content)
    raised = invoke("--render", str(file)).exception
    assert isinstance(raised, FieldError)
    assert raised.field == "render"
