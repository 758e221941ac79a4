"""A suite of two short worlds, and tuning settings on it."""

from __future__ import annotations

import dataclasses
from typing import Any

from stageroute_gym.scenarios import Suite
from stageroute_gym.tuning.settings import Candidate, TuningSettings, candidate
from stageroute_gym.tuning.space import Range

TINY = Suite("tiny", 1, ("worlds-tune-25", "worlds-tune-4"), (0, 1), "two short worlds")


def settings(*candidates: Candidate, trials: int = 3, seed: int = 0) -> TuningSettings:
    return TuningSettings(candidates, TINY, TINY.seeds, trials, seed)


def searching(name: str, space: dict[str, Range] | None = None, **default: Any) -> Candidate:
    """An agent to tune, with another search space if one is given."""
    found = candidate(name)
    if space is None:
        return found
    return dataclasses.replace(found, space=space, default=default)
