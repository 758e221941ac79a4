"""The command ``agents``."""

from __future__ import annotations

from stageroute_gym.cli.output import stdout_console
from stageroute_gym.errors import FieldError


def agents() -> None:
    """List the installed agents, their kind and their parameters."""
    from rich.box import SIMPLE
    from rich.markup import escape
    from rich.table import Table

    from stageroute_gym.evaluation import agents as registry

    table = Table(box=SIMPLE)
    table.add_column("agent", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    table.add_column("what it does", overflow="fold")
    table.add_column("parameters", overflow="fold")
    for name in [*registry.names(), *registry.tuned_names()]:
        try:
            factory = registry.load(name)
        except FieldError as error:
            # Another package's agent that is broken must not hide the others.
            table.add_row(escape(name), "-", escape(str(error)), "")
            continue
        parameters = registry.parameters_of(factory)
        shown = [f"{p.name}={p.default!r}" for p in parameters.values()]
        summary = (factory.__doc__ or "").strip().partition("\n")[0].replace("``", "")
        if trained := registry.trained_on(factory):
            summary += f" Trained on: {', '.join(trained)}."
        kind = getattr(factory, "kind", "learner")
        table.add_row(escape(name), kind, escape(summary), escape(", ".join(shown)))
    stdout_console().print(table)
