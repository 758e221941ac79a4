"""Entries beside which those with tuned settings stand, as far as there are any."""

from __future__ import annotations

from collections.abc import Sequence

from stageroute_gym.evaluation.agents import tuned_names
from stageroute_gym.evaluation.entries import Entry, parse_entries
from stageroute_gym.evaluation.tuned import SUFFIX


def with_tuned(
    entries: Sequence[str | Entry], agents: Sequence[str] | None = None
) -> tuple[Entry, ...]:
    """Entries, and behind each without parameters the same agent as ``stageroute tune`` chose it.

    Args:
        entries: entries, as text or resolved.
        agents: names of the agents whose tuned settings are wanted; None for all that have some.

    Raises:
        FieldError: as `stageroute_gym.evaluation.entries.parse_entries`.
    """
    tuned, given = set(tuned_names()), parse_entries(entries)
    labels = {entry.label for entry in given}
    found: list[str | Entry] = []
    for entry in given:
        found.append(entry)
        name = f"{entry.agent}{SUFFIX}"
        wanted = agents is None or entry.agent in agents
        if wanted and not entry.parameters and name in tuned - labels:
            found.append(name)
    return parse_entries(found)
