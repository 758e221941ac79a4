"""What the parts of an agent are worth over worlds, from scores made by hand."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.measures import SCORE
from stageroute_gym.reproduction.exhibits import ablations as exhibit
from stageroute_gym.reproduction.manifest import read_manifest
from stageroute_gym.reproduction.parts.ablations import boards, over_random_worlds

WHOLE = [0.9, 0.8, 0.7, 0.6]
EPISODES = pl.DataFrame(
    [
        {"entry": entry, "scenario": f"w{world}", "seed": seed, SCORE: score + apart}
        for entry, scores in (
            ("whole", WHOLE),
            ("without a", [0.8, 0.7, 0.6, 0.5]),
            ("without b", WHOLE),
        )
        for world, score in enumerate(scores)
        for seed, apart in ((0, 0.01), (1, -0.01))
    ]
)


def test_the_worth_of_a_part_is_paired_by_world():
    found = over_random_worlds(EPISODES, "whole", ["without a", "without b"])
    assert found["agent"]["mean"] == pytest.approx(0.75)
    assert found["agent"]["middle"] == pytest.approx(0.75)
    helping, idle = found["without"]
    assert (helping["entry"], helping["verdict"], helping["changed"]) == ("without a", "ahead", 4)
    assert helping["worth"]["mean"] == pytest.approx(0.1)
    assert helping["worth_middle"]["mean"] == pytest.approx(0.1)
    assert (idle["worth"]["mean"], idle["verdict"], idle["changed"]) == (0.0, "-", 0)


def test_the_tables_show_scenarios_and_worlds():
    worth: dict[str, Any] = {"agent": "whole", "entry": "without a", "scenario": "s"}
    summary = {
        "rows": [{**worth, "ahead": {"mean": 0.01, "low": 0.0, "high": 0.02}}],
        "scenarios": ["s"],
        "seeds": 2,
        "worlds": {
            "suite": "worlds-tune",
            "number": 4,
            "seeds": 2,
            "agents": [over_random_worlds(EPISODES, "whole", ["without a", "without b"])],
        },
    }
    by_scenario, over_worlds = (each.table for each in exhibit.tables(summary))
    assert by_scenario.rows == (("s", "+1.0 ± 1.0"),)
    assert [row[0] for row in over_worlds.rows] == ["whole", "without a", "without b"]
    assert over_worlds.rows[1][4:] == ("+10.0 ± 0.0", "+10.0 (+10.0 to +10.0)", "helps", "4 of 4")
    assert all(len(row) == len(over_worlds.columns) for row in over_worlds.rows)


def test_both_leaderboards_are_checked_before_anything_runs():
    part = read_manifest(quick=True)["ablations"]
    found = boards(part.checked())
    assert [len(board.scenarios) for board in found.values()] == [2, 4]
    with pytest.raises(FieldError, match="suite"):
        boards(type(part.checked())(**{**part.settings, "suite": "nowhere"}))
