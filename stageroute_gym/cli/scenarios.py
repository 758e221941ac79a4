"""The command ``scenarios``."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from stageroute_gym.cli.output import stdout_console
from stageroute_gym.errors import FieldError


def scenarios(
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
) -> None:
    """List the scenarios and suites."""
    from stageroute_gym import scenarios as registry

    listed, broken = [], []
    for name in registry.names():
        try:
            listed.append(registry.get(name))
        except FieldError as error:
            # Another package's scenario that is broken must not hide the others.
            broken.append(str(error))
    suites = [registry.suite(name) for name in registry.suite_names()]
    if as_json:
        content = {
            "scenarios": [{**s.to_dict(), "description": s.description} for s in listed],
            "suites": [
                {
                    "name": suite.name,
                    "version": suite.version,
                    "scenarios": list(suite.scenarios),
                    "seeds": list(suite.seeds),
                    "description": suite.description,
                    "sha256": suite.sha256(),
                }
                for suite in suites
            ],
        }
        print(json.dumps(content, indent=2))
        for reason in broken:
            print(reason, file=sys.stderr)
        return
    from rich.box import SIMPLE
    from rich.markup import escape
    from rich.table import Table

    from stageroute_gym.report.terminal import print_line

    table = Table(box=SIMPLE)
    for column in ("scenario", "version", "horizon", "stages", "models", "budget"):
        left = column == "scenario"
        table.add_column(column, justify="left" if left else "right", no_wrap=True)
    table.add_column("description", min_width=24)
    for scenario in listed:
        problem, workload = scenario.problem, scenario.workload
        # A scenario that waits for the user's file knows no models yet.
        needs_file = getattr(workload, "data", None) == ""
        table.add_row(
            escape(scenario.name),
            str(scenario.version),
            f"{problem.horizon:,}",
            str(len(problem.stage_lengths)),
            "-" if needs_file else str(scenario.world().num_models),
            f"{problem.budget:g}",
            escape(scenario.description),
        )
    console = stdout_console()
    console.print(table)
    print_line(console, "budget: USD a query, on average over the horizon")
    for reason in broken:
        print_line(console, reason)
    for suite in suites:
        names = ", ".join(suite.scenarios)
        print_line(console, f"suite {suite.name} v{suite.version}: {names}; {suite.description}")
