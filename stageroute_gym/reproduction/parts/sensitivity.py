"""What each setting of the problem, of the pool and of StageRoute is worth, one at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stageroute_gym import checks, scenarios
from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.measures import SCORE
from stageroute_gym.evaluation.statistics import log_log_slope
from stageroute_gym.evaluation.trials import LeaderboardSettings
from stageroute_gym.reproduction.part import Measured
from stageroute_gym.reproduction.summing import entry_rows, interval
from stageroute_gym.scenarios import Scenario
from stageroute_gym.workloads import Changing, Figures, Newcomers

if TYPE_CHECKING:
    from stageroute_gym.report.results import Results

PROBLEMS, GAMMAS = "problems", "gammas"
POOL, ARRIVALS, GAMMA = "pool", "arrivals", "gamma"
BASE = "as it is"
# RouterBench's own models, which are there from the start in pools and under arrivals.
_OWN = 11
_LAST_ARRIVAL = 0.9  # of the horizon
_QUALITY, _PRICE = (-0.6, 0.3), (0.25, 4.0)  # as in the scenario `many-models`


@dataclass(frozen=True)
class Settings:
    """Settings of the part.

    Attributes:
        scenario: name of the scenario whose problem is varied.
        fields: values of fields of the problem, by name; one of each is what the scenario has.
        pools: numbers of models that are all there from the start, at least 11.
        arrivals: numbers of models that arrive one by one and join RouterBench's 11.
        gammas: values of StageRoute's ``gamma``.
        entries: what runs.
        seeds: number of seeds.
        overrides: fields of the problem that differ from the scenario's everywhere.
    """

    scenario: str
    fields: dict[str, tuple[float, ...]]
    pools: tuple[int, ...]
    arrivals: tuple[int, ...]
    gammas: tuple[float, ...]
    entries: tuple[str, ...]
    seeds: int
    overrides: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        checks.count("seeds", self.seeds, 2, 10_000)
        for size in self.pools:
            checks.count("pools", size, _OWN)
        for number in self.arrivals:
            checks.count("arrivals", number, 0)
        base = scenarios.get(self.scenario, **self.overrides).problem.to_dict()
        for name, values in self.fields.items():
            if name not in base:
                raise FieldError("fields", name, "fields of the problem")
            if base[name] not in values:
                raise FieldError(f"fields.{name}", values, f"values with {base[name]} among them")


def variants(settings: Settings) -> list[tuple[str, float, Scenario]]:
    """Each factor, its value, and the scenario with it; that of all base values comes once."""
    base = scenarios.get(settings.scenario, **settings.overrides)
    base = dataclasses.replace(base, name=BASE)
    found: list[tuple[str, float, Scenario]] = []
    for name, values in settings.fields.items():
        for value in values:
            same = getattr(base.problem, name) == value
            found.append((name, value, base if same else _named(base, name, value, {name: value})))
    pools = [(POOL, size, size - _OWN, 0.0) for size in settings.pools]
    pools += [(ARRIVALS, number, number, _LAST_ARRIVAL) for number in settings.arrivals]
    return found + [(each[0], each[1], _pool(base, *each)) for each in pools]


def _named(base: Scenario, factor: str, value: float, overrides: Mapping[str, Any]) -> Scenario:
    return dataclasses.replace(base.override(**overrides), name=f"{factor} {value:g}")


def _pool(base: Scenario, factor: str, value: int, further: int, duration: float) -> Scenario:
    """RouterBench's models and further ones, drawn around them."""
    own = Figures(initial_models=_OWN, num_queries=2048)
    joined = Newcomers(number=max(further, 1), duration=duration, quality=_QUALITY, price=_PRICE)
    workload = Changing(base=own, changes=(joined,)) if further else own
    return dataclasses.replace(base, name=f"{factor} {value:g}", workload=workload)


def boards(settings: Settings) -> dict[str, LeaderboardSettings]:
    """All variants of the problem, and StageRoute with each gamma."""
    chosen = {scenario.name: scenario for _, _, scenario in variants(settings)}
    base = dataclasses.replace(scenarios.get(settings.scenario, **settings.overrides), name=BASE)
    seeds = range(settings.seeds)
    return {
        PROBLEMS: LeaderboardSettings.checked(
            agents=settings.entries, scenarios=list(chosen.values()), seeds=seeds
        ),
        GAMMAS: LeaderboardSettings.checked(
            agents=[f"{gamma:g}=stageroute(gamma={gamma!r})" for gamma in settings.gammas],
            scenarios=[base],
            seeds=seeds,
        ),
    }


def measure(
    settings: Settings, boards: Mapping[str, Results], tell: Callable[[str], None]
) -> Measured:
    """Score and spend at each value of each factor, and how much they vary."""
    found = {(row["scenario"], row["entry"]): row for row in entry_rows(boards[PROBLEMS])}
    entries = list(dict.fromkeys(entry for _, entry in found))
    rows = [
        _row(factor, value, entry, found[scenario.name, entry])
        for factor, value, scenario in variants(settings)
        for entry in entries
    ]
    gammas = {row["entry"]: row for row in entry_rows(boards[GAMMAS])}
    rows += [_row(GAMMA, gamma, "stageroute", gammas[f"{gamma:g}"]) for gamma in settings.gammas]
    scores = _scores(settings, boards)
    summary = {
        "scenario": settings.scenario,
        "seeds": settings.seeds,
        "rows": rows,
        "ranges": [_range(rows, scores, factor, entry) for factor, entry in _pairs(rows)],
        "base": {name: _base_value(settings, name) for name in settings.fields},
    }
    return Measured(summary)


def _row(factor: str, value: float, entry: str, found: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: found[name] for name in ("kind", "score", "stage", "regret", "spend")}
    return {"factor": factor, "value": value, "entry": entry, **kept}


def _base_value(settings: Settings, name: str) -> Any:
    problem = scenarios.get(settings.scenario, **settings.overrides).problem
    return getattr(problem, name)


def _pairs(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((row["factor"], row["entry"]) for row in rows))


def _scores(
    settings: Settings, boards: Mapping[str, Results]
) -> dict[tuple[str, float, str], list[float]]:
    """Score over the horizon oracle's of each seed, by factor, value and entry."""
    places: list[tuple[str, str, str | None, str, float]] = [
        (PROBLEMS, scenario.name, None, factor, value)
        for factor, value, scenario in variants(settings)
    ]
    places += [(GAMMAS, BASE, f"{gamma:g}", GAMMA, gamma) for gamma in settings.gammas]
    found = {}
    for board, scenario, label, factor, value in places:
        episodes = boards[board].episodes.filter(scenario=scenario).sort("entry", "seed")
        for (entry,), part in episodes.group_by("entry", maintain_order=True):
            if label is None or entry == label:
                name = str(entry) if label is None else "stageroute"
                found[factor, value, name] = part[SCORE].to_list()
    return found


def _range(
    rows: list[dict[str, Any]],
    scores: Mapping[tuple[str, float, str], list[float]],
    factor: str,
    entry: str,
) -> dict[str, Any]:
    """How far the mean score moves over a factor's values, and the elasticity of the score."""
    mine = [row for row in rows if (row["factor"], row["entry"]) == (factor, entry)]
    means = [row["score"]["mean"] for row in mine]
    worst, best = (choose(mine, key=lambda row: row["score"]["mean"]) for choose in (min, max))
    positive = [row["value"] for row in mine if row["value"] > 0]
    values = np.array([scores[factor, value, entry] for value in positive])
    slope = log_log_slope(positive, values) if len(set(positive)) > 1 else None
    difference = [
        high - low
        for high, low in zip(
            scores[factor, best["value"], entry], scores[factor, worst["value"], entry], strict=True
        )
    ]
    return {
        "factor": factor,
        "entry": entry,
        "low": min(means),
        "low_at": worst["value"],
        "high": max(means),
        "high_at": best["value"],
        "difference": interval(difference),
        "elasticity": None
        if slope is None
        else {"mean": slope.mean, "low": slope.low, "high": slope.high},
    }
