"""The part about sensitivities: one setting at a time, the base once."""

from __future__ import annotations

import json

import pytest

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.leaderboard import run_leaderboard
from stageroute_gym.report.results import read_results
from stageroute_gym.reproduction.exhibits import sensitivity as exhibit
from stageroute_gym.reproduction.manifest import read_manifest
from stageroute_gym.reproduction.parts import sensitivity

SMALL = {
    "overrides": {"horizon": 200, "num_stages": 4},
    "fields": {"num_stages": (2, 4), "feedback_delay": (0, 10, 100)},
    "pools": (11, 30),
    "arrivals": (3,),
    "gammas": (0.1, 1.0),
    "entries": ("stageroute", "oracle"),
    "seeds": 2,
}


def settings(**changes):
    return sensitivity.Settings(**{**read_manifest()["sensitivity"].settings, **SMALL, **changes})


def test_the_base_is_one_scenario_and_each_variant_differs_in_one_thing():
    found = sensitivity.variants(settings())
    assert [(factor, value) for factor, value, _ in found] == [
        *[("num_stages", 2), ("num_stages", 4)],
        *[("feedback_delay", 0), ("feedback_delay", 10), ("feedback_delay", 100)],
        *[("pool", 11), ("pool", 30), ("arrivals", 3)],
    ]
    base = next(scenario for _, _, scenario in found if scenario.name == sensitivity.BASE)
    assert [s.name for _, _, s in found].count(sensitivity.BASE) == 2
    delayed = found[4][2]
    assert delayed.problem == base.problem.replace(feedback_delay=100)
    pool, arriving = found[6][2].world().schedule, found[7][2].world().schedule
    assert pool.available.shape == (4, 30)
    assert pool.available.all()
    assert arriving.available.sum(axis=1).tolist() == [12, 12, 13, 13]


@pytest.mark.slow
def test_a_small_run_has_all_rows(tmp_path):
    small = settings()
    results = {}
    for name, board in sensitivity.boards(small).items():
        run_leaderboard(board, tmp_path / name)
        results[name] = read_results(tmp_path / name, "out")
    measured = sensitivity.measure(small, results, lambda line: None)
    summary = json.loads(json.dumps(measured.summary))
    rows = {(row["factor"], row["value"], row["entry"]): row for row in summary["rows"]}
    assert len(rows) == 8 * 2 + 2
    assert rows["num_stages", 4, "oracle"]["score"] == rows["feedback_delay", 0, "oracle"]["score"]
    assert rows["gamma", 0.1, "stageroute"]["score"] == rows["num_stages", 4, "stageroute"]["score"]
    delay = next(
        r for r in summary["ranges"] if (r["factor"], r["entry"]) == ("gamma", "stageroute")
    )
    assert delay["low"] <= delay["high"]
    assert delay["elasticity"]["mean"] is not None
    assert len(exhibit.charts(measured)) == 1
    assert exhibit.charts(measured)[0].chart.to_dict()
    tables = exhibit.tables(summary)
    assert len(tables) == 1 + 5
    assert all(len(row) == len(each.table.columns) for each in tables for row in each.table.rows)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fields": {"slots": (1, 2)}}, "fields = 'slots'"),
        ({"fields": {"num_stages": (1, 2)}}, "fields.num_stages .* with 4 among them"),
        ({"pools": (5,)}, "pools = 5"),
        ({"seeds": 1}, "seeds = 1"),
    ],
)
def test_settings_that_are_not_allowed_are_told(changes, message):
    with pytest.raises(FieldError, match=message):
        settings(**changes)
