"""The command ``strata``."""

from __future__ import annotations

import pytest
from command import Stageroute

pytestmark = pytest.mark.slow

WORLDS = "worlds-tune-2,worlds-tune-3,worlds-tune-9"
SHORT = ["--seeds", "2", "--horizon", "60", "--jobs", "1"]


def test_entries_over_worlds_and_one_by_stratum(stageroute: Stageroute) -> None:
    agents = "cheapest,uniform,oracle"
    ran = stageroute("leaderboard", "--scenario", WORLDS, "--agents", agents, *SHORT)
    assert ran.code == 0, ran.err
    shown = stageroute("strata", "results", "--entry", "uniform")
    assert shown.code == 0, shown.err
    assert "3 worlds" in shown.out
    assert "uniform against each other entry" in shown.out
    assert "uniform by stratum" in shown.out
    assert "budget: middle" in shown.out
    assert "models: few (2-10)" in shown.out
    wrong = stageroute("strata", "results", "--entry", "uniforn")
    assert (wrong.code, "'uniform', the nearest name" in wrong.err) == (2, True)


def test_a_leaderboard_without_strata_is_told(stageroute: Stageroute) -> None:
    arguments = ["--scenario", "routerbench", "--agents", "cheapest,uniform", *SHORT]
    assert stageroute("leaderboard", *arguments, "--num-stages", "2").code == 0
    shown = stageroute("strata", "results")
    assert shown.code == 2
    assert "dir = 'routerbench': expected a leaderboard of scenarios that have strata" in shown.err
