"""The router in LiteLLM's own router and proxy, against invented models on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[3] / "examples" / "litellm_gateway"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("litellm") is None, reason="needs the extra `litellm`"),
]


def figures(module: str, call: str, tmp_path: Path) -> dict:
    """What a function of the example returns, in a process of its own: LiteLLM keeps globals."""
    code = f"import json, {module}, pathlib; print('figures', json.dumps({module}.{call}))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=EXAMPLE,
        env=os.environ | {"PYTHONPATH": str(EXAMPLE)},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    line = next(text for text in done.stdout.splitlines() if text.startswith("figures "))
    return json.loads(line.removeprefix("figures "))


def test_a_gateway_keeps_its_budget_through_a_restart(tmp_path):
    store = tmp_path / "store"
    call = f"run(300, 8, 6e-5, 'paced-route', pathlib.Path({str(store)!r}))"
    found = figures("gateway", call, tmp_path)
    report = found["report"]
    assert found["answered"] + found["failed"] + found["refused"] == 300
    assert found["answered"] > 150
    assert found["failed"] > 0
    # What the last requests in flight may exceed it by, at 5e-4 USD each.
    assert report["total_spend"] <= report["budget"] + 8 * 5e-4
    assert report["routed"] == found["answered"] + found["failed"] == report["scored"]
    assert report["without_outcome"] == 0


@pytest.mark.skipif(find_spec("fastapi") is None, reason="needs `litellm[proxy]`")
def test_the_proxy_serves_what_the_router_chooses(tmp_path):
    call = f"run(80, 8, 1e-3, 'stageroute', pathlib.Path({str(tmp_path)!r}))"
    found = figures("proxy", call, tmp_path)
    statuses, report = found["statuses"], found["report"]
    assert sum(statuses.values()) == 80
    assert set(statuses) <= {"200", "503"}
    assert statuses["200"] >= 60
    assert report["routed"] == report["scored"] == 80
