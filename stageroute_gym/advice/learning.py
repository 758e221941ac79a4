"""Which agent learns the data best: a small leaderboard within the limits of the advice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stageroute_gym.advice.advising import Advice
from stageroute_gym.evaluation.entries import Entry
from stageroute_gym.evaluation.ranking import rank
from stageroute_gym.evaluation.running import play
from stageroute_gym.problem import Problem
from stageroute_gym.scenarios import Scenario
from stageroute_gym.workloads import Workload

HORIZON = 10_000
STAGES = 22
SEEDS = tuple(range(5))
NAME = "advice"


def rank_agents(
    advice: Advice, workload: Workload, entries: Sequence[Entry], seeds: Sequence[int] = SEEDS
) -> dict[str, Any]:
    """Play agents that know nothing of the models, on 10,000 queries drawn from the data.

    Args:
        advice: the advice, whose limits hold; where it has a floor for the score instead of a
            budget, what its plan costs is the budget.
        workload: the data as a workload.
        entries: the agents.
        seeds: seeds of their episodes.

    Returns:
        What `stageroute_gym.evaluation.ranking.rank` says of the one scenario: ``problem``,
        ``ranking`` and ``references``.

    Raises:
        FieldError: if an agent cannot play there.
    """
    import polars as pl

    limits = advice.limits
    problem = Problem(
        horizon=HORIZON,
        num_stages=STAGES,
        max_deployed=limits.max_deployed,
        budget=limits.budget if limits.min_score is None else advice.plan.worth.cost,
        throughput=tuple(limits.throughput.tolist()),
    )
    scenario = Scenario(NAME, 1, problem, workload, "the data of the advice, within its limits")
    results = pl.concat([play(entry, scenario, seeds).episodes for entry in entries])
    kinds = {entry.label: entry.kind for entry in entries}
    ranked: dict[str, Any] = rank(results, [NAME], kinds)["scenarios"][NAME]
    return ranked
