"""The books of a batch of episodes, and the rows of results that they become."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.evaluation.stages import StageBooks
from stageroute_gym.oracles import oracle_total
from stageroute_gym.scenarios import Scenario
from stageroute_gym.simulator.world import World

if TYPE_CHECKING:
    import polars as pl

# What is taken from `info` at the step that ends an episode.
_COUNTS = ("t", "stage", "declined", "invalid_actions", "activations")
_AMOUNTS = ("spend", "regret")


class Books:
    """What each episode of a batch has come to; an episode that restarts is not booked again.

    Args:
        num_envs: number of episodes ``E``.
        world: the world that they play in.

    Attributes:
        stages: the books of each stage.
        score: total score, shape (E,), float64.
        decisions: steps until the end, shape (E,), int64.
        final: the other books at the end by the names of ``info``, shape (E,), int64 or float64.
        running: which episodes are in their first run, shape (E,), bool.
        ended_at_last_step: which environments ended an episode, first or later, at the last step,
            shape (E,), bool.
        steps_of_all: decisions of all environments, those of restarted episodes included.
    """

    def __init__(self, num_envs: int, world: World) -> None:
        self.stages = StageBooks(num_envs, world.schedule.num_stages, world.num_models)
        self.score: NDArray[np.float64] = np.zeros(num_envs)
        self.decisions: NDArray[np.int64] = np.zeros(num_envs, np.int64)
        self.final: dict[str, NDArray[Any]] = {
            **{name: np.zeros(num_envs, np.int64) for name in _COUNTS},
            **{name: np.zeros(num_envs) for name in _AMOUNTS},
        }
        self.running: NDArray[np.bool_] = np.ones(num_envs, np.bool_)
        self.ended_at_last_step: NDArray[np.bool_] = np.zeros(num_envs, np.bool_)
        self.steps_of_all = 0

    def enter(
        self,
        observation: Mapping[str, NDArray[Any]],
        scores: NDArray[np.float64],
        terminated: NDArray[np.bool_],
        infos: Mapping[str, NDArray[Any]],
    ) -> None:
        """Book one step of the vector environment.

        Args:
            observation: what followed from the step.
            scores: score of each environment's step, shape (E,), float64.
            terminated: which episodes it ended, shape (E,), bool.
            infos: the vector environment's ``info``.
        """
        self.steps_of_all += len(scores)
        np.add(self.score, scores, out=self.score, where=self.running)
        self.decisions += self.running
        self.ended_at_last_step = terminated
        ended = terminated & self.running
        self.stages.enter(observation, self.score, ended, infos)
        if ended.any():
            for name, values in self.final.items():
                values[ended] = infos[name][ended]
            self.running = self.running & ~terminated


def episode_rows(
    scenario: Scenario,
    world: World,
    *,
    entry: str,
    agent: str,
    agent_parameters: str,
    env_id: str,
    seeds: list[int],
    books: Books,
) -> pl.DataFrame:
    """The results of a batch of episodes, one row each.

    Columns: ``scenario``, ``scenario_version``, ``entry`` (the label of agent and parameters),
    ``agent``, ``agent_parameters`` (JSON), ``env_id``, ``seed``; ``horizon`` (queries),
    ``budget`` (USD a query), ``budget_rule``;
    ``score`` (total), ``score_per_query`` (of the horizon), ``horizon_oracle`` and
    ``stage_oracle`` (expected total score), ``score_over_horizon_oracle`` and
    ``score_over_stage_oracle`` (null where that oracle expects nothing); ``regret`` (against the
    stage oracle, over the whole horizon); ``spend`` (USD), ``spend_over_budget``; ``served``,
    ``declined`` and ``unserved`` (queries); ``invalid_actions``, ``decisions``, ``invalid_share``
    and ``activations``.

    A query that the episode never reached, since the budget was spent, is unserved and adds to
    the regret as a declined one does; ``regret`` is ``info["regret"]`` of the last step.
    """
    import polars as pl

    problem, final = scenario.problem, books.final
    stage_oracle = oracle_total(world, "stage")
    horizon_oracle = oracle_total(world, "horizon")
    served = final["t"] - final["declined"]
    count = len(seeds)
    return pl.DataFrame(
        {
            "scenario": [scenario.name] * count,
            "scenario_version": [scenario.version] * count,
            "entry": [entry] * count,
            "agent": [agent] * count,
            "agent_parameters": [agent_parameters] * count,
            "env_id": [env_id] * count,
            "seed": seeds,
            "horizon": [problem.horizon] * count,
            "budget": [problem.budget] * count,
            "budget_rule": [problem.budget_rule] * count,
            "score": books.score,
            "score_per_query": books.score / problem.horizon,
            "horizon_oracle": [horizon_oracle] * count,
            "score_over_horizon_oracle": _ratio(books.score, horizon_oracle),
            "stage_oracle": [stage_oracle] * count,
            "score_over_stage_oracle": _ratio(books.score, stage_oracle),
            "regret": final["regret"],
            "spend": final["spend"],
            "spend_over_budget": final["spend"] / problem.total_budget,
            "served": served,
            "declined": final["declined"],
            "unserved": problem.horizon - served,
            "invalid_actions": final["invalid_actions"],
            "decisions": books.decisions,
            "invalid_share": final["invalid_actions"] / books.decisions,
            "activations": final["activations"],
        },
        schema_overrides={
            "score_over_horizon_oracle": pl.Float64,
            "score_over_stage_oracle": pl.Float64,
        },
    )


def _ratio(scores: NDArray[np.float64], oracle: float) -> list[float | None]:
    return [float(score) / oracle if oracle > 0 else None for score in scores]
