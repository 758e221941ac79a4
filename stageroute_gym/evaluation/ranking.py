"""From rows of results to a ranking: statistics over seeds, of each scenario and of all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from stageroute_gym.evaluation.statistics import Estimate, estimate

if TYPE_CHECKING:
    import polars as pl

RANKED_BY = "score_over_horizon_oracle"
COLUMNS = (
    RANKED_BY,
    "score_over_stage_oracle",
    "regret",
    "spend_over_budget",
    "unserved",
    "invalid_share",
    "activations",
)

Entry = dict[str, Any]


def rank(results: pl.DataFrame, scenarios: Sequence[str]) -> dict[str, Any]:
    """The ranking of each scenario, and over several scenarios the overall one.

    Agents are ranked by their mean score over the horizon oracle's value; equal ones by name.
    Under the rule ``soft`` an agent can score with money that it did not have: an entry with
    ``over_budget`` true is one that did.

    Args:
        results: rows of `stageroute_gym.evaluation.evaluate`.
        scenarios: the scenarios in the order to report them in.

    Returns:
        JSON-native values. ``scenarios``: by name, ``problem`` (horizon, budget, its rule, the
        oracles' values) and ``ranking``, a list of entries with ``rank``, ``agent``, an estimate
        (``mean``, ``low``, ``high``, ``count``) of each of `COLUMNS`, ``over_budget``, and
        ``behind_first``, the paired difference to the agent ranked first. ``overall``: a list of
        entries with ``rank``, ``agent`` and an estimate over seeds of the mean over scenarios;
        only of agents that ran in all; empty for one scenario.
    """
    import polars as pl

    present = set(results["scenario"])
    ranked = [name for name in scenarios if name in present]
    return {
        "ranked_by": RANKED_BY,
        "scenarios": {
            name: _rank_scenario(results.filter(pl.col("scenario") == name)) for name in ranked
        },
        "overall": _rank_overall(results, len(scenarios)) if len(scenarios) > 1 else [],
    }


def _rank_scenario(rows: pl.DataFrame) -> dict[str, Any]:
    import polars as pl

    entries: list[Entry] = []
    for (agent,), part in rows.group_by("agent", maintain_order=True):
        estimates = {column: estimate(part[column]) for column in COLUMNS}
        spent = estimates["spend_over_budget"].mean
        soft = part["budget_rule"][0] == "soft"
        entries.append(
            {
                "agent": agent,
                "episodes": len(part),
                **{column: _json(value) for column, value in estimates.items()},
                "over_budget": soft and spent is not None and spent > 1,
            }
        )
    ranking = _ranked(entries)
    best = rows.filter(pl.col("agent") == ranking[0]["agent"]).select(
        "seed", pl.col(RANKED_BY).alias("_best")
    )
    for entry in ranking:
        paired = rows.filter(pl.col("agent") == entry["agent"]).join(best, on="seed")
        entry["behind_first"] = _json(estimate(paired["_best"] - paired[RANKED_BY]))
    columns = ("scenario_version", "horizon", "budget", "budget_rule", "horizon_oracle")
    problem = rows.select(*columns, "stage_oracle").row(0, named=True)
    return {"problem": problem, "ranking": ranking}


def _rank_overall(results: pl.DataFrame, num_scenarios: int) -> list[Entry]:
    import polars as pl

    # By seed first: the scenarios share their seeds, so their episodes are not independent.
    by_seed = results.group_by("agent", "seed").agg(
        pl.col(RANKED_BY).mean(), pl.col("scenario").n_unique().alias("_scenarios")
    )
    complete = by_seed.filter((pl.col("_scenarios") == num_scenarios).all().over("agent")).sort(
        "agent", "seed"
    )
    return _ranked(
        [
            {"agent": agent, RANKED_BY: _json(estimate(part[RANKED_BY]))}
            for (agent,), part in complete.group_by("agent", maintain_order=True)
        ]
    )


def _ranked(entries: list[Entry]) -> list[Entry]:
    def key(entry: Entry) -> tuple[float, str]:
        mean = entry[RANKED_BY]["mean"]
        return (math.inf if mean is None else -mean, entry["agent"])

    return [{"rank": place, **entry} for place, entry in enumerate(sorted(entries, key=key), 1)]


def _json(value: Estimate) -> dict[str, Any]:
    return {"mean": value.mean, "low": value.low, "high": value.high, "count": value.count}
