"""What the oracles do, as rows, against the programmes that they come from."""

from __future__ import annotations

import numpy as np
import pytest

from stageroute_gym import scenarios
from stageroute_gym.evaluation.oracle_plans import FRONTIER_FACTORS, frontier, oracle_rows
from stageroute_gym.oracles import oracle_total


@pytest.mark.parametrize("name", ["routerbench", "outage", "mixed-alpha"])
def test_plans_add_up_to_the_oracles_and_keep_their_limits(name: str):
    scenario = scenarios.get(name)
    world, problem = scenario.world(), scenario.problem
    rows = oracle_rows(scenario, range(3))
    assert rows["seed"].null_count() == len(rows) == problem.num_stages
    assert rows["start"].to_list() == problem.stage_bounds[:-1].tolist()
    assert rows["queries"].sum() == problem.horizon
    for oracle in ("stage", "horizon"):
        assert rows[f"{oracle}_score"].sum() == pytest.approx(oracle_total(world, oracle))
        assert rows[f"{oracle}_spend"].sum() <= problem.total_budget * (1 + 1e-9)
        caps = dict(zip(world.table.models, world.throughput, strict=True))
        for row in rows.iter_rows(named=True):
            models, shares = row[f"{oracle}_models"], row[f"{oracle}_shares"]
            assert len(models) <= problem.max_deployed
            assert set(models) <= set(row["available"])
            assert sum(shares) <= 1 + 1e-9
            assert all(s <= caps[m] + 1e-9 for m, s in zip(models, shares, strict=True))


def test_more_money_buys_no_less_at_falling_gains():
    scenario = scenarios.get("routerbench")
    points = frontier(scenario, range(3))
    scores, costs = (np.array([point[key] for point in points]) for key in ("score", "cost"))
    budgets = np.array([point["budget"] for point in points])
    assert len(points) == len(FRONTIER_FACTORS)
    assert (costs <= budgets * (1 + 1e-9)).all()
    assert (np.diff(scores) >= -1e-12).all()
    paid = np.diff(costs) > 1e-12
    slopes = np.diff(scores)[paid] / np.diff(costs)[paid]
    # Concave where the number of models does not bind, as here.
    assert (np.diff(slopes) <= 1e-6 * slopes[:-1]).all()
    own = points[FRONTIER_FACTORS.index(1.0)]
    total = oracle_total(scenario.world(), "horizon") / scenario.problem.horizon
    assert own["budget"] == scenario.problem.budget
    assert own["score"] == pytest.approx(total)
