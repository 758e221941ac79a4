"""Each trick in the kernels has to earn its place: without it they are slower."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.slow,
    pytest.mark.xdist_group("benchmark"),
]

FOLDER = Path(__file__).parent
ATTEMPTS = 3


def _nanoseconds(trick: str, cache: Path) -> float:
    environment = os.environ | {
        "NUMBA_CACHE_DIR": str(cache / trick),
        "PYTHONPATH": str(FOLDER.parent),
    }
    done = subprocess.run(
        [sys.executable, str(FOLDER / "kernel_probe.py"), trick],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


@pytest.mark.parametrize(("trick", "at_least"), [("counting", 2.0)])
def test_without_the_trick_a_step_takes_longer(trick, at_least, tmp_path):
    ratios: list[float] = []
    while len(ratios) < ATTEMPTS and not any(ratio >= at_least for ratio in ratios):
        without, with_all = _nanoseconds(trick, tmp_path), _nanoseconds("none", tmp_path)
        ratios.append(without / with_all)
        print(f"a step without {trick}: {ratios[-1]:.2f} times as long, {at_least:g} wanted")
    assert max(ratios) >= at_least
