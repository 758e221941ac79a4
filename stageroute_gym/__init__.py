"""Gymnasium environments for deploying and routing large language models under a budget.

Importing this package registers `StageRoute-v0` and `StageRouteContinuous-v0`.
"""

from __future__ import annotations

from gymnasium.envs.registration import register, registry

__version__ = "0.1.0"


def register_envs() -> None:
    """Register the environments that are not yet in Gymnasium's registry."""
    for env_id, name in (
        ("StageRoute-v0", "StageRoute"),
        ("StageRouteContinuous-v0", "StageRouteContinuous"),
    ):
        if env_id not in registry:
            register(
                env_id,
                entry_point=f"stageroute_gym.env:{name}Env",
                vector_entry_point=f"stageroute_gym.vector:{name}VectorEnv",
            )


register_envs()
