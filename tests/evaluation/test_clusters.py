"""The same bytes on a Dask and on a Ray cluster of two workers as from local processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from players import __file__ as players_file

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.clusters import make_backend

PROGRAM = """
import sys
from stageroute_gym.cli import main

if __name__ == "__main__":
    if sys.argv[1] == "dask":
        from distributed import LocalCluster
        cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
        import dask
        dask.config.set({"scheduler-address": cluster.scheduler_address})
    else:
        import ray
        ray.init(num_cpus=2, log_to_driver=False, include_dashboard=False)
    sys.argv = ["stageroute", "leaderboard", "--backend", *sys.argv[1:]]
    main()
"""
GIVEN = (
    *("--scenario", "routerbench", "--scenario", "drift", "--horizon", "200", "--num-stages", "4"),
    *("--seeds", "2"),
)


def run(code: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    script = folder / "script.py"
    script.write_text(code)
    return subprocess.run(
        [sys.executable, str(script), *arguments, *GIVEN],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(players_file).parent)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.slow
@pytest.mark.parametrize(("backend", "library"), [("dask", "distributed"), ("ray", "ray")])
def test_a_cluster_gives_the_bytes_of_local_processes_and_loses_nothing(
    tmp_path: Path, backend: str, library: str
) -> None:
    pytest.importorskip(library)
    agents = "players:Even,players:Shares,uniform"
    # One of the workers is ended, again and again, by an agent.
    done = run(PROGRAM, tmp_path, backend, "--agents", f"{agents},players:Dies", "--out", "far")
    assert done.returncode == 1, done.stderr
    # Dask's own log says on the same stream which of its workers ended.
    said = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    expected = "error: agent players:Dies on scenario drift: its worker ended"
    assert len(said) == 2, done.stderr
    assert said[-1].startswith(expected)
    plain = "from stageroute_gym.cli import main\nif __name__ == '__main__': main()\n"
    local = run(plain, tmp_path, "leaderboard", "--agents", agents, "--out", "near")
    assert local.returncode == 0, local.stderr
    for name in ("results.parquet", "stages.parquet"):
        assert (tmp_path / "far" / name).read_bytes() == (tmp_path / "near" / name).read_bytes()
    assert len(pl.read_parquet(tmp_path / "far" / "results.parquet")) == 12


@pytest.mark.parametrize(
    ("field", "arguments"),
    [("backend", ("spark",)), ("jobs", ("dask", 2)), ("jobs", ("loky", 0))],
)
def test_wrong_backends_are_named(field: str, arguments: tuple[Any, ...]) -> None:
    if arguments[0] == "dask":
        pytest.importorskip("distributed")
    with pytest.raises(FieldError) as caught:
        make_backend(*arguments)
    assert caught.value.field == field


def test_a_backend_that_is_not_installed_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stageroute_gym.extras.find_spec", lambda name: None)
    with pytest.raises(FieldError, match=r"stageroute-gym\[ray\]"):
        make_backend("ray")
