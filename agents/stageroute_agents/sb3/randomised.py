"""Scenarios drawn at random, for an agent that is to play ones it never saw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

NUM_MODELS = 11
_NUM_QUERIES = 1_000


def random_scenario(rng: np.random.Generator, folder: Path) -> dict[str, Any]:
    """Arguments of an environment of 11 models with random outcomes, pool, limits and budget.

    Half of them draw RouterBench's models (with list prices) in random order of arrival, with a
    table of their own; the other half models that do not exist, from a file in ``folder``.

    Args:
        rng: what draws them.
        folder: where files of outcomes may be written.
    """
    initial = int(rng.integers(3, NUM_MODELS + 1))
    arguments: dict[str, Any] = {
        "horizon": int(rng.integers(4_000, 12_001)),
        "num_stages": int(rng.integers(8, 31)),
        "max_deployed": int(rng.integers(3, 8)),
        "throughput": float(rng.choice([0.3, 0.4, 0.5, 0.75, 1.0])),
        "initial_models": initial,
    }
    # Half of the pools never get all models: the later arrivals lie behind the horizon.
    if rng.random() < 0.5:
        arguments["arrival_interval"] = int(rng.integers(1_000, 6_001))
    if rng.random() < 0.5:
        from stageroute_gym.workloads.figures import Figures

        names = Figures().table().models
        return arguments | {
            "scenario": "routerbench",
            "table_seed": int(rng.integers(1, 2**31)),
            "num_queries": _NUM_QUERIES,
            "arrival_order": [names[place] for place in rng.permutation(NUM_MODELS)],
            "budget": float(np.exp(rng.uniform(np.log(8e-5), np.log(3e-3)))),
        }
    path = folder / f"{int(rng.integers(2**63)):016x}.parquet"
    invented = [f"model-{m}" for m in range(NUM_MODELS)]
    mean_cost = _write_outcomes(rng, invented, path)
    low, high = np.log(mean_cost.min() * 1.5), np.log(mean_cost.max())
    return arguments | {
        "scenario": "recorded",
        "data": str(path),
        "arrival_order": [invented[place] for place in rng.permutation(NUM_MODELS)],
        "budget": float(np.exp(rng.uniform(low, high))),
    }


def _write_outcomes(rng: np.random.Generator, names: list[str], path: Path) -> NDArray[np.float64]:
    """Write outcomes of models that do not exist; their mean costs, shape (N,), float64.

    Stronger models tend to cost more. A model's chance on a query falls with the query's
    difficulty, and all models' costs rise with its length.
    """
    import polars as pl

    n = len(names)
    spread = rng.uniform(0.3, 1.5)
    log_cost = rng.normal(0.0, spread, n)
    link = rng.uniform(0.0, 1.0)
    ability = link * log_cost / spread + np.sqrt(1 - link**2) * rng.normal(size=n)
    difficulty = rng.normal(rng.uniform(-1.0, 1.0), 1.0, (_NUM_QUERIES, 1))
    chance = 1 / (1 + np.exp(1.5 * (difficulty - ability)))
    graded = rng.random() < 0.5
    score = np.rint(4 * chance) / 4 if graded else (rng.random(chance.shape) < chance) * 1.0
    length = rng.normal(0.0, 0.8, (_NUM_QUERIES, 1))
    scale = 10 ** rng.uniform(-5, 0)
    cost = scale * np.exp(log_cost + length + 0.2 * rng.normal(size=chance.shape))
    columns = {f"score:{name}": score[:, m] for m, name in enumerate(names)}
    columns |= {f"cost:{name}": cost[:, m] for m, name in enumerate(names)}
    ids = {"query_id": np.arange(_NUM_QUERIES), "task": ["random"] * _NUM_QUERIES}
    pl.DataFrame({**ids, **columns}).write_parquet(path)
    return cost.mean(axis=0)
