"""The command ``watch``."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from stageroute_gym.cli.options import (
    EnvId,
    with_scenario_options,
)
from stageroute_gym.cli.output import stdout_console
from stageroute_gym.errors import FieldError

if TYPE_CHECKING:
    from stageroute_gym.env import StageRouteEnv
    from stageroute_gym.evaluation.entries import Entry
    from stageroute_gym.rendering.snapshot import Snapshot

FRAMES_A_SECOND = 12
LONGEST = 86_400.0


@with_scenario_options
def watch(
    agent: Annotated[
        str, typer.Argument(help="An agent, module:Class or file; or 'agent(parameter=value)'.")
    ],
    scenario: Annotated[str, typer.Option(help="Name of a scenario.")] = "routerbench",
    seed: Annotated[int, typer.Option(help="Seed of the episode.")] = 0,
    seconds: Annotated[float, typer.Option(help="How long a whole episode lasts.")] = 30.0,
    env_id: EnvId = None,
    *,
    overrides: dict[str, Any],
) -> None:
    """Watch one agent play an episode live; into a pipe goes the end of it only."""
    import gymnasium as gym
    from rich.live import Live

    from stageroute_gym.evaluation.entries import Entry
    from stageroute_gym.evaluation.oracle_values import service, service_note
    from stageroute_gym.evaluation.running import check_seeds
    from stageroute_gym.rendering.terminal import episode_view
    from stageroute_gym.scenarios import get

    if not 0 <= seconds <= LONGEST:
        raise FieldError("seconds", seconds, f"a number of 0 to {LONGEST:,.0f}")
    check_seeds([seed])
    entry = Entry.parsed(agent, env_id)
    chosen = get(scenario, **overrides)
    made = gym.make(entry.env_id, scenario=chosen, disable_env_checker=True)
    env = cast("StageRouteEnv", made.unwrapped)
    console = stdout_console()
    unserved = service_note(service(env.world))
    for note in (*chosen.notes(), *([unserved] if unserved else [])):
        print(f"note: {chosen.name}: {note}", file=sys.stderr)
    title = f"{entry.label} on {env.scenario.name}, {entry.env_id}, seed {seed}"
    if not console.is_terminal:
        *_, last = _played(entry, env, seed, env.problem.horizon)
        console.print(episode_view(last, title, len(last.models) + 100))
        return
    queries_a_frame = max(1, round(env.problem.horizon / max(seconds * FRAMES_A_SECOND, 1)))
    due = time.monotonic()
    try:
        with Live(console=console, auto_refresh=False) as live:
            for shot in _played(entry, env, seed, queries_a_frame):
                live.update(episode_view(shot, title, console.height), refresh=True)
                due += 1 / FRAMES_A_SECOND if seconds else 0.0
                time.sleep(max(0.0, due - time.monotonic()))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _played(entry: Entry, env: StageRouteEnv, seed: int, queries: int) -> Iterator[Snapshot]:
    """The episode as ``stageroute run`` plays it: once each so many queries, and at its end."""
    from stageroute_gym.evaluation import agents
    from stageroute_gym.evaluation.contenders import agent_seed

    own = agent_seed(env.scenario.name, entry.agent)
    agent = agents.make(entry.agent, env, seed=own, **entry.parameters)
    observation, info = env.reset(seed=seed)
    state: Any = None
    start, terminated, due = True, False, 0
    while not terminated:
        if info["t"] >= due:
            due = info["t"] + queries
            yield env.snapshot()
        action, state = agent.predict(observation, state, start, deterministic=False)
        observation, _, terminated, _, info = env.step(action)
        start = False
    yield env.snapshot()
