"""The READMEs' Python blocks run as they stand, and the files that they name exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("block", BLOCKS)
def test_block_runs(block, tmp_path):
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
