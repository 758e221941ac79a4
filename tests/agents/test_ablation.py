"""Each ablation switches off one part of StageRoute."""

from __future__ import annotations

import numpy as np
from agent_cases import ONE, agent_for, batch, follow
from stageroute_agents import make
from worlds import make_env, make_world


def test_ablations_switch_off_one_part_each():
    world = make_world(
        models=6,
        max_deployed=4,
        horizon=300,
        stages=5,
        budget=0.6,
        throughput=0.6,
        budget_rule="soft",
    )
    env = make_env(world, continuous=True)
    names = ["stageroute", "stageroute-mean-deployment", "stageroute-fixed-routing"]
    agents = [make(name, env) for name in names]
    agents.append(make("stageroute", env, fill_slots=False))
    actions = follow(agents, world, 305)
    deploying = [row for row in actions if row[0].sum() > 1.5]
    assert len(deploying) == 5
    assert all((row[0] == row[2]).all() for row in deploying)
    assert all((row[3] <= row[0]).all() for row in deploying)
    assert any(row[3].sum() < 4 for row in deploying)
    routing = [row for row in actions if not any(row is other for other in deploying)]
    assert all((row[0] == row[1]).all() for row in routing)
    fixed, resolved = (len({tuple(row[i]) for row in routing}) for i in (2, 0))
    assert fixed <= 5 < resolved
    starts = [i + 1 for i, row in enumerate(actions) if any(row is d for d in deploying)]
    assert all((actions[i][0] == actions[i][2]).all() for i in starts)


def test_deployment_without_optimism_takes_an_untried_model_for_an_average_one():
    agent = agent_for("stageroute-mean-deployment", models=3)
    seen = batch(3, pulls=[9, 1, 0], mean_score=[0.9, 0.5, 0.0], mean_cost=[2.0, 1.0, 0.0])
    score, cost = agent.deployment_estimates(seen, {}, ONE)
    np.testing.assert_allclose(score, [[0.9, 0.5, 0.7]], rtol=1e-6)
    np.testing.assert_allclose(cost, [[2.0, 1.0, 1.5]], rtol=1e-6)
