"""The READMEs' Python blocks run as they stand, and the files that they name exist."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stageroute_gym.context import AgentContext
from stageroute_gym.problem import Problem

ROOT = Path(__file__).parent.parent
TEXTS = {name: (ROOT / name).read_text() for name in ("README.md", "agents/README.md")}
GUIDES = {f"docs/{path.name}": path.read_text() for path in sorted((ROOT / "docs").glob("*.md"))}
BLOCKS = [
    pytest.param(block, id=f"{name}-{number}")
    for name, text in {**TEXTS, **GUIDES}.items()
    for number, block in enumerate(re.findall(r"(?ms)^```python\n(.*?)^```", text))
]


def test_has_blocks():
    assert len(BLOCKS) >= 2


def as_advised() -> str:
    """What `stageroute advise --context router.json`, a line above a block, writes."""
    problem = Problem(horizon=50_000, num_stages=22, max_deployed=2, budget=4e-4)
    context = AgentContext(
        problem=problem,
        models=("birch", "cedar"),
        list_prices=(2e-4, 1e-3),
        cost_bounds=(1e-5, 1e-2),
        num_features=2,
        actions="continuous",
        num_tasks=2,
        feature_names=("task:chat", "task:code"),
    )
    return json.dumps(context.to_dict())


@pytest.mark.parametrize("block", BLOCKS)
def test_block_runs(block, tmp_path):
    if "router.json" in block:
        (tmp_path / "router.json").write_text(as_advised())
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_named_files_exist(text):
    named = re.findall(
        r"`(examples/[\w/]+\.py|agents/README\.md|docs/\w+\.md|RESULTS\.md|CITATION\.cff)`", text
    )
    assert named
    for name in named:
        assert (ROOT / name).is_file(), name
