"""What a scenario's oracles expect, and what its budget can serve: shown beside every result."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stageroute_gym.scenarios import Scenario
    from stageroute_gym.simulator.world import World

# The query oracle's programme then takes about five seconds.
MOST_QUERY_VARIABLES = 500_000


def oracle_values(scenario: Scenario, seed: int) -> dict[str, float | None]:
    """Expected score a query of each oracle, by its name.

    Args:
        scenario: the scenario.
        seed: whose queries the query oracle knows in hindsight, and whose world is meant where
            each seed has its own. None stands for the query oracle's value where its programme
            would have more than `MOST_QUERY_VARIABLES` variables.
    """
    # Only here, since the oracles load the compiler.
    from stageroute_gym.oracles import PLANNING_ORACLES, oracle_score, query_variables, realised

    world = scenario.world(seed)
    values: dict[str, float | None] = {o: oracle_score(world, o) for o in PLANNING_ORACLES}
    met = realised(world, seed)
    small = query_variables(met) <= MOST_QUERY_VARIABLES
    values["query"] = oracle_score(met, "query") if small else None
    return values


def service(world: World) -> dict[str, float | None]:
    """What share of the queries the budget can serve.

    Returns:
        ``share``: the largest share, see `stageroute_gym.oracles.servable_share`;
        ``full_budget``: the smallest budget in USD a query that serves all, None if none does.
    """
    from stageroute_gym.oracles import full_service_budget, servable_share

    budget = full_service_budget(world)
    return {
        "share": servable_share(world),
        "full_budget": budget if math.isfinite(budget) else None,
    }


def service_note(served: dict[str, float | None]) -> str | None:
    """`service` in words; None where the budget serves all queries."""
    share, budget = served["share"], served["full_budget"]
    if share is None or share >= 1:
        return None
    line = f"this budget serves at most {100 * share:.4g} % of the queries"
    if budget is None:
        return f"{line}; no budget serves all, for want of models or throughput"
    # Rounded upwards, so that what is said suffices, but not for the last bits of a sum.
    digits = 3 - math.ceil(math.log10(budget))
    rounded = math.ceil(budget * (1 - 1e-12) * 10.0**digits) / 10.0**digits
    return f"{line}; from b = {rounded:.4g} on all"
