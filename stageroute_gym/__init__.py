"""Gymnasium environments for deploying and routing large language models under a budget.

Importing this package registers `StageRoute-v0` and `StageRouteContinuous-v0`, and
`StageRouteFlat-v0` and `StageRouteContinuousFlat-v0` for learners' libraries.
"""

from __future__ import annotations

from gymnasium.envs.registration import register, registry

__version__ = "0.1.0"


def register_envs() -> None:
    """Register the environments that are not yet in Gymnasium's registry."""
    for name, single, vector in (
        ("StageRoute", "env", "vector"),
        ("StageRouteContinuous", "env", "vector"),
        ("StageRouteFlat", "flat", "flat"),
        ("StageRouteContinuousFlat", "flat", "flat"),
    ):
        if f"{name}-v0" not in registry:
            register(
                f"{name}-v0",
                entry_point=f"stageroute_gym.{single}:{name}Env",
                vector_entry_point=f"stageroute_gym.{vector}:{name}VectorEnv",
            )


register_envs()
