"""The part about the law of the regret: instances by hand, and what a small run comes to."""

from __future__ import annotations

import math

import polars as pl
import pytest

from stageroute_gym.errors import FieldError
from stageroute_gym.reproduction.exhibits import law as exhibit
from stageroute_gym.reproduction.manifest import read_manifest
from stageroute_gym.reproduction.parts import law
from stageroute_gym.reproduction.parts.law_instances import (
    DISCOVERY,
    INSTANCES,
    LATE,
    NOISE,
    RULES,
    theory_gamma,
    unavoidable,
    waiting_cost,
)

SMALL = {
    "horizons": (200, 400, 800),
    "tail": 400,
    "many_horizon": 400,
    "other_horizons": (200, 400),
    "others": ("uniform",),
    "seeds": 3,
    "few_seeds": 2,
    "term_horizon": 1000,
    "term_stages": (4, 8),
    "term_slots": (4, 8),
    "term_models": (32, 64),
    "difficulties": (0.5, 1.0),
}


def settings(**changes):
    full = read_manifest()["law"].settings
    return law.Settings(**{**full, **SMALL, **changes})


@pytest.fixture(scope="module")
def measured():
    return law.measure(settings(), {}, lambda line: None)


def test_the_confidence_scale_is_hoeffdings():
    # 2 sqrt(gamma / 2 n) is the deviation that exp(-2 n d^2) = 1 / (N T) gives.
    gamma, pulls = theory_gamma(8, 1000), 50
    deviation = 2 * math.sqrt(gamma * 0.5 / pulls)
    assert math.exp(-2 * pulls * deviation**2) == pytest.approx(1 / 8000)
    entry = law.entry_of("of theory=stageroute(gamma={gamma})", 8, 1000)
    assert entry.parameters == {"gamma": gamma}
    assert entry.label == "of theory"
    assert law.entry_of("stageroute", 8, 1000).parameters == {}


def test_rules_for_k_and_slots_are_those_of_the_theory():
    assert [RULES[name](1_000_000) for name in RULES] == [100, 3, 10_000]
    for name in (LATE, DISCOVERY):
        scenario = INSTANCES[name].at(1000, 10)
        assert scenario.problem.max_deployed == round(scenario.world().num_models ** (2 / 3))


def test_what_no_agent_avoids_grows_as_expected():
    for name in (LATE, DISCOVERY):
        instance = INSTANCES[name]
        for rule, expected in instance.exponents.items():
            low, high = (
                unavoidable(instance.at(horizon, RULES[rule](horizon)))
                for horizon in (10**3, 10**6)
            )
            # Waits begin one query after an update point, and K is a whole number.
            assert math.log(high / low) / math.log(1000) == pytest.approx(expected, abs=0.015)
    noise = INSTANCES[NOISE]
    assert unavoidable(noise.at(1000, 10)) == waiting_cost(noise.at(1000, 10)) == 0


def test_every_line_has_its_slope(measured):
    lines = {(row["instance"], row["rule"], row["entry"]): row for row in measured.summary["lines"]}
    assert len(lines) == 10 * 2
    row = lines[NOISE, "T^(2/3)", "gamma 0.1"]
    assert row["horizons"] == [200, 400]
    late = lines[LATE, "3", "gamma of theory"]
    assert late["seeds"] == 3
    assert late["slope"]["mean"] == pytest.approx(1, abs=0.2)
    assert late["end"]["mean"] > late["unavoidable"] == pytest.approx(0.4 * (265 + 266))
    assert [row["factor"] for row in measured.summary["terms"]] == [
        factor for _, factor, _ in law.TERMS
    ]
    others = {row["entry"] for row in measured.summary["others"]}
    assert others == {"gamma of theory", "gamma 0.1", "uniform"}


def test_the_tables_hold_each_seed(measured):
    rows = measured.tables["regrets"]
    assert rows.filter(section="gaps")["seed"].n_unique() == 2
    means = measured.tables["means"].filter(section="lines", instance=LATE, rule="3")
    mine = rows.filter(section="lines", instance=LATE, rule="3", horizon=800, entry="gamma 0.1")
    found = means.filter(horizon=800, entry="gamma 0.1")["mean_regret"].item()
    assert mine["regret"].mean() == pytest.approx(found)
    assert isinstance(rows, pl.DataFrame)


def test_what_is_shown_can_be_drawn(measured):
    assert len([chart.chart.to_dict() for chart in exhibit.charts(measured)]) == 5
    tables = exhibit.tables(measured.summary)
    assert len(tables[0].table.rows) == 20
    assert all(len(row) == len(each.table.columns) for each in tables for row in each.table.rows)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"horizons": (1000,)}, "horizons"),
        ({"horizons": (2000, 1000)}, "horizons"),
        ({"tail": 800}, "tail = 800: expected at most the last but one"),
        ({"seeds": 1}, "seeds = 1"),
        ({"entries": ("stagerute",)}, "stagerute"),
    ],
)
def test_settings_that_are_not_allowed_are_told(changes, message):
    with pytest.raises(FieldError, match=message):
        settings(**changes)
