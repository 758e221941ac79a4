"""The command ``stageroute``."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

import stageroute_gym
from stageroute_gym import plugins
from stageroute_gym.cli import data
from stageroute_gym.cli.advise import advise
from stageroute_gym.cli.agents import agents
from stageroute_gym.cli.leaderboard import leaderboard
from stageroute_gym.cli.output import show_all_signs
from stageroute_gym.cli.rank import rank
from stageroute_gym.cli.replay import replay
from stageroute_gym.cli.report import report
from stageroute_gym.cli.run import run
from stageroute_gym.cli.scenarios import scenarios
from stageroute_gym.cli.strata import strata
from stageroute_gym.cli.submit import submit
from stageroute_gym.cli.tune import tune
from stageroute_gym.cli.verify import verify
from stageroute_gym.cli.watch import watch
from stageroute_gym.errors import FieldError

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
app.command()(scenarios)
app.command()(agents)
app.command()(run)
app.command()(watch)
app.command()(leaderboard)
app.command()(report)
app.command()(rank)
app.command()(strata)
app.command()(submit)
app.command()(verify)
app.command()(tune)
app.command()(advise)
app.command()(replay)
app.add_typer(data.app, name="data")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"stageroute-gym {stageroute_gym.__version__}")
        raise typer.Exit


@app.callback()
def stageroute(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Deploy and route large language models under a budget: run agents and rank them."""


def main() -> None:
    """Run the command; a wrong input ends it with one line and exit code 2."""
    # As with `python -m`, so that module:Class finds an agent in the folder one is in.
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    show_all_signs()
    # Commands of the packages around the environment, such as training agents, and ``bench``.
    for name, point in plugins.installed("stageroute.commands").items():
        try:
            app.command(name)(plugins.load(point, "command"))
        except FieldError as error:
            print(f"left out: {error}", file=sys.stderr)
    try:
        app()
    except FieldError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
