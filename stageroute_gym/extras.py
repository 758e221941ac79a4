"""The extras: what else needs to be installed for a part of the project, and the words for it."""

from __future__ import annotations

from importlib.util import find_spec

from stageroute_gym.errors import FieldError

# The modules of each extra that the project itself imports; pyproject.toml has the packages.
MODULES = {
    "report": ("altair", "vl_convert", "jinja2"),
    "render": ("pygame",),
    "rl": ("stable_baselines3", "sb3_contrib"),
    "litellm": ("litellm",),
    "tune": ("optuna",),
    "ray": ("ray",),
    "dask": ("distributed",),
}


def absent_module(extra: str) -> str | None:
    """Name of a module of an extra that is not installed; None where all are.

    Args:
        extra: one of `MODULES`.
    """
    return next((module for module in MODULES[extra] if find_spec(module) is None), None)


def needed(extra: str) -> str:
    """What to install for an extra, in words."""
    return f"the extra {extra}: pip install 'stageroute-gym[{extra}]'"


def check_extra(extra: str, field: str, value: object) -> None:
    """Refuse what needs an extra that is not installed.

    Args:
        extra: one of `MODULES`.
        field: name of the option that asks for it, for errors.
        value: what was given for it.

    Raises:
        FieldError: if one of its modules is absent.
    """
    absent = absent_module(extra)
    if absent is not None:
        raise FieldError(field, value, f"{needed(extra)} ({absent} is absent)")
