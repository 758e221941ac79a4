"""Fed with an environment's outcomes, a router decides as the agent does there, to the bit."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stageroute_agents.live import Router
from stageroute_agents.sb3 import shipped
from traffic import Feed, assert_remembers, changing_world, episode

from stageroute_gym.evaluation import agents

AGENTS = [n for n in agents.names() if agents.kind_of(agents.load(n), n) != "reference"]
FILE = str(Path(shipped.__file__).parents[1] / "weights" / "ppo.sragent")
# Those in the quick run, one of each kind of actions.
QUICK = {("stageroute", True, 7), ("linucb", False, 0)}


def cases() -> Iterator[Any]:
    """All agents by name, and a file of weights, which plays the actions that it was trained on."""
    for agent, continuous, delay in [
        *itertools.product(AGENTS, (True, False), (0, 7)),
        (FILE, True, 0),
        (FILE, True, 7),
    ]:
        marks = () if (agent, continuous, delay) in QUICK else pytest.mark.slow
        kind = "shares" if continuous else "models"
        name = f"{Path(agent).name}-{kind}-{delay}"
        yield pytest.param(agent, continuous, delay, marks=marks, id=name)


@pytest.mark.parametrize(("agent", "continuous", "delay"), list(cases()))
def test_a_router_decides_as_the_agent_in_its_environment(agent, continuous, delay, tmp_path):
    world = changing_world(feedback_delay=delay, deployment_cost=3.0)
    context, steps, memory = episode(world, agent, continuous=continuous, seed=3)
    feed = Feed(world, context)
    # Half of it before the router is closed and opened again.
    half = len(steps) // 2
    for part in (steps[:half], steps[half:]):
        with Router(context, agent, seed=3, store=tmp_path / "store") as router:
            for step in part:
                feed(router, step)
            last = router.report()
            if step is steps[-1]:
                assert_remembers(router, memory)
    assert last["routed"] + last["declined"] == len(steps) == 200
    assert {step.model for step in steps} - {-1}


@pytest.mark.parametrize("continuous", [True, False], ids=["shares", "models"])
@pytest.mark.parametrize("agent", ["stageroute", "cucb", "linucb", "uniform"])
def test_a_hard_budget_ends_where_the_episode_ends(agent, continuous):
    world = changing_world(budget=0.3, budget_rule="hard")
    context, steps, _ = episode(world, agent, continuous=continuous, seed=1)
    router = Router(context, agent, seed=1)
    feed = Feed(world, context)
    for step in steps:
        feed(router, step)
    assert len(steps) < 200
    refused = router.choose(steps[0].features)
    assert refused == (None, None, "budget")
    assert router.spend == pytest.approx(sum(step.cost for step in steps), rel=1e-12)


@pytest.mark.parametrize("continuous", [True, False], ids=["shares", "models"])
@pytest.mark.parametrize("agent", ["stageroute", "paced-route", "linucb", "sw-ucb"])
def test_scores_that_do_not_come_back_and_models_that_load(agent, continuous):
    world = changing_world(
        feedback_rate=0.4, activation_delay=9, failure_rate=0.2, feedback_delay=3, deployment_cost=1
    )
    context, steps, memory = episode(world, agent, continuous=continuous, seed=2)
    router = Router(context, agent, seed=2)
    feed = Feed(world, context)
    for step in steps:
        feed(router, step)
    assert_remembers(router, memory)
    assert {step.score for step in steps if step.model >= 0} > {None}


@pytest.mark.parametrize("price", [0.1, 3.0], ids=["cheaper", "dearer"])
@pytest.mark.parametrize("agent", ["stageroute", "cucb"])
def test_a_hard_budget_with_delay_differs_only_by_what_is_in_flight(agent, price):
    """The environment knows each cost at once; the router expects those in flight."""
    world = changing_world(budget=0.3, budget_rule="hard", feedback_delay=7)
    context, steps, _ = episode(world, agent, continuous=True, seed=1)
    router = Router(context, agent, seed=1)
    router._episode.books._expected *= price
    feed = Feed(world, context)
    total, refused = context.problem.total_budget, 0
    for step in steps:
        known = router.spend
        # Fails where it serves otherwise than the environment.
        if feed(router, step).reason == "budget":
            refused += 1
            assert known < total
            break
        assert router.spend < total
    feed.deliver(router)
    assert router.spend == pytest.approx(sum(s.cost for s in steps[: step.number + 1 - refused]))
    assert router.spend <= total + max(step.cost for step in steps)
    # Refused for what was in flight, which has turned out cheaper: it serves again.
    assert router.choose(step.features).reason == ("routed" if router.spend < total else "budget")
