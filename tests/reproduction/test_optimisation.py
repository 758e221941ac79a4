"""The part about the cost of optimisation: counts, agreement, and times apart."""

from __future__ import annotations

import ctypes
import json

import pytest

from stageroute_gym.benchmark.quiet import nothing_printed
from stageroute_gym.errors import FieldError
from stageroute_gym.reproduction.exhibits import optimisation as exhibit
from stageroute_gym.reproduction.manifest import read_manifest
from stageroute_gym.reproduction.parts import optimisation

SMALL = {
    "models": (11, 5),
    "slots": (5, 3),
    "rounds": 1,
    "round_seconds": 1e-4,
    "scenarios": ("routerbench",),
    "memory_models": (),
}


def settings(**changes):
    full = read_manifest()["optimisation"].settings
    return optimisation.Settings(**{**full, **SMALL, **changes})


@pytest.fixture(scope="module")
def measured():
    return optimisation.measure(settings(), {}, lambda line: None)


def test_times_are_apart_from_the_results(measured):
    assert "microseconds" not in json.dumps(measured.summary)
    assert measured.summary["episodes"] == [
        {"scenario": "routerbench", "models": 11, "slots": 5, "RouteOPT": 10_000, "DeployOPT": 22}
    ]
    places = {(r["programme"], r["models"], r["slots"]) for r in measured.timings["times"]}
    assert places == {
        ("RouteOPT", 5, 5),
        ("DeployOPT", 5, 5),
        ("DeployOPT", 11, 5),
        ("DeployOPT", 11, 3),
        ("DeployOPT, scarce slots", 11, 5),
    }
    assert all(row["microseconds"] > 0 for row in measured.timings["times"])


def test_all_solvers_agree(measured):
    for row in measured.summary["agreement"]:
        assert "scipy" in row["differences"]
        assert all(power is None or power <= -6 for power in row["differences"].values())


def test_what_is_shown_can_be_drawn(measured):
    assert [chart.chart.to_dict() is not None for chart in exhibit.charts(measured)] == [True]
    for each in exhibit.tables(measured.summary):
        assert all(len(row) == len(each.table.columns) for row in each.table.rows)


def test_compiled_code_prints_nothing_meanwhile(capfd):
    library = ctypes.CDLL(None)
    with nothing_printed():
        library.puts(b"licence")
    library.puts(b"result")
    library.fflush(None)
    assert capfd.readouterr().out == "result\n"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"models": (12,)}, "models = 12"),
        ({"slots": (5, 2)}, "slots = 2"),
        ({"slots": (4,)}, "slots = 4"),
        ({"scenarios": ("nowhere",)}, "nowhere"),
        ({"rounds": 0}, "rounds = 0"),
    ],
)
def test_settings_that_are_not_allowed_are_told(changes, message):
    with pytest.raises(FieldError, match=message):
        settings(**changes)
