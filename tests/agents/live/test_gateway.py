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
REQUESTS, CLIENTS, BUDGET = 5_000, 8, 6e-5
# USD, of the dearest model.
DEAREST = 5e-4

# Its proxy asks for other versions than constraints.txt pins. There, a test that is skipped fails.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        find_spec("litellm") is None, reason="runs in an environment of its own: make gateway"
    ),
]


def figures(module: str, tmp_path: Path) -> dict:
    """What a run of the example returns, in a process of its own: LiteLLM keeps globals."""
    call = (
        f"{module}.run({REQUESTS}, {CLIENTS}, {BUDGET}, 'paced-route', pathlib.Path(sys.argv[1]))"
    )
    code = f"import json, {module}, pathlib, sys; print('figures', json.dumps({call}))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "store" if module == "gateway" else tmp_path)],
        cwd=EXAMPLE,
        env=os.environ | {"PYTHONPATH": str(EXAMPLE)},
        capture_output=True,
        text=True,
        timeout=590,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    line = next(text for text in done.stdout.splitlines() if text.startswith("figures "))
    return json.loads(line.removeprefix("figures "))


def test_a_gateway_keeps_its_budget_through_a_restart(tmp_path):
    found = figures("gateway", tmp_path)
    report = found["report"]
    assert found["answered"] + found["failed"] + found["refused"] == REQUESTS
    assert found["answered"] > 0.9 * REQUESTS
    assert found["failed"] > 0
    # By no more than the last requests in flight cost.
    assert report["total_spend"] <= report["budget"] + CLIENTS * DEAREST
    assert report["total_spend"] == pytest.approx(found["billed"])
    assert report["routed"] == found["answered"] + found["failed"] == report["scored"]
    assert report["without_outcome"] == 0


def test_a_proxy_that_is_killed_loses_no_record_and_keeps_its_budget(tmp_path):
    found = figures("proxy", tmp_path)
    statuses, before, after, report = (
        found[name] for name in ("statuses", "before", "after", "report")
    )
    assert sum(statuses.values()) == REQUESTS
    assert set(statuses) == {"200", "503", "cut off"} | ({"400", "429"} & set(statuses))
    assert statuses["200"] > 0.9 * REQUESTS
    assert statuses["cut off"] <= CLIENTS
    # What had been recorded before the kill is there after it.
    for name in ("routed", "scored", "total_spend"):
        assert after[name] >= before[name] > 0
    # Those whose outcome the killed process took with it are charged as they are expected to cost.
    assert report["routed"] == report["scored"] + report["lost"]
    assert 0 < report["lost"] == report["without_outcome"] <= 2 * CLIENTS
    assert found["billed"] == pytest.approx(report["total_spend"], abs=report["lost"] * DEAREST)
    assert found["billed"] <= report["budget"] + CLIENTS * DEAREST
    # Added while the proxy served.
    assert after["models"]["newcomer"]["outcomes"] == 0
    assert report["models"]["newcomer"]["outcomes"] > 0
