"""How soon a better model that arrives is adopted, against ``M_max``, ``K`` and its advantage."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stageroute_gym import checks
from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.trials import LeaderboardSettings
from stageroute_gym.problem import Problem
from stageroute_gym.reproduction.part import Measured
from stageroute_gym.reproduction.summing import interval, middle
from stageroute_gym.scenarios import Scenario
from stageroute_gym.workloads import Changing, Figures, Newcomers

if TYPE_CHECKING:
    import polars as pl

    from stageroute_gym.report.results import Results

BOARD = "board"
FACTORS = ("max_deployed", "num_stages", "quality")
# It stands among its rivals, so that no order of columns finds it first.
BEFORE, GOOD, AFTER = "a", "b", "c"
NEWCOMER = Newcomers(number=1, prefix=GOOD).names()[0]
RIVALS_QUALITY = (-0.5, -0.1)
PARENT = "gpt-3.5-turbo-1106"


@dataclass(frozen=True)
class Settings:
    """Settings of the part. Of each factor the first value is that of the others' sweeps.

    Attributes:
        max_deployed: values of ``M_max``.
        num_stages: values of ``K``.
        quality: share of the queries on which the newcomer scores as the best model; on the others
            it answers, and on all it costs, as its parent does.
        rivals: number of newcomers that arrive with it and are worse than their parents; even.
        arrival: when they arrive, a share of the horizon.
        wanted: share of the oracle's use of it at which it counts as adopted.
        horizon: queries.
        budget: USD a query.
        entries: what runs.
        seeds: number of seeds.
    """

    max_deployed: tuple[int, ...]
    num_stages: tuple[int, ...]
    quality: tuple[float, ...]
    rivals: int
    arrival: float
    wanted: float
    horizon: int
    budget: float
    entries: tuple[str, ...]
    seeds: int

    def __post_init__(self) -> None:
        checks.count("seeds", self.seeds, 1, 10_000)
        if checks.count("rivals", self.rivals, 0, 10_000) % 2:
            raise FieldError("rivals", self.rivals, "an even number")
        checks.number("wanted", self.wanted, 0, 1, above=True)
        checks.number("arrival", self.arrival, 0, 1, below=True)

    def variants(self) -> list[tuple[str, dict[str, Any]]]:
        """Each factor's values by the others' first ones: the factor, and all three values."""
        values = {name: getattr(self, name) for name in FACTORS}
        base = {name: given[0] for name, given in values.items()}
        return [(name, {**base, name: value}) for name in FACTORS for value in values[name]]


def scenario_of(settings: Settings, values: Mapping[str, Any]) -> Scenario:
    """RouterBench's models from the start, and one that joins them."""
    problem = Problem(
        horizon=settings.horizon,
        num_stages=values["num_stages"],
        max_deployed=values["max_deployed"],
        throughput=0.4,
        budget=settings.budget,
        budget_rule="soft",
    )
    quality = values["quality"]
    better = Newcomers(
        number=1,
        start=settings.arrival,
        quality=(quality, quality),
        price=(1.0, 1.0),
        parents=(PARENT,),
        prefix=GOOD,
    )
    changes = [better]
    if settings.rivals:
        half = Newcomers(
            number=settings.rivals // 2, start=settings.arrival, quality=RIVALS_QUALITY
        )
        before, after = (dataclasses.replace(half, prefix=name) for name in (BEFORE, AFTER))
        changes = [before, better, after]
    shown = ", ".join(f"{name}={values[name]}" for name in FACTORS)
    workload = Changing(base=Figures(initial_models=11), changes=tuple(changes))
    return Scenario(f"newcomer({shown})", 1, problem, workload, "one better model joins")


def boards(settings: Settings) -> dict[str, LeaderboardSettings]:
    """One leaderboard on all variants."""
    scenarios = {
        (scenario := scenario_of(settings, values)).name: scenario
        for _, values in settings.variants()
    }
    return {
        BOARD: LeaderboardSettings.checked(
            agents=settings.entries,
            scenarios=list(scenarios.values()),
            seeds=range(settings.seeds),
        )
    }


def measure(
    settings: Settings, boards: Mapping[str, Results], tell: Callable[[str], None]
) -> Measured:
    """How many stages after its arrival the newcomer is adopted, seed by seed."""
    import polars as pl

    results = boards[BOARD]
    rows: list[dict[str, Any]] = []
    delays: list[dict[str, Any]] = []
    for factor, values in settings.variants():
        scenario = scenario_of(settings, values)
        world = scenario.world()
        column, parent = (world.table.models.index(name) for name in (NEWCOMER, PARENT))
        advantage = float(world.mean_score[-1, column] - world.mean_score[-1, parent])
        stages = results.stages.filter(pl.col("scenario") == scenario.name)
        plan = results.oracles.filter(pl.col("scenario") == scenario.name)
        length = settings.horizon / values["num_stages"]
        for entry in stages["entry"].unique(maintain_order=True):
            found = adoption(stages.filter(entry=entry), plan, settings.wanted)
            shared = {"factor": factor, "value": values[factor], "entry": entry}
            delays += [{**shared, "delay": delay} for delay in found.delays]
            late = [math.inf if delay is None else delay for delay in found.delays]
            rows.append(
                {
                    **shared,
                    "advantage": advantage,
                    "oracle": found.oracle,
                    "possible": found.possible,
                    "adopted": sum(map(math.isfinite, late)) / len(late),
                    "delay": {name: _finite(at) for name, at in _quartiles(late).items()},
                    "queries": _finite(_quartiles(late)["median"], length),
                    "share": interval(found.shares),
                    "spend": middle(_spend(results, scenario.name, entry)),
                }
            )
    schema = {"factor": pl.String, "value": pl.Float64, "entry": pl.String, "delay": pl.Int64}
    summary = {"rows": rows, "seeds": settings.seeds, "wanted": settings.wanted, "parent": PARENT}
    summary["rivals"] = settings.rivals
    return Measured(summary, {"delays": pl.DataFrame(delays, schema=schema)})


@dataclass(frozen=True)
class Adoption:
    """How a newcomer was taken up.

    Attributes:
        delays: for each seed the stages from its arrival until it was adopted for good, 0 for at
            once; None where that never happened.
        shares: for each seed its share of the queries from the arrival on.
        oracle: its share in the stage oracle's plan from the arrival on.
        possible: number of stages that it is on offer.
    """

    delays: list[int | None]
    shares: list[float]
    oracle: float
    possible: int


def adoption(stages: pl.DataFrame, plan: pl.DataFrame, wanted: float) -> Adoption:
    """When the newcomer serves ``wanted`` of its share in the stage oracle's plan, for good.

    That is the first stage in which it does, and in the sum from there to the end too.

    Args:
        stages: as `stageroute_gym.evaluation.stages.stage_rows` describes them, of one entry.
        plan: as `stageroute_gym.evaluation.oracle_plans.oracle_rows` describes it.
        wanted: the share of the oracle's share.
    """
    import polars as pl

    first = int(plan.filter(pl.col("available").list.contains(NEWCOMER))["stage"].min())  # type: ignore[arg-type]
    planned = _share_of(plan.filter(pl.col("stage") >= first), "stage_models", "stage_shares")
    later = stages.filter(pl.col("stage") >= first).sort("seed", "stage")
    delays: list[int | None] = []
    shares = []
    for _, part in later.group_by("seed", maintain_order=True):
        served = _share_of(part, "deployed", "pulls")
        own = [count / queries for count, queries in zip(served, part["queries"], strict=True)]
        reached = (
            place
            for place, share in enumerate(own)
            if share >= wanted * planned[place]
            and math.fsum(own[place:]) >= wanted * math.fsum(planned[place:])
        )
        delays.append(next(reached, None))
        shares.append(math.fsum(served) / int(part["queries"].sum()))
    return Adoption(delays, shares, math.fsum(planned) / len(planned), len(planned))


def _share_of(rows: pl.DataFrame, names: str, values: str) -> list[float]:
    """The newcomer's value in each row; 0 where it is not among the names."""
    return [
        float(dict(zip(listed, given, strict=True)).get(NEWCOMER, 0.0))
        for listed, given in zip(rows[names].to_list(), rows[values].to_list(), strict=True)
    ]


def _quartiles(values: Sequence[float]) -> dict[str, float]:
    """The quartiles, each a value that occurs, so that "never" may be among them."""
    ordered = sorted(values)
    places = {"low": 0.25, "median": 0.5, "high": 0.75}
    return {name: ordered[math.ceil(q * len(ordered)) - 1] for name, q in places.items()}


def _finite(value: float, factor: float = 1.0) -> float | None:
    return value * factor if math.isfinite(value) else None


def _spend(results: Results, scenario: str, entry: str) -> list[float]:
    mine = results.episodes.filter(scenario=scenario, entry=entry)
    return [float(value) for value in mine["spend_over_budget"]]
