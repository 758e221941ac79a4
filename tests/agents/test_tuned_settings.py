"""The tuned settings that come with the package."""

from __future__ import annotations

from typing import Any

import pytest
from stageroute_agents import make
from stageroute_agents.base import Agent
from worlds import make_env, make_world

from stageroute_gym.evaluation import agents
from stageroute_gym.evaluation.tuned import read_tuned
from stageroute_gym.scenarios import suite
from stageroute_gym.tuning.space import space_of

KEPT = read_tuned(Agent.tuned_file)
TUNED: dict[str, dict[str, Any]] = KEPT["agents"]


def test_every_agent_had_the_same_effort_on_the_worlds_to_tune_on():
    worlds = suite("worlds-tune")
    assert KEPT["suite"] == {"name": worlds.name, "version": 1, "sha256": worlds.sha256()}
    assert len({each["trials"] for each in TUNED.values()}) == 1
    assert {f"{name}-tuned" for name in TUNED} == set(agents.tuned_names())


@pytest.mark.parametrize("name", TUNED)
def test_tuned_parameters_come_from_the_best_trial_in_the_agent_s_space(name: str) -> None:
    each = TUNED[name]
    assert each["value"] == max(value for value in each["values"] if value is not None)
    assert each["default_value"] == each["values"][0]
    space = space_of(agents.load(name), name)
    for parameter, value in each["parameters"].items():
        assert space[parameter].drawn(value) is not None, parameter
    context = make_env(make_world(), continuous=True).agent_context
    make(f"{name}-tuned", context)
