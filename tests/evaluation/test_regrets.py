"""Regret alone: the same to the bit as when every step is booked."""

from __future__ import annotations

import numpy as np
import pytest

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation import evaluate
from stageroute_gym.evaluation.regrets import regrets

SHORT = {"horizon": 600, "num_stages": 5}
SEEDS = [0, 3, 4]


def slow(*case):
    return pytest.param(*case, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("agent", "scenario", "overrides"),
    [
        ("stageroute", "routerbench-tight", {}),  # some episodes end early
        ("stageroute(gamma=2.0)", "routerbench", {"budget_rule": "soft", "failure_rate": 0.1}),
        slow("stageroute(radius='joint', epsilon=0.1)", "delayed", {"feedback_delay": 50}),
        slow("stageroute(gamma=2.0)", "hidden-model", {"pool_stages": 2, "pool_size": 4}),
        slow("stageroute", "slow-start", {"activation_delay": 30}),  # routed in Python
        slow("stageroute-fixed-routing", "late-newcomers", {}),
        slow("paced-route", "hidden-model", {}),
        slow("linucb", "late-newcomers", {}),
    ],
)
def test_regret_is_that_of_an_evaluation(agent, scenario, overrides):
    found = regrets(agent, scenario, SEEDS, **SHORT, **overrides)
    booked = evaluate(agent, scenario, SEEDS, **SHORT, **overrides)
    assert found.tolist() == booked["regret"].to_list()


def test_regret_does_not_depend_on_the_other_seeds():
    together = regrets("stageroute", "hidden-model", range(4), **SHORT)
    assert regrets("stageroute", "hidden-model", [2], **SHORT).tolist() == [together[2]]
    assert len(np.unique(together)) > 1


def test_faults_are_told_before_anything_runs():
    with pytest.raises(FieldError, match="agent = 'stagerout'"):
        regrets("stagerout", "routerbench", SEEDS)
    with pytest.raises(FieldError, match="seeds"):
        regrets("stageroute", "routerbench", [1, 1])
