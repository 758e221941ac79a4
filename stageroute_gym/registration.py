"""The environments by id: the one place that knows which class an id stands for."""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple

from gymnasium.envs.registration import register, registry

from stageroute_gym.errors import FieldError, closest

DISCRETE = "StageRoute-v0"
CONTINUOUS = "StageRouteContinuous-v0"
FLAT = "StageRouteFlat-v0"
CONTINUOUS_FLAT = "StageRouteContinuousFlat-v0"


class EntryPoints(NamedTuple):
    """Where the classes of an id are, each as ``module:Class``."""

    single: str
    vector: str


def _classes(name: str, single: str, vector: str) -> EntryPoints:
    return EntryPoints(
        f"stageroute_gym.{single}:{name}Env", f"stageroute_gym.{vector}:{name}VectorEnv"
    )


ENVIRONMENTS = {
    DISCRETE: _classes("StageRoute", "env", "vector"),
    CONTINUOUS: _classes("StageRouteContinuous", "env", "vector"),
    FLAT: _classes("StageRouteFlat", "flat", "flat"),
    CONTINUOUS_FLAT: _classes("StageRouteContinuousFlat", "flat", "flat"),
}


def register_envs() -> None:
    """Register the environments that are not yet in Gymnasium's registry."""
    for env_id, classes in ENVIRONMENTS.items():
        if env_id not in registry:
            register(env_id, entry_point=classes.single, vector_entry_point=classes.vector)


def vector_class(env_id: str) -> Any:
    """The native vector environment's class of an id.

    Raises:
        FieldError: if there is no such id.
    """
    if env_id not in ENVIRONMENTS:
        raise FieldError("env_id", env_id, closest(env_id, ENVIRONMENTS))
    module, _, name = ENVIRONMENTS[env_id].vector.partition(":")
    return getattr(importlib.import_module(module), name)


def plain_id(*, continuous: bool) -> str:
    """The id of the environment with the `Dict` observation, for a kind of action space."""
    return CONTINUOUS if continuous else DISCRETE
