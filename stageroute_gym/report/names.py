"""Names of models, as short as they can be told apart."""

from __future__ import annotations


def short_names(models: tuple[str, ...]) -> tuple[str, ...]:
    """Names without the part before the last slash, where they stay distinct."""
    short = tuple(name.rpartition("/")[2] for name in models)
    return short if len(set(short)) == len(models) else models
