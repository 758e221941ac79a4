"""Compiled kernels where nothing can be cached, and what a user is told."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CODE = (
    "import numba.core.caching as caching\n"
    # As on a read-only disk without a home: no folder for the cache can be made.
    "def refuse(self): raise PermissionError('read-only')\n"
    "caching._CacheLocator.ensure_cache_path = refuse\n"
    "import gymnasium, stageroute_gym\n"
    "env = gymnasium.make('StageRoute-v0', horizon=20, num_stages=2)\n"
    "env.reset(seed=0)\n"
    "print(env.step(3)[0]['deployed'].tolist())\n"
)


@pytest.mark.slow
def test_without_a_place_for_a_cache_it_runs_and_says_so_once():
    env = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", CODE], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("[0.0, 0.0, 0.0, 1.0")
    (line,) = done.stderr.splitlines()
    assert "set NUMBA_CACHE_DIR" in line


def test_every_kernel_is_compiled_by_the_decorators_that_fall_back():
    direct = re.compile(r"^\s*(from numba import.*\b(njit|jit|vectorize)\b|import numba\b)", re.M)
    sources = [*ROOT.glob("stageroute_gym/**/*.py"), *ROOT.glob("agents/**/*.py")]
    found = [path.name for path in sources if direct.search(path.read_text(encoding="utf-8"))]
    assert found == ["compiling.py"]
