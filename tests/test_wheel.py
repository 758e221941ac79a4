"""The wheel, in a clean environment and away from the checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.mark.slow
def test_holds_two_packages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "stageroute_gym",
        "stageroute_agents",
    }
    for name in (
        "stageroute_gym/py.typed",
        "stageroute_agents/py.typed",
        "stageroute_gym/workloads/routerbench.json",
        "stageroute_agents/weights/ppo.sragent",
        "stageroute_agents/weights/generalist.sragent",
    ):
        assert name in names


@pytest.mark.slow
def test_works_in_a_clean_environment(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", tmp_path / "clean", cwd=tmp_path)
    python = tmp_path / "clean" / "bin" / "python"
    constraints = ROOT / "constraints.txt"
    run(python, "-m", "pip", "install", "--quiet", "-c", constraints, wheel, cwd=tmp_path)
    command = tmp_path / "clean" / "bin" / "stageroute"
    listed = run(command, "agents", cwd=tmp_path)
    assert "stageroute" in listed
    assert "paced-route" in listed
    short = ("--scenario", "routerbench", "--horizon", "200", "--num-stages", "3", "--seeds", "2")
    printed = run(command, "leaderboard", "--agents", "stageroute,oracle,ppo", *short, cwd=tmp_path)
    assert "score / horizon oracle" in " ".join(printed.split())
    assert (tmp_path / "results" / "results.parquet").is_file()
