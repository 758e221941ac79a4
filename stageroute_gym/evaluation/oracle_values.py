"""What each oracle expects of a scenario, as leaderboards show it beside the ranking."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stageroute_gym.scenarios import Scenario

# The query oracle's programme then takes about five seconds.
MOST_QUERY_VARIABLES = 500_000


def oracle_values(scenario: Scenario, seed: int) -> dict[str, float | None]:
    """Expected score a query of each oracle, by its name.

    Args:
        scenario: the scenario.
        seed: whose queries the query oracle knows in hindsight. None stands for its value where
            its programme would have more than `MOST_QUERY_VARIABLES` variables.
    """
    # Only here, since the oracles load the compiler.
    from stageroute_gym.oracles import PLANNING_ORACLES, oracle_score, query_variables, realised

    world = scenario.world()
    values: dict[str, float | None] = {o: oracle_score(world, o) for o in PLANNING_ORACLES}
    met = realised(world, seed)
    small = query_variables(met) <= MOST_QUERY_VARIABLES
    values["query"] = oracle_score(met, "query") if small else None
    return values
