"""Sweeps: one scenario at several values of a field of its problem, and the curves over them."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stageroute_gym.errors import FieldError
from stageroute_gym.problem import Problem

if TYPE_CHECKING:
    import polars as pl

    from stageroute_gym.scenarios import Scenario

# Of these a list is one value; several are a list of lists.
_LISTED = ("throughput", "stage_starts")


@dataclass(frozen=True)
class Sweep:
    """A scenario at several values of fields of its problem.

    Attributes:
        scenario: name of the scenario.
        fields: names of the fields.
        variants: the scenario at each combination of values, under a name that holds them.
        values: the values of each variant, in the order of the fields.
    """

    scenario: str
    fields: tuple[str, ...]
    variants: tuple[Scenario, ...]
    values: tuple[tuple[Any, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """The sweep as JSON-native values; of the variants the names."""
        return {
            "scenario": self.scenario,
            "fields": list(self.fields),
            "variants": [variant.name for variant in self.variants],
            "values": [list(values) for values in self.values],
        }


def sweep(scenario: Scenario, overrides: Mapping[str, Any]) -> Sweep:
    """A scenario under overrides of which some have several values.

    Args:
        scenario: the scenario.
        overrides: as for `stageroute_gym.scenarios.get`; a list of values of a field of the
            problem stands for each of them. Of ``throughput`` and ``stage_starts``, a value of
            which may be a list itself, several values are a list of lists.

    Returns:
        The sweep; with no field and one variant, the scenario itself, where nothing has several.

    Raises:
        FieldError: if a name or a value is not allowed, or a value stands twice.
    """
    several = {name: value for name, value in overrides.items() if _is_several(name, value)}
    fixed = {name: value for name, value in overrides.items() if name not in several}
    for name, values in several.items():
        if any(list(values).count(value) > 1 for value in values):
            raise FieldError(name, list(values), "several values, none of them twice")
    combinations = tuple(itertools.product(*several.values()))
    variants = []
    for values in combinations:
        given = dict(zip(several, values, strict=True))
        variant = scenario.override(**fixed, **given)
        if given:
            shown = ", ".join(f"{name}={value}" for name, value in given.items())
            variant = dataclasses.replace(variant, name=f"{scenario.name}({shown})")
        variants.append(variant)
    return Sweep(scenario.name, tuple(several), tuple(variants), combinations)


def budget_truth(sweep: Sweep, seed: int) -> dict[str, Any] | None:
    """What can be had at each budget, where that alone is swept.

    Args:
        sweep: the sweep.
        seed: whose world is meant where each seed has one of its own.

    Returns:
        None where another field is swept, or one budget. Else JSON-native: ``scenario``, its
        ``variants`` (names), ``budgets`` (USD a query, ascending), ``oracle``, the horizon oracle
        as `budget_curves` has an entry (its ``cost`` None), and ``single``, what serving all
        queries with the best model on offer would ``score`` and ``cost``, whatever budget and
        throughput.
    """
    from stageroute_gym.oracles import oracle_score

    if sweep.fields != ("budget",) or len(sweep.variants) < 2:
        return None
    ascending = sorted(sweep.variants, key=lambda variant: variant.problem.budget)
    return {
        "scenario": sweep.scenario,
        "variants": [variant.name for variant in ascending],
        "budgets": [variant.problem.budget for variant in ascending],
        "oracle": _oracle([oracle_score(variant.world(seed), "horizon") for variant in ascending]),
        "single": _best_single(ascending[0], seed),
    }


def joined_truth(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """What can be had at the budgets of two sweeps of one scenario; see `budget_truth`."""
    points = {
        point
        for truth in (one, other)
        for point in zip(truth["budgets"], truth["variants"], truth["oracle"]["score"], strict=True)
    }
    budgets, variants, oracle = map(list, zip(*sorted(points), strict=True))
    return {**one, "variants": variants, "budgets": budgets, "oracle": _oracle(oracle)}


def budget_curves(truth: Mapping[str, Any], results: pl.DataFrame) -> dict[str, Any]:
    """How score and cost grow with the budget.

    Args:
        truth: see `budget_truth`.
        results: rows of its variants, see `stageroute_gym.evaluation.books.episode_rows`.

    Returns:
        JSON-native: the truth and, by label, ``entries`` that ran at all budgets:
        ``score`` and ``cost`` (USD) a query at each of them, means over seeds, ``area``, the area
        under the score over the logarithm of the budget as a share of the oracle's (None where that
        is 0), and ``saving``: which share of the best single model's cost an entry saves at the
        budget, between those swept, where it reaches that model's score; None where it never does.
    """
    import polars as pl

    budgets, oracle, single = truth["budgets"], truth["oracle"]["score"], truth["single"]
    entries = {}
    for (label,), rows in results.sort("entry", "seed").group_by("entry", maintain_order=True):
        parts = [rows.filter(pl.col("scenario") == variant) for variant in truth["variants"]]
        if any(part.is_empty() for part in parts):
            continue
        score = [_mean(part["score_per_query"]) for part in parts]
        cost = [_mean(part["spend"] / part["horizon"]) for part in parts]
        entries[label] = {
            "score": score,
            "cost": cost,
            "area": _area(budgets, score) / _area(budgets, oracle) if any(oracle) else None,
            "saving": _saving(score, cost, single),
        }
    return {**truth, "entries": entries}


def _oracle(score: list[float]) -> dict[str, Any]:
    return {"score": score, "cost": None, "area": 1.0}


def _is_several(name: str, value: Any) -> bool:
    if name not in Problem.field_names() or not isinstance(value, (list, tuple)):
        return False
    return name not in _LISTED or any(isinstance(part, (list, tuple)) for part in value)


def _mean(values: pl.Series) -> float:
    return math.fsum(values.to_list()) / len(values)


def _area(budgets: Sequence[float], score: Sequence[float]) -> float:
    return float(np.trapezoid(score, np.log(budgets)))


def _best_single(scenario: Scenario, seed: int) -> dict[str, float]:
    """Score and cost a query of the best model on offer in each stage, serving all alone."""
    world = scenario.world(seed)
    lengths, stages = world.problem.stage_lengths, np.arange(len(world.problem.stage_lengths))
    best = np.where(world.schedule.available, world.mean_score, -1.0).argmax(axis=1)
    open_stages = world.schedule.available.any(axis=1)
    score, cost = (
        math.fsum((lengths * means[stages, best] * open_stages).tolist()) / int(lengths.sum())
        for means in (world.mean_score, world.mean_cost)
    )
    return {"score": score, "cost": cost}


def _saving(
    score: Sequence[float], cost: Sequence[float], single: Mapping[str, float]
) -> float | None:
    """Share of the best model's cost that is saved where a curve first reaches its score."""
    wanted = single["score"]
    if single["cost"] <= 0 or score[0] >= wanted or max(score) < wanted:
        # Below the smallest budget the curve is not known: a lower bound of what is saved.
        known = single["cost"] > 0 and score[0] >= wanted
        return 1 - cost[0] / single["cost"] if known else None
    place = next(i for i, value in enumerate(score) if value >= wanted)
    part = (wanted - score[place - 1]) / (score[place] - score[place - 1])
    spent = cost[place - 1] + part * (cost[place] - cost[place - 1])
    return 1 - spent / single["cost"]
