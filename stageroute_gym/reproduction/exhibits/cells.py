"""Figures as the tables of the reproduction show them."""

from __future__ import annotations

from collections.abc import Mapping


def bounded(value: Mapping[str, float | None], digits: int = 3) -> str:
    """A mean with half of its interval; a dash where there is none.

    Args:
        value: ``mean``, ``low`` and ``high``.
        digits: decimals.
    """
    mean, high = value["mean"], value["high"]
    if mean is None:
        return "-"
    half = "" if high is None else f" ± {high - mean:,.{digits}f}"
    return f"{mean:,.{digits}f}{half}"


def ranged(value: Mapping[str, float | None], digits: int = 2) -> str:
    """The middle of several values; a dash where there is none.

    Args:
        value: ``median``, ``minimum`` and ``maximum``.
        digits: decimals.
    """
    return "-" if value["median"] is None else f"{value['median']:,.{digits}f}"
