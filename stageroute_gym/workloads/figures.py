"""A synthetic RouterBench: a table drawn from published and fitted figures.

RouterBench (arXiv 2403.12031) is 36,497 queries answered by 11 models. ``routerbench.json`` holds
no query of it, only figures: release dates, token prices, and for each of 8 task families its size,
each model's shares of the score levels, its mean cost, and the loadings of a latent model. How they
were fitted, from public means over the whole 0-shot file and recorded samples of 2,224 (11 models)
and 7,951 queries (5 models), is ``tests/workloads/fit_figures.py``.

A query has a token count and two factors, all standard normal; each model's latent score loads on
these three (one difficulty, and a second factor for multiple choice, where some models always
answer with one letter) and on noise of its own. Ranks of the latent scores give each level its
share. A log cost loads on the token count, mapped to the family's own distribution, and on noise.

Distance from the records, at 8,192 rows and seed 0. Mean score of a model within 0.0002 of the
published one, mean cost within 0.001 %. Correlation of scores between two models, over all queries:
0.253 on average against 0.251, root mean square error 0.018, largest 0.05; within the three large
families 0.03 to 0.04, largest 0.09. Correlation of log costs: 0.976 on average against 0.974, least
0.95 against 0.94. Quantiles of cost over mean cost, averaged over the models: 0.28 against 0.31
(10 %), 0.77 against 0.78 (median), 2.2 against 2.2 (90 %), 3.1 against 3.1 (99 %). Some model
scores above 0 on 96 % of queries in both; the best of 11 scores 0.904 against 0.912. Not
modelled: tasks inside a family, costs beyond three standard deviations, and a model's score given
the length of its own answer.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stageroute_gym import checks
from stageroute_gym.problem import Problem
from stageroute_gym.workloads.arrivals import Arrivals, arrival_order, initial_pool
from stageroute_gym.workloads.prices import TYPICAL_TOKENS
from stageroute_gym.workloads.schedule import Schedule
from stageroute_gym.workloads.table import OutcomeTable, task_features

# Places on the standard normal at which the fitted token distribution is given.
NORMAL_SCORES = np.array([-3, -2.33, -1.64, -1.28, -0.67, 0, 0.67, 1.28, 1.64, 2.33, 3])


@dataclass(frozen=True, kw_only=True)
class Figures:
    """RouterBench's 11 models and 8 task families, drawn from figures; no recorded query in it.

    Args:
        arrival_order: ``"release"`` (by release date), ``"score"`` (weakest first), or all model
            names.
        initial_models: models there at the start; None fills the deployment slots
            (`stageroute_gym.workloads.arrivals.initial_pool`).
        arrival_interval: queries between two later arrivals; None spreads them evenly.
        features: what an agent sees of a query: ``"none"``, or ``"task"`` for the family, one-hot.
        num_queries: rows of the table, 100 to 1,000,000.
        table_seed: seed of the table.

    Raises:
        FieldError: if a value is out of range.
    """

    arrival_order: str | tuple[str, ...] = "release"
    initial_models: int | None = None
    arrival_interval: int | None = None
    features: str = "none"
    num_queries: int = 8192
    table_seed: int = 0

    def __post_init__(self) -> None:
        models = len(_routerbench()["models"])
        allowed_order = arrival_order(self.arrival_order, ("release", "score"))
        object.__setattr__(self, "arrival_order", allowed_order)
        if self.initial_models is not None:
            checks.count("initial_models", self.initial_models, 1, models)
        if self.arrival_interval is not None:
            checks.count("arrival_interval", self.arrival_interval, 1)
        checks.choice("features", self.features, ("none", "task"))
        checks.count("num_queries", self.num_queries, 100, 1_000_000)
        checks.count("table_seed", self.table_seed, 0)

    def build(self, problem: Problem) -> tuple[OutcomeTable, Schedule]:
        """The table that ``table_seed`` draws, models in order of release, and their arrivals.

        The query mix and the prices do not change.

        Raises:
            FieldError: if the arrival order does not name each model once, or the problem's
                throughput has another number of models.
        """
        table = self._table()
        order = _order(self.arrival_order, table)
        initial = self.initial_models or initial_pool(order, table.models, problem)
        arrivals = Arrivals(order, initial, self.arrival_interval)
        available = arrivals.available(table.models, problem.stage_bounds)
        return table, Schedule.stationary(table, available)

    def _table(self) -> OutcomeTable:
        models, families = _routerbench()["models"], _routerbench()["families"]
        rng = np.random.default_rng(self.table_seed)
        sizes = np.array([family["queries"] for family in families.values()], dtype=np.float64)
        rows = _apportion(sizes, self.num_queries)
        drawn = [_draw(*item, rng) for item in zip(families.values(), rows.tolist(), strict=True)]
        task = np.repeat(np.arange(len(rows)), rows)
        prices = [(m["prompt_price"], m["completion_price"]) for m in models.values()]
        told = self.features == "task"
        return OutcomeTable(
            models=tuple(models),
            score=np.concatenate([score for score, _ in drawn]),
            cost=np.concatenate([cost for _, cost in drawn]),
            task=task,
            task_names=tuple(families),
            features=np.eye(len(rows))[task] if told else np.empty((0, 0)),
            feature_names=task_features(families) if told else (),
            weight=(sizes / sizes.sum() * self.num_queries / rows)[task],
            list_price=np.array(prices) @ np.array(TYPICAL_TOKENS) * 1e-6,
        )


@functools.cache
def _routerbench() -> dict[str, Any]:
    """``models`` (release date, prices) and ``families`` (what `_draw` needs)."""
    file = resources.files("stageroute_gym.workloads").joinpath("routerbench.json")
    figures: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return figures


def _order(arrival_order: str | tuple[str, ...], table: OutcomeTable) -> tuple[str, ...]:
    if isinstance(arrival_order, tuple):
        return arrival_order
    if arrival_order == "release":
        return table.models
    return tuple(table.models[m] for m in np.argsort(table.mean_score(), kind="stable"))


def _apportion(sizes: NDArray[np.float64], total: int) -> NDArray[np.int64]:
    """``total`` rows in proportion to ``sizes`` by largest remainders, at least 1 each."""
    exact = sizes / sizes.sum() * total
    rows = np.maximum(np.floor(exact), 1).astype(np.int64)
    while (short := total - int(rows.sum())) != 0:
        rows[np.argmax((exact - rows) * np.sign(short))] += np.sign(short)
    return rows


def _draw(
    family: dict[str, Any], rows: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores and costs of ``rows`` queries of one family, each of shape (rows, N)."""
    outcomes = family["outcomes"].values()
    shares = np.array([outcome["shares"] for outcome in outcomes])
    loadings = np.array([outcome["score_loadings"] for outcome in outcomes])
    on_tokens, own = np.array([outcome["cost_loadings"] for outcome in outcomes]).T

    factors = rng.standard_normal((rows, loadings.shape[1]))
    rest = np.sqrt(1 - (loadings**2).sum(axis=1))
    latent = factors @ loadings.T + rest * rng.standard_normal((rows, len(shares)))
    # Cutting at ranks, not at thresholds, gives each level its exact share of the drawn rows.
    rank = latent.argsort(axis=0).argsort(axis=0)
    ends = np.rint(shares.cumsum(axis=1)[:, :-1] * rows)
    score = np.array(family["levels"])[(rank[:, :, None] >= ends).sum(axis=2)]

    tokens = np.interp(factors[:, 0], NORMAL_SCORES, family["log_tokens"])
    cost = np.exp(tokens[:, None] * on_tokens + own * rng.standard_normal((rows, len(shares))))
    mean = np.array([outcome["cost"] for outcome in outcomes])
    return score, cost * (mean / cost.mean(axis=0))
