"""How a random world changes over its stages: arrivals, withdrawals, drift, price cuts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.workloads.schedule import Schedule
from stageroute_gym.workloads.table import OutcomeTable
from stageroute_gym.workloads.worlds.traits import Traits

_MIXES = 8  # that a drift goes through


def draw_schedule(
    traits: Traits, table: OutcomeTable, starts: NDArray[np.float64], rng: np.random.Generator
) -> Schedule:
    """The schedule of a world; moments are drawn as shares of the horizon, then met by a stage.

    Args:
        traits: what kind of world it is.
        table: its table.
        starts: share of the horizon at which each stage begins, shape (K,), float64.
        rng: where its random numbers come from.
    """
    mixes, stage_mix = _mixes(traits, table, starts, rng)
    return Schedule(
        mixes=mixes,
        stage_mix=stage_mix,
        cost_multiplier=_multipliers(traits, table.num_models, starts, rng),
        available=_available(traits, table.num_models, starts, rng),
    )


def _mixes(
    traits: Traits, table: OutcomeTable, starts: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Mixes and which of them each stage has: with drift, one group gives way to another."""
    before = np.ones(table.num_queries)
    groups = rng.permutation(len(table.task_names))
    if not traits.changes("drift"):
        return (before / before.sum())[None], np.zeros(len(starts), np.int64)
    first, last = (np.where(table.task == group, 1.0, 0.05) for group in groups[:2])
    first, last = first / first.sum(), last / last.sum()
    share = np.linspace(0, 1, _MIXES)[:, None]
    stage_mix = np.minimum((starts * _MIXES).astype(np.int64), _MIXES - 1)
    return (1 - share) * first + share * last, stage_mix


def _multipliers(
    traits: Traits, models: int, starts: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Cost multipliers, shape (K, N), float64: half of the models get cheaper at some moment."""
    moments, factors = rng.uniform(0.1, 0.9, models), 10 ** rng.uniform(-1, -0.1, models)
    cut = rng.uniform(size=models) < 0.5
    if not traits.changes("price-cuts"):
        return np.ones((len(starts), models))
    return np.where(cut & (starts[:, None] >= moments), factors, 1.0)


def _available(
    traits: Traits, models: int, starts: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Models on offer, shape (K, N), bool; the models of a random half, at least one, stay."""
    moments = rng.uniform(0.05, 0.9, (2, models)).cumsum(axis=0)
    order = rng.permutation(models)
    moving = np.zeros(models, np.bool_)
    moving[order[(models + 1) // 2 :]] = True
    arrives = np.where(moving & traits.changes("arrivals"), moments[0], 0.0)
    # Who has arrived stays for some time; a moment beyond the horizon is none.
    goes = np.where(moving & traits.changes("withdrawals"), moments[1], np.inf)
    if traits.change == "withdrawals":
        goes = np.where(moving, moments[0], np.inf)
    on_offer: NDArray[np.bool_] = (starts[:, None] >= arrives) & (starts[:, None] < goes)
    return on_offer
