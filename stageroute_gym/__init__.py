"""Gymnasium environments for deploying and routing large language models under a budget.

Importing this package registers `StageRoute-v0` and `StageRouteContinuous-v0`, and
`StageRouteFlat-v0` and `StageRouteContinuousFlat-v0` for learners' libraries.
"""

from __future__ import annotations

from stageroute_gym.registration import register_envs

__all__ = ["register_envs"]
__version__ = "0.1.0"

register_envs()
