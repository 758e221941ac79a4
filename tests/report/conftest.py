from __future__ import annotations

from pathlib import Path

import pytest

from stageroute_gym.evaluation.backends import LocalProcesses
from stageroute_gym.evaluation.leaderboard import run_leaderboard
from stageroute_gym.evaluation.trials import LeaderboardSettings
from stageroute_gym.report.results import Results, read_results

ENTRIES = ["greedy-ratio", "cheapest", "a <b> & c=uniform", "oracle", "stageroute"]


@pytest.fixture(scope="session")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small leaderboard: a model leaves and comes back, and models arrive."""
    settings = LeaderboardSettings.checked(
        agents=ENTRIES,
        scenarios=["outage", "routerbench"],
        seeds=[0, 1, 2],
        horizon=1100,
        num_stages=11,
    )
    out = tmp_path_factory.mktemp("board") / "out"
    run_leaderboard(settings, out, backend=LocalProcesses(2))
    return out


@pytest.fixture(scope="session")
def results(board: Path) -> Results:
    return read_results(board)
