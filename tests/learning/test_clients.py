"""The clients that other libraries' users write; each runs if its library is installed."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

CLIENTS = Path(__file__).resolve().parents[2] / "examples" / "clients"
# File, the libraries that it needs, its arguments, and what it prints at the end.
CASES = [
    ("cleanrl_ppo.py", ["torch"], ["--iterations", "2"], "iteration 1: reward of a decision"),
    ("torchrl_env.py", ["torchrl"], [], "StageRouteContinuous-v0: "),
    ("tianshou_collector.py", ["tianshou"], [], "forbidden actions: 0"),
    ("minari_dataset.py", ["minari", "jax", "h5py"], [], "episode 2: "),
    ("rllib_ppo.py", ["ray"], ["--iterations", "1"], "iteration 0: mean return"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "libraries", "arguments", "shown"), CASES)
def test_client_runs(
    name: str, libraries: list[str], arguments: list[str], shown: str, tmp_path: Path
) -> None:
    for library in libraries:
        if importlib.util.find_spec(library) is None:
            pytest.skip(f"{library} is not installed: see examples/clients/README.md on its needs")
    command = [sys.executable, "-W", "ignore", str(CLIENTS / name), *arguments]
    # Minari keeps its datasets below the home folder, unless told otherwise.
    environment = {**os.environ, "MINARI_DATASETS_PATH": str(tmp_path / "minari")}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert shown in done.stdout


def test_all_clients_are_tested() -> None:
    assert {path.name for path in CLIENTS.glob("*.py")} == {name for name, *_ in CASES}
