"""Tables of worlds come from values that JSON can hold."""

from __future__ import annotations

import json

from stageroute_gym.evaluation.strata import against_others, in_strata, over_worlds
from stageroute_gym.report.strata_tables import Standing, tables_of

SCORES = {"ours": {"w0": 0.5, "w1": 0.7}, "theirs": {"w0": 0.4, "w1": 0.5}, "truth": {"w0": 1.0}}
STRATA = {"w0": {"budget": "tight"}, "w1": {"budget": "loose"}}


def test_a_standing_survives_json_and_sets_references_apart():
    contenders = {label: SCORES[label] for label in ("ours", "theirs")}
    standing = Standing(
        "ours",
        2,
        {"ours": "learner", "theirs": "baseline", "truth": "reference"},
        tuple(over_worlds(SCORES)),
        tuple(against_others(contenders, "ours")),
        tuple(in_strata(contenders, "ours", STRATA)),
    )
    again = Standing.from_dict(json.loads(json.dumps(standing.to_dict())))
    assert again == standing
    overall, rivals, strata = tables_of(again)
    assert [row[0] for row in overall.rows] == ["ours", "theirs"]
    assert [row[0] for row in overall.references] == ["truth"]
    assert rivals.rows[0][:2] == ("theirs", "+0.150 ± 0.635")
    assert [row[0] for row in strata.rows] == ["all: all", "budget: loose", "budget: tight"]
