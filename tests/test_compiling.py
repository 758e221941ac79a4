"""Compiled kernels where nothing can be cached, and what a user is told."""

from __future__ import annotations

import os
import re
import shutil
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


COUNT = (
    "import numba.core.event as event\n"
    "class Counter(event.Listener):\n"
    "    count = 0\n"
    "    def on_start(self, _): Counter.count += 1\n"
    "    def on_end(self, _): pass\n"
    "event.register('numba:compile', Counter())\n"
    "import gymnasium, stageroute_gym\n"
    "env = gymnasium.make('StageRoute-v0', horizon=20, num_stages=2)\n"
    "print(env.reset(seed=0)[0]['tokens'][0], Counter.count)\n"
)


@pytest.mark.slow
def test_a_change_in_what_a_kernel_calls_compiles_it_anew_and_once(tmp_path):
    """As when a newer version is installed over an older one."""
    for package in ("stageroute_gym", "agents/stageroute_agents"):
        shutil.copytree(
            ROOT / package,
            tmp_path / Path(package).name,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    env = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    env["PYTHONPATH"] = str(tmp_path)

    def play() -> tuple[float, bool]:
        # In that folder, since it is where the interpreter looks first.
        done = subprocess.run(
            [sys.executable, "-c", COUNT],
            env=env,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        tokens, compilations = done.stdout.split()
        return float(tokens), int(compilations) > 0

    assert [play(), play()] == [(20.0, True), (20.0, False)]
    rules = tmp_path / "stageroute_gym" / "simulator" / "rules.py"
    source = rules.read_text(encoding="utf-8")
    changed = source.replace("burst = world.settings[BURST]", "burst = 0.5 * world.settings[BURST]")
    rules.write_text(changed, encoding="utf-8")
    assert [play(), play()] == [(10.0, True), (10.0, False)]
    # The cache on disk now names a type that is gone.
    for path in tmp_path.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        path.write_text(source.replace("EpisodeArrays", "ArraysOfEpisodes"), encoding="utf-8")
    assert [play(), play()] == [(10.0, True), (10.0, False)]


def test_every_kernel_is_compiled_by_the_decorators_that_fall_back():
    direct = re.compile(r"^\s*(from numba import.*\b(njit|jit|vectorize)\b|import numba\b)", re.M)
    sources = [*ROOT.glob("stageroute_gym/**/*.py"), *ROOT.glob("agents/**/*.py")]
    found = [path.name for path in sources if direct.search(path.read_text(encoding="utf-8"))]
    assert found == ["compiling.py"]
