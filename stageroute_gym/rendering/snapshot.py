"""What there is to see of an episode, by name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.simulator.episodes import Episodes

# Share of the horizon, and of the budget, that nobody minds.
SLACK = 0.01


@dataclass(frozen=True)
class Snapshot:
    """One episode as it stands.

    Args:
        models: names of the ``N`` models.
        horizon: number of queries ``T``.
        query: queries consumed.
        stage: number of the stage, from 0.
        num_stages: number of stages ``K``.
        routing: whether a query waits to be routed; models are being deployed otherwise.
        over: whether the episode is over.
        spend: USD spent.
        total_budget: USD allowed over the horizon.
        mean_score: score per query so far; declined queries count as 0.
        last_model: model that served the last step's query, -1 for none.
        last_score: its score.
        last_cost: its cost in USD.
        declined: queries that were not served.
        regret: expected score behind the stage oracle so far.
        history: models deployed in each stage, the current one's as far as they are chosen, shape
            (K, N), bool.
        available: models on offer, shape (N,), bool.
        deployed: models deployed or chosen so far, shape (N,), bool.
        tokens: tokens of each model, shape (N,).
        burst: tokens that a full bucket holds.
        pulls: queries of each model whose outcome has been observed, shape (N,).
        model_score: their mean score, shape (N,).
        model_cost: their mean cost in USD, shape (N,).
        throughput: largest share of each model, shape (N,).
    """

    models: tuple[str, ...]
    horizon: int
    query: int
    stage: int
    num_stages: int
    routing: bool
    over: bool
    spend: float
    total_budget: float
    mean_score: float
    last_model: int
    last_score: float
    last_cost: float
    declined: int
    regret: float
    history: NDArray[np.bool_]
    available: NDArray[np.bool_]
    deployed: NDArray[np.bool_]
    tokens: NDArray[np.float32]
    burst: float
    pulls: NDArray[np.float32]
    model_score: NDArray[np.float32]
    model_cost: NDArray[np.float32]
    throughput: NDArray[np.float64]

    @property
    def elapsed(self) -> float:
        """Share of the horizon that is over."""
        return self.query / self.horizon

    @property
    def spent(self) -> float:
        """Share of the budget that is spent."""
        return self.spend / self.total_budget

    @property
    def exhausted(self) -> bool:
        """Whether the budget was spent well before the queries were through, or well overspent.

        Well: by more than `SLACK`. The last query under the rule ``hard`` may overspend, and an
        agent that spends all of its budget all but exactly has done well.
        """
        early = self.spent >= 1 and self.elapsed < 1 - SLACK
        return early or self.spent > 1 + SLACK

    @property
    def phase(self) -> str:
        """What the episode waits for, in a word."""
        if self.over:
            return "over"
        return "route" if self.routing else "deploy"

    @property
    def last_route(self) -> str:
        """What became of the last query, in words."""
        if self.last_model >= 0:
            name = self.models[self.last_model]
            return f"{name}, score {self.last_score:.2f}, cost {usd(self.last_cost)}"
        return "no query served"


def take(episodes: Episodes, row: int = 0) -> Snapshot:
    """One of some episodes as it stands."""
    world = episodes.world
    shown, info = episodes.observation(row), episodes.info(row)
    history = episodes.deployed_sets(row)
    history[info["stage"]] = shown["deployed"] > 0
    return Snapshot(
        models=world.table.models,
        horizon=world.problem.horizon,
        query=info["t"],
        stage=info["stage"],
        num_stages=world.schedule.num_stages,
        routing=episodes.is_routing(row),
        over=episodes.is_over(row),
        spend=info["spend"],
        total_budget=world.problem.total_budget,
        mean_score=episodes.total_score(row) / max(info["t"], 1),
        last_model=info["model"],
        last_score=info["score"],
        last_cost=info["cost"],
        declined=info["declined"],
        regret=info["regret"],
        history=history,
        available=shown["available"] > 0,
        deployed=shown["deployed"] > 0,
        tokens=shown["tokens"],
        burst=world.problem.burst,
        pulls=shown["pulls"],
        model_score=shown["mean_score"],
        model_cost=shown["mean_cost"],
        throughput=world.throughput,
    )


def usd(amount: float) -> str:
    """An amount in USD with three significant digits, never in exponent notation above 1e-6."""
    if amount == 0:
        return "$0"
    digits = max(2, 2 - int(np.floor(np.log10(abs(amount)))))
    return f"${amount:,.{min(digits, 8)}f}"
