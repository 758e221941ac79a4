"""From advice to agents: which learns the data best, and what one for live traffic is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stageroute_gym.advice.advising import Advice
from stageroute_gym.context import AgentContext
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
    advice: Advice,
    workload: Workload,
    entries: Sequence[Entry],
    seeds: Sequence[int] = SEEDS,
    horizon: int = HORIZON,
) -> dict[str, Any]:
    """Play agents that know nothing of the models, on queries drawn from the data.

    Args:
        advice: the advice, whose limits hold; where it has a floor for the score instead of a
            budget, what its plan costs is the budget.
        workload: the data as a workload.
        entries: the agents.
        seeds: seeds of their episodes.
        horizon: number of queries.

    Returns:
        What `stageroute_gym.evaluation.ranking.rank` says of the one scenario: ``problem``,
        ``ranking`` and ``references``.

    Raises:
        FieldError: if an agent cannot play there.
    """
    import polars as pl

    scenario = _scenario(advice, workload, horizon)
    results = pl.concat([play(entry, scenario, seeds).episodes for entry in entries])
    kinds = {entry.label: entry.kind for entry in entries}
    ranked: dict[str, Any] = rank(results, [NAME], kinds)["scenarios"][NAME]
    return ranked


def live_context(advice: Advice, workload: Workload, horizon: int = HORIZON) -> AgentContext:
    """What an agent is told that is to serve live traffic within the limits of the advice.

    List prices are the models' mean costs in the data where no price list tells them.

    Args:
        advice: as for `rank_agents`.
        workload: the data as a workload.
        horizon: number of queries that the budget is for.

    Raises:
        FieldError: if the horizon is out of range.
    """
    world = _scenario(advice, workload, horizon).world()
    context = world.agent_context(continuous=True)
    costs = [single.cost.value for single in advice.singles]
    known = zip(context.list_prices, costs, strict=True)
    prices = tuple(price if price > 0 or not cost > 0 else cost for price, cost in known)
    return context.replace(list_prices=prices)


def _scenario(advice: Advice, workload: Workload, horizon: int) -> Scenario:
    """The data within the limits of the advice."""
    limits = advice.limits
    problem = Problem(
        horizon=horizon,
        num_stages=min(STAGES, horizon),
        max_deployed=limits.max_deployed,
        budget=limits.budget if limits.min_score is None else advice.plan.worth.cost,
        throughput=tuple(limits.throughput.tolist()),
    )
    return Scenario(NAME, 1, problem, workload, "the data of the advice, within its limits")
