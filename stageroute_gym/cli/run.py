"""The command ``run``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from stageroute_gym.cli.options import (
    EnvId,
    parse_seeds,
    with_scenario_options,
)
from stageroute_gym.cli.output import stdout_console


@with_scenario_options
def run(
    agent: Annotated[
        str, typer.Argument(help="An agent, module:Class or file; or 'agent(parameter=value)'.")
    ],
    scenario: Annotated[
        str, typer.Option(help="Name of a scenario, or module:NAME.")
    ] = "routerbench",
    seeds: Annotated[str, typer.Option(help="10 (the first ten), 5:15 or 0,3,5.")] = "1",
    env_id: EnvId = None,
    *,
    overrides: dict[str, Any],
) -> None:
    """Run one agent on one scenario; print its books, and how the first episode went by stage."""
    from stageroute_gym import scenarios
    from stageroute_gym.evaluation.measures import BY_KEY, SCORE
    from stageroute_gym.evaluation.oracle_values import service, service_note
    from stageroute_gym.evaluation.running import play
    from stageroute_gym.evaluation.statistics import estimate
    from stageroute_gym.report.tables import episodes_table, stages_table
    from stageroute_gym.report.terminal import print_line, print_table

    chosen = scenarios.get(scenario, **overrides)
    played = play(agent, chosen, parse_seeds(seeds), env_id=env_id)
    rows = played.episodes
    console = stdout_console()
    print_table(console, episodes_table(rows))
    mean = estimate(rows[SCORE])
    if mean.mean is not None and mean.half_width is not None:
        measure = BY_KEY[SCORE]
        print_line(console, f"{measure.heading}: {mean.mean:.4f} ± {mean.half_width:.4f} (95 %)")
    if note := service_note(service(chosen.world(rows["seed"][0]))):
        print_line(console, note)
    for note in chosen.notes():
        print_line(console, note)
    print_table(console, stages_table(played.stages, rows["seed"][0]))
