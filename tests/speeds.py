"""Parameters of which some run at every change and the others with the slow tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def quick_ones(values: Iterable[str], *quick: str) -> list[Any]:
    """The values, those that are not ``quick`` marked as slow."""
    return [v if v in quick else pytest.param(v, marks=pytest.mark.slow) for v in values]
