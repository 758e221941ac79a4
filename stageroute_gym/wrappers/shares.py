"""Actions as logits: shares by softmax, which can be as sharp or as even as a learner wants."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorActionWrapper, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from stageroute_gym.errors import FieldError

# Bound of the logits: between two models that lie as far apart, shares differ by e^40.
LIMIT = 20.0


def softmax_weights(logits: NDArray[Any]) -> NDArray[np.float32]:
    """Weights of `StageRouteContinuous-v0` in proportion to the softmax, shape (..., N), float32.

    The largest is 1; the environment normalises them over the models that may be used.

    Args:
        logits: shape (..., N), float.
    """
    return np.exp(logits - logits.max(axis=-1, keepdims=True)).astype(np.float32)


def logit_space(num_models: int) -> spaces.Box:
    """The space of the logits, ``Box(-20, 20, (N,))``."""
    return spaces.Box(-LIMIT, LIMIT, (num_models,), np.float32)


class SoftmaxAction(gym.ActionWrapper[Any, Any, Any], gym.utils.RecordConstructorArgs):
    """`StageRouteContinuous-v0` by logits in ``Box(-20, 20, (N,))``.

    In the deploy phase the ``M_max`` models with the largest logits are chosen; in the route phase
    the softmax over the deployed models gives the shares.

    Args:
        env: an environment with continuous actions.

    Raises:
        FieldError: if its actions are discrete.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        gym.utils.RecordConstructorArgs.__init__(self)
        gym.ActionWrapper.__init__(self, env)
        self.action_space = logit_space(_num_models(env.action_space))

    def action(self, action: NDArray[Any]) -> NDArray[np.float32]:
        """The weights, shape (N,), float32."""
        return softmax_weights(action)


class VectorSoftmaxAction(VectorActionWrapper):
    """`SoftmaxAction` for a vector environment: logits of shape (E, N).

    Args:
        env: a vector environment with continuous actions.

    Raises:
        FieldError: if its actions are discrete.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any]) -> None:
        super().__init__(env)
        self.single_action_space = logit_space(_num_models(env.single_action_space))
        self.action_space = batch_space(self.single_action_space, self.num_envs)

    def actions(self, actions: NDArray[Any]) -> NDArray[np.float32]:
        """The weights, shape (E, N), float32."""
        return softmax_weights(actions)


def _num_models(space: gym.Space[Any]) -> int:
    if not isinstance(space, spaces.Box):
        raise FieldError("action space", space, "continuous, as of StageRouteContinuous-v0")
    return space.shape[0]
