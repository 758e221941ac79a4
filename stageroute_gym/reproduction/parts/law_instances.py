"""Where the law of the regret is looked at: instances, rules for K, and the exponents expected."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from stageroute_gym import scenarios
from stageroute_gym.scenarios import Scenario
from stageroute_gym.workloads import HiddenModel, LateNewcomers

CUBE_ROOT, THREE, TWO_THIRDS = "T^(1/3)", "3", "T^(2/3)"
RULES: dict[str, Callable[[int], int]] = {
    CUBE_ROOT: lambda horizon: round(horizon ** (1 / 3)),
    THREE: lambda horizon: 3,
    TWO_THIRDS: lambda horizon: round(horizon ** (2 / 3)),
}
STATIONARY, LATE, DISCOVERY, NOISE = "stationary", "late newcomers", "discovery", "noise"


@dataclass(frozen=True)
class Instance:
    """A family of problems, one for each horizon.

    Attributes:
        name: what it is called.
        scenario: name of the scenario.
        overrides: fields of its problem and options of its workload.
        exponents: of the horizon, by the rule for ``K``, as the two terms of the upper bound and
            what no agent avoids have it; for an instance that is not hard, the largest allowed.
        hard: whether every agent must lose on it.
        many: whether the number of models grows with the number of stages.
    """

    name: str
    scenario: str
    overrides: Mapping[str, Any]
    exponents: Mapping[str, float]
    hard: bool = True
    many: bool = False

    def at(self, horizon: int, stages: int, **changes: Any) -> Scenario:
        """The problem of a horizon; ``changes`` are further overrides."""
        given = {**self.overrides, **changes}
        return scenarios.get(self.scenario, horizon=horizon, num_stages=stages, **given)

    def with_options(self, **options: Any) -> Instance:
        """The same with other overrides."""
        return dataclasses.replace(self, overrides={**self.overrides, **options})


# N = 11 and M_max = 5 = N^(2/3), N = 8 and M_max = 4 = N^(2/3); a budget above every cost.
INSTANCES = {
    each.name: each
    for each in (
        Instance(
            STATIONARY,
            "paper",
            {"arrival_interval": None, "budget": 1.0, "budget_rule": "soft"},
            {CUBE_ROOT: 2 / 3},
            hard=False,
        ),
        Instance(LATE, "late-newcomers", {}, {CUBE_ROOT: 2 / 3, THREE: 1.0, TWO_THIRDS: 1 / 3}),
        Instance(
            DISCOVERY,
            "hidden-model",
            {"gap": 0.4},
            {CUBE_ROOT: 2 / 3, THREE: 1.0, TWO_THIRDS: 1 / 3},
        ),
        Instance(
            NOISE,
            "hidden-model",
            {"pool_size": 3, "pool_stages": 1, "max_deployed": 3},
            {CUBE_ROOT: 2 / 3, THREE: 1 / 2, TWO_THIRDS: 5 / 6},
            many=True,
        ),
    )
}


def waiting_cost(scenario: Scenario) -> float:
    """What waiting costs before the stage oracle, which waits too, sees it; in score."""
    workload = scenario.workload
    return workload.waiting_cost(scenario.problem) if isinstance(workload, LateNewcomers) else 0.0


def unavoidable(scenario: Scenario) -> float:
    """Regret, waiting included, that is known to be below no agent's; 0 where none is known."""
    workload = scenario.workload
    if isinstance(workload, HiddenModel):
        return workload.floor(scenario.problem)
    return waiting_cost(scenario)


def theory_gamma(models: int, horizon: int) -> float:
    """Confidence scale in the order of the theory, ``ln(N T) / 4``.

    A score has a standard deviation of at most 1/2, so by Hoeffding's inequality a mean of ``n`` is
    off by ``sqrt(ln(N T) / (2 n))`` with a probability of ``1 / (N T)``. StageRoute adds
    ``2 sqrt(gamma v / n)``, which is that at ``v = 1/2`` for ``gamma = ln(N T) / 4``.
    """
    return math.log(models * horizon) / 4
