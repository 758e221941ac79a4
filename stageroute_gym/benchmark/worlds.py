"""Worlds of any size, and legal actions prepared in advance to step environments with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.world import World

NUM_QUERIES = 256
MEAN_COST = 5e-4  # USD


@contextmanager
def outcome_files(sizes: list[int]) -> Iterator[dict[int, str]]:
    """Files with random outcomes, one for each number of models, as long as the context lasts.

    A file, read by the scenario ``recorded``, is how users bring models of their own too.
    """
    with TemporaryDirectory(prefix="stageroute-bench-") as folder:
        paths = {size: Path(folder) / f"{size}-models.parquet" for size in sizes}
        for size, path in paths.items():
            _write_outcomes(path, size)
        yield {size: str(path) for size, path in paths.items()}


def _write_outcomes(path: Path, num_models: int) -> None:
    """Random scores, and costs that rise with them, of ``num_models`` on `NUM_QUERIES` queries."""
    import polars as pl

    rng = np.random.default_rng(num_models)
    strength = np.linspace(0.2, 0.9, num_models)[rng.permutation(num_models)]
    price = MEAN_COST * np.exp(3.0 * (strength - 0.55) + 0.5 * rng.standard_normal(num_models))
    score = (rng.random((NUM_QUERIES, num_models)) < strength).astype(np.float64)
    cost = price * rng.gamma(2.0, 0.5, (NUM_QUERIES, 1))
    columns: dict[str, Any] = {
        "query_id": [f"q{row}" for row in range(NUM_QUERIES)],
        "task": ["all"] * NUM_QUERIES,
    }
    columns |= {f"score:m{m}": score[:, m] for m in range(num_models)}
    columns |= {f"cost:m{m}": cost[:, m] for m in range(num_models)}
    pl.DataFrame(columns).write_parquet(path)


def random_world(
    data: str, num_models: int, max_deployed: int, horizon: int, **problem: Any
) -> dict[str, Any]:
    """Arguments that make an environment of that size, with all models there from the start.

    Args:
        data: the file of `outcome_files` for ``num_models``.
        num_models: ``N``.
        max_deployed: ``M_max``; the throughput lets each deployed model take twice its share.
        horizon: ``T``, in 20 stages.
        problem: further fields of the problem.
    """
    return {
        "scenario": "recorded",
        "data": data,
        "arrival_order": "column",
        "initial_models": num_models,
        "arrival_interval": None,
        "max_deployed": max_deployed,
        "throughput": min(1.0, 2.0 / max_deployed),
        "horizon": horizon,
        "num_stages": 20,
        "budget": MEAN_COST,
        "budget_rule": "soft",
    } | problem


def legal_actions(world: World, num_envs: int, *, continuous: bool) -> list[NDArray[Any]]:
    """Actions that are legal in every state, to be used in turns, each for ``num_envs``.

    Discrete: ``M_max`` models that are on offer in all stages, one after the other. In a deploy
    phase these are distinct models and fill the slots; in a route phase each has its equal share,
    which the throughput allows. Neighbouring environments are one model apart. Continuous: equal
    positive weights for these models.
    """
    always = np.flatnonzero(world.schedule.available.all(axis=0))
    size = min(world.problem.max_deployed, len(always))
    models = always[:size]
    if continuous:
        weights = np.full((num_envs, world.num_models), -1.0, np.float32)
        weights[:, models] = 1.0
        return [weights]
    places = np.arange(num_envs)
    return [models[(places + turn) % size] for turn in range(size)]
