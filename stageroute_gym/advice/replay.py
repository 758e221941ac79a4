"""A log played again in its own order: what other agents would have cost and scored."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stageroute_gym.array_types import Floats
from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.entries import parse_entries
from stageroute_gym.evaluation.oracle_values import service
from stageroute_gym.evaluation.running import play
from stageroute_gym.evaluation.statistics import Estimate, estimate
from stageroute_gym.logs.workload import Logged
from stageroute_gym.problem import Problem
from stageroute_gym.scenarios import Scenario

MOST_STAGES = 22
MOST_SLOTS = 5


@dataclass(frozen=True, eq=False)
class Replayed:
    """What an agent made of the log, or what the log did itself.

    Attributes:
        name: label of the agent, or ``the log``.
        score: mean score of a request, 0 for one not served, over seeds.
        cost: mean cost of a request, USD, over seeds.
        served: share of the requests that were served, mean over seeds.
        stage_score: mean score of a request in each stage, ``(K,)``.
        stage_cost: mean cost of a request in each stage, USD, ``(K,)``.
    """

    name: str
    score: Estimate
    cost: Estimate
    served: float
    stage_score: Floats
    stage_cost: Floats


@dataclass(frozen=True, eq=False)
class Replay:
    """A log and what agents made of it.

    Attributes:
        problem: what the agents had to keep to.
        starts: time at which each stage starts, seconds since 1970, ``(K,)``.
        today: what the log did.
        played: what each agent did.
        service: what share of the requests the budget can serve, as by
            `stageroute_gym.evaluation.oracle_values.service`.
    """

    problem: Problem
    starts: Floats
    today: Replayed
    played: tuple[Replayed, ...]
    service: Mapping[str, float | None]


def replay_problem(workload: Logged, given: Mapping[str, Any]) -> tuple[Problem, tuple[str, ...]]:
    """The problem of a replay: all requests of the log, and what the log spent as the budget.

    Args:
        workload: the log.
        given: fields of `Problem` that the user chose.

    Returns:
        The problem, and for each field that was left open what it is and how to change it.

    Raises:
        FieldError: if a value is not allowed or does not fit the log.
    """
    log = workload.log()
    horizon = given.get("horizon", log.num_requests)
    fields: dict[str, Any] = {}
    chosen = []
    if "budget" not in given:
        fields["budget"] = float(log.cost.mean())
        chosen.append(
            f"budget: {fields['budget']:.4g} USD a request, as the log; --budget changes it"
        )
        if fields["budget"] <= 0.0:
            raise FieldError("budget", None, "a budget, since the log cost nothing")
    if "max_deployed" not in given:
        fields["max_deployed"] = min(MOST_SLOTS, len(log.models))
        chosen.append(f"slots: {fields['max_deployed']} models at once; --max-deployed changes it")
    if not {"num_stages", "stage_starts"} & set(given):
        fields["num_stages"] = min(MOST_STAGES, log.num_requests)
        chosen.append(f"stages: {fields['num_stages']}; --num-stages changes it")
    values = {"horizon": horizon} | fields | dict(given)
    return Problem.from_dict(values), tuple(chosen)


def replay(
    workload: Logged, problem: Problem, agents: Sequence[str], seeds: Sequence[int]
) -> Replay:
    """Play agents on a log in its own order.

    Args:
        workload: the log; its order is the log's whatever it says.
        problem: see `replay_problem`.
        agents: entries, see `stageroute_gym.evaluation.entries.parse_entries`.
        seeds: seeds of the agents' draws and, for continuous actions, of the models'.

    Raises:
        FieldError: if an argument is not allowed, or the log has a fault.
    """
    entries = parse_entries(list(agents))
    scenario = Scenario("replay", 1, problem, dataclasses.replace(workload, order="log"))
    world = scenario.world()
    log = workload.log()
    rows, lengths = np.arange(problem.horizon), problem.stage_lengths
    model, starts = log.model[: problem.horizon], problem.stage_bounds[:-1]
    score, cost = (values[rows, model] for values in (world.table.score, world.table.cost))
    today = Replayed(
        name="the log",
        score=estimate([float(score.mean())]),
        cost=estimate([float(cost.mean())]),
        served=1.0,
        stage_score=np.add.reduceat(score, starts) / lengths,
        stage_cost=np.add.reduceat(cost, starts) / lengths,
    )
    played = []
    for entry in entries:
        found = play(entry, scenario, seeds)
        shape = (-1, len(lengths))
        by_stage = {
            name: found.stages[name].to_numpy().reshape(shape).mean(axis=0) / lengths
            for name in ("score", "spend")
        }
        episodes = found.episodes
        played.append(
            Replayed(
                name=entry.label,
                score=estimate((episodes["score"] / problem.horizon).to_list()),
                cost=estimate((episodes["spend"] / problem.horizon).to_list()),
                served=1.0 - float((episodes["unserved"] / problem.horizon).to_numpy().mean()),
                stage_score=by_stage["score"],
                stage_cost=by_stage["spend"],
            )
        )
    return Replay(problem, log.time[starts], today, tuple(played), service(world))
