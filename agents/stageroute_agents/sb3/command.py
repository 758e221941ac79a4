"""The command ``stageroute train``."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from stageroute_agents.sb3 import algorithms
from stageroute_gym.cli.options import (
    EnvId,
    override_words,
    parse_assignments,
    with_scenario_options,
)
from stageroute_gym.errors import FieldError


@with_scenario_options
def train(
    algo: Annotated[str, typer.Option(help=f"One of {', '.join(algorithms.names())}.")] = "ppo",
    scenario: Annotated[
        str, typer.Option(help="Name of a scenario; with --equivariant, of several.")
    ] = "routerbench",
    seed: Annotated[int, typer.Option(help="Seed of networks, exploration and episodes.")] = 0,
    steps: Annotated[int | None, typer.Option(help="Decisions to train for.")] = None,
    out: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="runs/ALGO-SCENARIO-SEED unless given.")
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(metavar="FOLDER", help="Go on with the run in it; no other option counts."),
    ] = None,
    env_id: EnvId = None,
    num_envs: Annotated[int | None, typer.Option(help="Environments to train in.")] = None,
    hold: Annotated[
        float | None,
        typer.Option(help="Queries that a decision holds for; below 1, a share of the horizon."),
    ] = None,
    price: Annotated[float, typer.Option(help="Price of the budget in the reward.")] = 0.0,
    price_step_size: Annotated[float, typer.Option(help="Adapts it by dual ascent.")] = 0.0,
    equivariant: Annotated[
        bool, typer.Option("--equivariant", help="A policy for any number of models.")
    ] = False,
    eval_interval: Annotated[int, typer.Option(help="Decisions between evaluations.")] = 20_000,
    eval_episodes: Annotated[int, typer.Option(help="Episodes of an evaluation.")] = 5,
    parameters: Annotated[
        list[str] | None,
        typer.Option("--parameter", metavar="NAME=VALUE", help="Argument of the algorithm."),
    ] = None,
    *,
    overrides: dict[str, Any],
) -> None:
    """Train an agent with stable-baselines3; the result is a file that leaderboards rank."""
    from stageroute_agents.sb3 import training
    from stageroute_agents.sb3.settings import TrainingSettings
    from stageroute_gym import scenarios
    from stageroute_gym.evaluation.oracle_values import service, service_note

    if resume is not None:
        folder = Path(resume)
        if not resume or not (folder / training.SETTINGS_FILE).is_file():
            raise FieldError("resume", resume, "the folder of a run that `stageroute train` began")
        settings = TrainingSettings.read(folder / training.SETTINGS_FILE)
    else:
        settings = TrainingSettings(
            algo=algo,
            scenario=scenario,
            overrides=overrides,
            env_id=env_id,
            seed=seed,
            steps=steps,
            num_envs=num_envs,
            hold=hold,
            price=price,
            price_step_size=price_step_size,
            equivariant=equivariant,
            eval_interval=eval_interval,
            eval_episodes=eval_episodes,
            parameters=parse_assignments(parameters or ()),
        )
        # Without commas, which stand between the agents of a leaderboard.
        name = f"{algo}-{scenario.replace(',', '+')}-{seed}"
        folder = Path(out) if out is not None else Path("runs") / name
    for chosen in (scenarios.get(name, **settings.overrides) for name in settings.scenarios):
        unserved = None if chosen.per_seed else service_note(service(chosen.world()))
        for note in (*chosen.notes(), *([unserved] if unserved else [])):
            print(f"note: {chosen.name}: {note}", file=sys.stderr)
    try:
        path = training.resume(folder) if resume is not None else training.train(settings, folder)
    except KeyboardInterrupt:
        message = (
            f"interrupted: stageroute train --resume {folder} goes on from its last checkpoint"
        )
        print(message, file=sys.stderr)
        raise typer.Exit(130) from None
    where = shlex.join(["--scenario", settings.scenario, *override_words(settings.overrides)])
    typer.echo(f"{path}\nrank it: stageroute leaderboard {where} --agents {path},stageroute")
