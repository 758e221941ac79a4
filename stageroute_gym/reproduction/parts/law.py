"""The law of the regret: its exponent in T on hard instances, and each term of the upper bound."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stageroute_gym import checks
from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.entries import Entry
from stageroute_gym.evaluation.regrets import regrets
from stageroute_gym.evaluation.statistics import Estimate, estimate, log_log_slope
from stageroute_gym.registration import CONTINUOUS
from stageroute_gym.reproduction.part import Measured
from stageroute_gym.reproduction.parts.law_instances import (
    CUBE_ROOT,
    DISCOVERY,
    INSTANCES,
    LATE,
    NOISE,
    RULES,
    TWO_THIRDS,
    theory_gamma,
    unavoidable,
    waiting_cost,
)
from stageroute_gym.scenarios import Scenario

if TYPE_CHECKING:
    import polars as pl

    from stageroute_gym.evaluation.trials import LeaderboardSettings
    from stageroute_gym.report.results import Results

HARD = (LATE, DISCOVERY, NOISE)
GAMMA = "{gamma}"
# In terms of the upper bound, with what it predicts: the factor's exponent.
TERMS = (
    (NOISE, "num_stages", 0.5),
    (NOISE, "max_deployed", 0.5),
    (DISCOVERY, "num_stages", -1.0),
    (DISCOVERY, "max_deployed", -1.0),
    (DISCOVERY, "models", 1.0),
)
# So that few queries tell the good model, and what is left is finding it.
_PLAIN = {"score": 0.1, "gap": 0.8}
_TERM_STAGES, _TERM_SLOTS, _TERM_MODELS = 128, 4, 64


@dataclass(frozen=True)
class Settings:
    """Settings of the part.

    In the text of an entry ``{gamma}`` stands for ``ln(N T) / 4``, the confidence scale in the
    order of the theory.

    Attributes:
        horizons: values of T, ascending.
        tail: the horizon from which on slopes are also taken.
        many_horizon: largest T where the number of models grows as ``T^(2/3)``.
        entries: what runs at all horizons, under all rules for K.
        others: what runs at ``other_horizons``, with ``K = T^(1/3)``, on the hard instances.
        other_horizons: their values of T, ascending.
        seeds: number of seeds.
        few_seeds: number of seeds of ``others``, and where models are many.
        term_horizon: T of the terms by themselves.
        term_entry: what runs there.
        term_stages: values of K there.
        term_slots: values of M_max there.
        term_models: values of N there.
        difficulties: factors of the hard gap.
    """

    horizons: tuple[int, ...]
    tail: int
    many_horizon: int
    entries: tuple[str, ...]
    others: tuple[str, ...]
    other_horizons: tuple[int, ...]
    seeds: int
    few_seeds: int
    term_horizon: int
    term_entry: str
    term_stages: tuple[int, ...]
    term_slots: tuple[int, ...]
    term_models: tuple[int, ...]
    difficulties: tuple[float, ...]

    def __post_init__(self) -> None:
        checks.count("seeds", self.seeds, 2, 10_000)
        checks.count("few_seeds", self.few_seeds, 2, 10_000)
        checks.count("term_horizon", self.term_horizon, 1000)
        for name in ("horizons", "other_horizons"):
            values = getattr(self, name)
            if len(values) < 2 or sorted(set(values)) != list(values) or values[0] < 100:
                raise FieldError(name, values, "two or more ascending numbers of at least 100")
        if sum(horizon >= self.tail for horizon in self.horizons) < 2:
            raise FieldError("tail", self.tail, f"at most the last but one of {self.horizons}")
        if sum(horizon <= self.many_horizon for horizon in self.horizons) < 2:
            raise FieldError("many_horizon", self.many_horizon, f"at least {self.horizons[1]}")
        for name, most in (
            ("term_stages", self.term_horizon),
            ("term_slots", _TERM_MODELS - 1),
            ("term_models", 10_000),
        ):
            least = _TERM_SLOTS + 1 if name == "term_models" else 1
            for value in getattr(self, name):
                checks.count(name, value, least, most)
            if len(set(getattr(self, name))) < 2:
                raise FieldError(name, getattr(self, name), "at least two numbers")
        for difficulty in self.difficulties:
            checks.number("difficulties", difficulty, 0, above=True)
        for text in (*self.entries, *self.others, self.term_entry):
            entry_of(text, 1, 2)


def boards(settings: Settings) -> dict[str, LeaderboardSettings]:
    """None: a leaderboard books every step, which takes too long at these horizons."""
    return {}


def measure(
    settings: Settings, boards: Mapping[str, Results], tell: Callable[[str], None]
) -> Measured:
    """Regrets at all horizons, and the slopes."""
    import polars as pl

    runs = [*_lines(settings), *_others(settings), *_terms(settings), *_gaps(settings)]
    rows = []
    for run in runs:
        tell(
            f"  {run.section}: {run.instance}, {run.entry.label}, {run.scenario.problem.horizon:,}"
        )
        rows.append(run.row())
    table = pl.DataFrame(rows)
    drawn = table.with_columns(pl.col("regret").list.mean()).rename({"regret": "mean_regret"})
    summary = {
        "lines": _slopes(table, "lines", settings.tail),
        "others": _slopes(table, "others", settings.other_horizons[-2]),
        "terms": _term_slopes(table),
        "gaps": _gap_rows(table),
        "tail": settings.tail,
        "seeds": settings.seeds,
        "few_seeds": settings.few_seeds,
    }
    return Measured(summary, {"regrets": table.explode("regret", "seed"), "means": drawn})


def entry_of(text: str, models: int, horizon: int) -> Entry:
    """An entry, with the theory's confidence scale for that size where its text asks for it.

    Raises:
        FieldError: if the text is no entry.
    """
    entry = _parsed(text)
    if GAMMA not in text:
        return entry
    gamma = theory_gamma(models, horizon)
    return dataclasses.replace(entry, parameters={**entry.parameters, "gamma": gamma})


@functools.cache
def _parsed(text: str) -> Entry:
    """The entry of a text; parsing reads all its code for the fingerprint, which takes a while."""
    return Entry.parsed(text.replace(GAMMA, "1.0"), CONTINUOUS)


@dataclass(frozen=True, eq=False)
class _Run:
    """One entry on one problem, with all its seeds."""

    section: str
    instance: str
    rule: str
    factor: str
    value: float
    scenario: Scenario
    text: str
    seeds: int

    @property
    def entry(self) -> Entry:
        """What runs."""
        return entry_of(self.text, self.scenario.world().num_models, self.scenario.problem.horizon)

    def row(self) -> dict[str, Any]:
        """What came of it."""
        problem = self.scenario.problem
        return {
            "section": self.section,
            "instance": self.instance,
            "rule": self.rule,
            "factor": self.factor,
            "value": float(self.value),
            "entry": self.entry.label,
            "horizon": problem.horizon,
            "num_stages": len(problem.stage_lengths),
            "max_deployed": problem.max_deployed,
            "models": self.scenario.world().num_models,
            "waiting": waiting_cost(self.scenario),
            "unavoidable": unavoidable(self.scenario),
            "seed": list(range(self.seeds)),
            "regret": regrets(self.entry, self.scenario, range(self.seeds)).tolist(),
        }


def _lines(settings: Settings) -> Iterator[_Run]:
    """All horizons, with each rule for K."""
    for name, instance in INSTANCES.items():
        for rule in instance.exponents:
            for horizon in settings.horizons:
                if instance.many and rule == TWO_THIRDS and horizon > settings.many_horizon:
                    continue
                scenario = instance.at(horizon, RULES[rule](horizon))
                seeds = settings.few_seeds if instance.many else settings.seeds
                for text in settings.entries:
                    yield _Run("lines", name, rule, "horizon", horizon, scenario, text, seeds)


def _others(settings: Settings) -> Iterator[_Run]:
    """Other agents on the hard instances."""
    for name in HARD:
        for horizon in settings.other_horizons:
            scenario = INSTANCES[name].at(horizon, RULES[CUBE_ROOT](horizon))
            for text in (*settings.entries, *settings.others):
                seeds = settings.few_seeds
                yield _Run("others", name, CUBE_ROOT, "horizon", horizon, scenario, text, seeds)


def _terms(settings: Settings) -> Iterator[_Run]:
    """One factor at a time, at one horizon."""
    horizon, text = settings.term_horizon, settings.term_entry
    noise, discovery = INSTANCES[NOISE], INSTANCES[DISCOVERY].with_options(**_PLAIN)
    cube_root = RULES[CUBE_ROOT](horizon)

    def run(name: str, factor: str, value: int, scenario: Scenario) -> _Run:
        return _Run("terms", name, "", factor, value, scenario, text, settings.few_seeds)

    for stages in settings.term_stages:
        yield run(NOISE, "num_stages", stages, noise.at(horizon, stages))
        yield run(DISCOVERY, "num_stages", stages, discovery.at(horizon, stages))
    for slots in settings.term_slots:
        pools = {"pool_size": max(slots, 2), "max_deployed": slots}
        yield run(NOISE, "max_deployed", slots, noise.at(horizon, cube_root, **pools))
        pool = {"pool_size": _TERM_MODELS, "max_deployed": slots}
        yield run(DISCOVERY, "max_deployed", slots, discovery.at(horizon, _TERM_STAGES, **pool))
    for models in settings.term_models:
        pool = {"pool_size": models, "max_deployed": _TERM_SLOTS}
        yield run(DISCOVERY, "models", models, discovery.at(horizon, _TERM_STAGES, **pool))


def _gaps(settings: Settings) -> Iterator[_Run]:
    """Gaps of other sizes than the hard one."""
    horizon = settings.tail
    for difficulty in settings.difficulties:
        scenario = INSTANCES[NOISE].at(horizon, RULES[CUBE_ROOT](horizon), difficulty=difficulty)
        for text in settings.entries:
            yield _Run(
                "gaps",
                NOISE,
                CUBE_ROOT,
                "difficulty",
                difficulty,
                scenario,
                text,
                settings.few_seeds,
            )


def _slopes(table: pl.DataFrame, section: str, tail: int) -> list[dict[str, Any]]:
    """A row for each line: its slopes over all horizons and from ``tail`` on, and where it ends."""
    rows = []
    lines = table.filter(section=section).sort("horizon")
    for (name, rule, entry), part in lines.group_by(
        "instance", "rule", "entry", maintain_order=True
    ):
        horizons = part["horizon"].to_list()
        own = np.array(part["regret"].to_list())
        whole = own + part["waiting"].to_numpy()[:, None]
        late = [place for place, horizon in enumerate(horizons) if horizon >= tail]
        kept = late if len(late) > 1 else list(range(len(horizons)))[-2:]
        instance = INSTANCES[str(name)]
        last = part.row(-1, named=True)
        rows.append(
            {
                "instance": name,
                "rule": rule,
                "entry": entry,
                "expected": instance.exponents[str(rule)],
                "hard": instance.hard,
                "horizons": horizons,
                "seeds": own.shape[1],
                "slope": as_dict(log_log_slope(horizons, whole)),
                "tail": as_dict(log_log_slope([horizons[i] for i in kept], whole[kept])),
                "tail_from": horizons[kept[0]],
                "own": as_dict(log_log_slope(horizons, own)),
                "end": as_dict(estimate(whole[-1].tolist())),
                "end_horizon": last["horizon"],
                "unavoidable": last["unavoidable"],
                "models": last["models"],
            }
        )
    order = {name: place for place, name in enumerate(INSTANCES)}
    rules = list(RULES)
    return sorted(rows, key=lambda r: (order[r["instance"]], rules.index(r["rule"])))


def _term_slopes(table: pl.DataFrame) -> list[dict[str, Any]]:
    rows = []
    for name, factor, expected in TERMS:
        part = table.filter(section="terms", instance=name, factor=factor).sort("value")
        values = part["value"].to_list()
        found = np.array(part["regret"].to_list())
        rows.append(
            {
                "instance": name,
                "factor": factor,
                "expected": expected,
                "values": values,
                "means": [math.fsum(row) / len(row) for row in found.tolist()],
                "slope": as_dict(log_log_slope(values, found)),
            }
        )
    return rows


def _gap_rows(table: pl.DataFrame) -> list[dict[str, Any]]:
    """Regret over ``sqrt(M_max K T)`` at each factor of the hard gap."""
    rows = []
    for row in table.filter(section="gaps").iter_rows(named=True):
        unit = math.sqrt(row["max_deployed"] * row["num_stages"] * row["horizon"])
        found = as_dict(estimate([regret / unit for regret in row["regret"]]))
        rows.append({"entry": row["entry"], "difficulty": row["value"], "regret": found})
    return rows


def as_dict(found: Estimate) -> dict[str, float | None]:
    """An estimate as JSON-native values."""
    return {"mean": found.mean, "low": found.low, "high": found.high}
