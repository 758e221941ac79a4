"""What a user asks for, checked, with defaults from the data where something is left open."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stageroute_gym import checks
from stageroute_gym.advice.evidence import Cells
from stageroute_gym.advice.plans import Limits, choose, least_cost
from stageroute_gym.errors import FieldError, closest

DEFAULT_SLOTS = 5


@dataclass(frozen=True)
class Wishes:
    """Limits as a user gives them; None leaves one to the data.

    Args:
        budget: USD a query. None: what a log spends, or the median of the models' mean costs; no
            budget where ``min_score`` is given.
        max_deployed: how many models may be deployed at once. None: 5, or all where fewer.
        throughput: largest share of all queries that one model may serve, for all models, and of
            single ones by name; ``""`` stands for all others. None: 1, no limit.
        min_score: mean score to reach at the least cost, instead of a budget.

    Raises:
        FieldError: if a value is out of range, or both a budget and a floor are given.
    """

    budget: float | None = None
    max_deployed: int | None = None
    throughput: float | Mapping[str, float] | None = None
    min_score: float | None = None

    def __post_init__(self) -> None:
        if self.budget is not None:
            checks.number("budget", self.budget, 0.0, above=True, unit="USD a query")
        if self.max_deployed is not None:
            checks.count("max_deployed", self.max_deployed, 1)
        shares = self.throughput if isinstance(self.throughput, Mapping) else {"": self.throughput}
        for name, share in shares.items():
            if share is not None:
                field = f"throughput of {name!r}" if name else "throughput"
                checks.number(field, share, 0.0, 1.0, above=True)
        if self.min_score is not None:
            checks.number("min_score", self.min_score, 0.0, 1.0)
            if self.budget is not None:
                raise FieldError(
                    "min_score", self.min_score, "either a floor for the score or a budget"
                )

    def limits(
        self,
        models: tuple[str, ...],
        cells: Cells,
        mean_cost: NDArray[np.float64],
        spent: float | None = None,
    ) -> tuple[Limits, tuple[str, ...]]:
        """The limits, and for each that was left open a sentence: what it is and how to change it.

        Args:
            models: names of the models.
            cells: what is expected of them.
            mean_cost: each model's mean cost, USD a query, ``(N,)``; not a number where unknown.
            spent: what is spent today, USD a query; the budget where none was asked for.

        Raises:
            FieldError: if a model is unknown, or the floor is out of reach.
        """
        chosen = []
        slots = self.max_deployed
        if slots is None:
            slots = min(DEFAULT_SLOTS, len(models))
            chosen.append(f"slots: {slots} models at once; --max-deployed changes it")
        slots = min(slots, len(models))
        throughput = np.ones(len(models))
        if self.throughput is None:
            chosen.append("throughput: no limit for any model; --throughput changes it")
        else:
            named = self.throughput
            shares = named if isinstance(named, Mapping) else {"": named}
            throughput[:] = shares.get("", 1.0)
            for name, share in shares.items():
                if name and name not in models:
                    raise FieldError("throughput", name, closest(name, models))
                if name:
                    throughput[models.index(name)] = share
        budget = self.budget
        if self.min_score is not None:
            budget = math.inf
        elif budget is None:
            budget = float(np.nanmedian(mean_cost)) if spent is None else spent
            if budget <= 0.0:
                raise FieldError(
                    "budget", None, "a budget (--budget USD), since most models cost nothing"
                )
            origin = "the median of the models' mean costs" if spent is None else "as the log"
            chosen.append(
                f"budget: {budget:.4g} USD a query, {origin}; --budget or --min-score changes it"
            )
        limits = Limits(budget, slots, throughput, self.min_score)
        if self.min_score is not None and choose(cells, limits) is None:
            best = choose(cells, Limits(math.inf, slots, throughput))
            assert best is not None
            unserved = "" if least_cost(cells, limits) else ", and not of all queries"
            allowed = f"at most {best.worth.score:.6g}, which no plan here exceeds{unserved}"
            raise FieldError("min_score", self.min_score, allowed)
        return limits, tuple(chosen)
