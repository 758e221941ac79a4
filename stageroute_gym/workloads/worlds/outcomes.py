"""Scores, costs and list prices of a random world's models."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.workloads.table import OutcomeTable
from stageroute_gym.workloads.worlds.traits import Traits

ROWS = 1024
GROUPS = 3  # of queries, on which models differ: what a drift moves between
_GRADES = 4
_TINY = 1e-3
# Width of the log-uniform mean costs, in decades.
_DECADES = {"near-equal": 0.02, "one-decade": 1.0, "five-decades": 5.0, "pareto": 1.0}
_TAIL_INDEX = 1.5


def draw_table(traits: Traits, models: int, rng: np.random.Generator) -> OutcomeTable:
    """The table of a world: `ROWS` queries in `GROUPS` groups of random sizes.

    Args:
        traits: what kind of world it is.
        models: number of models ``N``.
        rng: where its random numbers come from.
    """
    task = np.sort(rng.choice(GROUPS, ROWS, p=rng.dirichlet(np.full(GROUPS, 3.0))))
    task[:GROUPS] = np.arange(GROUPS)
    rank = rng.uniform(size=models)
    mean_cost = 10 ** (rng.uniform(-6, -3) + _DECADES[traits.costs] * rank)
    score = _scores(traits.scores, _skill(rank, rng)[task], rng)
    cost = mean_cost * _cost_of_queries(traits.costs, models, rng)
    width = len(str(models - 1))
    return OutcomeTable(
        models=tuple(f"model-{number:0{width}}" for number in range(models)),
        score=score,
        cost=cost,
        task=task,
        task_names=tuple(f"group-{number}" for number in range(GROUPS)),
        list_price=_list_prices(traits.prices, cost.mean(axis=0), rng),
    )


def _skill(rank: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Mean score of each model on each group, shape (GROUPS, N), float64, in [0.02, 0.98].

    How much dearer models are better, and how much models differ at all, is drawn too: in some
    worlds price says nothing, in some all models are alike.
    """
    level, spread, slope = rng.uniform(0.2, 0.8), rng.uniform(0.0, 0.3), rng.uniform(-0.5, 1.0)
    own = rng.standard_normal(len(rank))
    general = slope * (2 * rank - 1) + np.sqrt(1 - slope**2) * own
    special = rng.uniform(0.0, 0.15) * rng.standard_normal((GROUPS, len(rank)))
    skill: NDArray[np.float64] = np.clip(level + spread * general + special, 0.02, 0.98)
    return skill


def _scores(shape: str, mean: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Scores with these means, shape (Q, N), float64; a query is hard or easy for all models."""
    if shape == "near-constant":
        noise = rng.uniform(-0.01, 0.01, mean.shape)
        steady: NDArray[np.float64] = mean + noise
        return steady
    # Halfway between one draw a query for all models and one for each.
    common = rng.uniform(size=(len(mean), 1))
    draw = np.where(rng.uniform(size=mean.shape) < 0.5, common, rng.uniform(size=mean.shape))
    if shape == "graded":
        # Scores between the grades below and above a level that varies about the mean.
        level = np.clip(mean + 0.2 * (draw - 0.5), 0, 1) * _GRADES
        up = rng.uniform(size=mean.shape) < level - np.floor(level)
        return (np.floor(level) + up) / _GRADES
    right = (draw < mean).astype(np.float64)
    return right * _TINY if shape == "tiny" else right


def _cost_of_queries(shape: str, models: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """What a query costs in terms of the mean, shape (Q, N), float64; mostly the same for all."""
    if shape == "pareto":
        length = rng.pareto(_TAIL_INDEX, (ROWS, 1)) + 1
    else:
        length = np.exp(rng.uniform(0.2, 0.8) * rng.standard_normal((ROWS, 1)))
    relative = length * np.exp(0.15 * rng.standard_normal((ROWS, models)))
    in_terms_of_mean: NDArray[np.float64] = relative / relative.mean(axis=0)
    return in_terms_of_mean


def _list_prices(
    kind: str, mean_cost: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """List prices: about the costs, or those of other models, or none."""
    if kind == "missing":
        return np.zeros_like(mean_cost)
    about: NDArray[np.float64] = mean_cost * np.exp(0.2 * rng.standard_normal(len(mean_cost)))
    return rng.permutation(about) if kind == "misleading" else about
