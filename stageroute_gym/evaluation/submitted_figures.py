"""Whether the figures of a submission follow from each other, and how two sets of them differ."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.attempts import machine
from stageroute_gym.evaluation.books import Books, episode_rows
from stageroute_gym.evaluation.running import DecisionTiming
from stageroute_gym.evaluation.stages import stage_rows
from stageroute_gym.scenarios import Scenario

if TYPE_CHECKING:
    import polars as pl

# Another processor may round a sum or an exponential the other way.
TOLERANCE = 1e-9
# What adds up over the stages of an episode, by the name that the episode has for it.
_SUMS = ("served", "declined", "activations", "score", "regret", "spend")


@dataclass(frozen=True)
class Difference:
    """A figure that two runs do not share.

    Attributes:
        scenario: name of the scenario.
        seed: seed of the episode.
        stage: stage of the episode; None for a figure of all of it.
        figure: the column.
        submitted: the value in the submission.
        found: the value that was found.
    """

    scenario: str
    seed: int
    stage: int | None
    figure: str
    submitted: Any
    found: Any

    def __str__(self) -> str:
        """The difference in a line."""
        stage = "" if self.stage is None else f", stage {self.stage}"
        where = f"{self.scenario}, seed {self.seed}{stage}"
        return f"{where}: {self.figure} is {self.submitted!r} as submitted, {self.found!r} here"


def differences(
    submitted: pl.DataFrame, found: pl.DataFrame, keys: Sequence[str]
) -> list[Difference]:
    """Where two tables differ: whole numbers and texts at all, others beyond rounding.

    Args:
        submitted: rows of a submission.
        found: the same rows as found here.
        keys: columns that tell rows apart: ``scenario``, ``seed`` and maybe ``stage``.
    """
    there = {tuple(row[key] for key in keys): row for row in submitted.iter_rows(named=True)}
    missed = []
    for row in found.iter_rows(named=True):
        place = tuple(row[key] for key in keys)
        stage = row["stage"] if "stage" in keys else None
        other = there.get(place, {})
        missed += [
            Difference(row["scenario"], row["seed"], stage, name, other.get(name), value)
            for name, value in row.items()
            if not _same(other.get(name), value)
        ]
    return missed


def check_figures(
    episodes: pl.DataFrame,
    stages: pl.DataFrame,
    timings: pl.DataFrame,
    entry: Mapping[str, Any],
    scenarios: Mapping[str, Scenario],
    seeds: Sequence[int],
) -> None:
    """Check what a submission says of its episodes against itself and against the scenarios.

    Args:
        episodes: its episodes.
        stages: their stages.
        timings: how long they took, by scenario.
        entry: its entry.
        scenarios: the suite's scenarios by name.
        seeds: the suite's seeds.

    Raises:
        FieldError: if a table has other columns, an episode is missing, stands twice or is not the
            suite's, or a figure cannot be, or does not follow from the others.
    """
    import polars as pl

    given_tables = {"episodes": episodes, "stages": stages, "timings": timings}
    for name, empty in _columns(next(iter(scenarios.values()))).items():
        _check_columns(name, given_tables[name], empty)
    wanted = sorted((name, seed) for name in scenarios for seed in seeds)
    given = episodes.select("scenario", "seed").rows()
    if sorted(given) != wanted:
        wrong = next(iter(set(given) ^ set(wanted)), given[0] if given else None)
        raise FieldError("episodes", wrong, "each of the suite's scenarios and seeds once")
    bounds = {name: s.problem.stage_bounds for name, s in scenarios.items()}
    places = sorted((n, seed, k) for n, seed in wanted for k in range(len(bounds[n]) - 1))
    if sorted(stages.select("scenario", "seed", "stage").rows()) != places:
        raise FieldError("stages", len(stages), f"each stage of each episode once: {len(places)}")
    for name, scenario in scenarios.items():
        own = episodes.filter(pl.col("scenario") == name).sort("seed")
        for part in (
            [own.filter(pl.col("seed") == s) for s in seeds] if scenario.per_seed else [own]
        ):
            derived = _derived(part, scenario, entry)
            _refuse(differences(part, derived, ("scenario", "seed")), "what the others come to")
        _check_possible(own, scenario)
    label = entry["label"]
    for name, rows in (("stages", stages.unique(["scenario", "entry"])), ("timings", timings)):
        keys = sorted(rows.select("scenario", "entry").rows())
        if keys != sorted((scenario, label) for scenario in scenarios):
            raise FieldError(f"{name}.parquet", keys, f"each of the suite's scenarios, by {label}")
    # Every episode's row is the sum of its stages'.
    added = stages.group_by("scenario", "seed", maintain_order=True).agg(
        pl.col(*_SUMS).sum(), unserved=(pl.col("declined") + pl.col("unreached")).sum()
    )
    shown = episodes.select(added.columns)
    _refuse(differences(shown, added, ("scenario", "seed")), "the sum over its stages")
    wrong_pulls = stages.filter(pl.col("pulls").list.sum() != pl.col("served"))
    if not wrong_pulls.is_empty():
        row = wrong_pulls.row(0, named=True)
        where = f"pulls of {row['scenario']}, seed {row['seed']}, stage {row['stage']}"
        raise FieldError(where, row["pulls"], f"as many as were served, {row['served']}")


def _columns(scenario: Scenario) -> dict[str, pl.DataFrame]:
    """Tables with a submission's columns, as they are written, of an episode without queries."""
    import polars as pl

    world = scenario.world(0)
    books = Books(1, world)
    books.decisions += 1
    names = dict.fromkeys(("entry", "agent", "agent_parameters", "env_id"), "")
    timing = {**asdict(DecisionTiming("", "", 0, 0.0, 0.0)), **machine()}
    regret = np.zeros(1)
    return {
        "episodes": episode_rows(scenario, world, **names, seeds=[0], books=books),
        "stages": stage_rows(world, books.stages, regret, scenario="", entry="", seeds=[0]),
        "timings": pl.DataFrame([timing]),
    }


def _check_columns(name: str, table: pl.DataFrame, like: pl.DataFrame) -> None:
    given, wanted = list(table.schema.items()), list(like.schema.items())
    if given != wanted:
        odd = [item for item in given if item not in wanted]
        missing = [item for item in wanted if item not in given]
        found, kind = (odd or missing or given)[0]
        allowed = f"a column of this version's, in its order and type: {like.columns}"
        value = f"{found} ({kind})" if odd or not missing else f"no {found}"
        raise FieldError(f"column of {name}", value, allowed)


def _derived(part: pl.DataFrame, scenario: Scenario, entry: Mapping[str, Any]) -> pl.DataFrame:
    """The rows as they follow from what was counted, and from scenario and entry."""
    seeds = part["seed"].to_list()
    world = scenario.world(seeds[0])
    books = Books(len(seeds), world)
    books.score = part["score"].to_numpy()
    books.decisions = part["decisions"].to_numpy()
    books.final |= {
        name: part[name].to_numpy()
        for name in ("declined", "invalid_actions", "activations", "spend", "regret")
    }
    books.final["t"] = (part["served"] + part["declined"]).to_numpy()
    return episode_rows(
        scenario,
        world,
        entry=entry["label"],
        agent=entry["agent"],
        agent_parameters=json.dumps(entry["parameters"], sort_keys=True),
        env_id=entry["env_id"],
        seeds=seeds,
        books=books,
    )


def _check_possible(rows: pl.DataFrame, scenario: Scenario) -> None:
    """Whether counts and sums lie where an episode's can."""
    problem, seeds = scenario.problem, rows["seed"].to_list()
    dearest = max(scenario.world(s).cost_bounds[1] for s in (seeds if scenario.per_seed else [0]))
    for row in rows.iter_rows(named=True):
        reached = row["served"] + row["declined"]
        activations = problem.deployment_cost * row["activations"]
        most = dearest * row["served"] + activations
        if problem.budget_rule == "hard":
            # The last query may overspend, and so may the activations of one stage.
            excess = dearest + problem.deployment_cost * problem.max_deployed
            most = min(most, problem.total_budget + excess)
        ranges = {
            "served": (row["served"], 0, problem.horizon),
            "declined": (row["declined"], 0, problem.horizon - row["served"]),
            "score": (row["score"], 0.0, float(row["served"])),
            "spend": (row["spend"], 0.0, most * (1 + TOLERANCE)),
            "decisions": (row["decisions"], reached, math.inf),
            "invalid_actions": (row["invalid_actions"], 0, row["decisions"]),
        }
        for name, (value, low, high) in ranges.items():
            if not low <= value <= high:
                where = f"{name} of {scenario.name}, seed {row['seed']}"
                raise FieldError(where, value, f"{low:g} to {high:g}")


def _refuse(found: list[Difference], why: str) -> None:
    if found:
        first = found[0]
        where = f"{first.figure} of {first.scenario}, seed {first.seed}"
        raise FieldError(where, first.submitted, f"{first.found!r}, {why}")


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE) or (
            bool(np.isnan(one)) and bool(np.isnan(other))
        )
    return type(one) is type(other) and bool(one == other)
