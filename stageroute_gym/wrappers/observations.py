"""Observations as learners want them: one flat normalised array, or that beside the mask."""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorEnv, VectorObservationWrapper, VectorWrapper
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from stageroute_gym.errors import FieldError
from stageroute_gym.wrappers.normalization import Normalization
from stageroute_gym.wrappers.relative import RelativeFeatures


class FlatObservation(gym.ObservationWrapper[Any, Any, Any], gym.utils.RecordConstructorArgs):
    """The observation as one row in [-1, 1], shape (D,), float32; see `Normalization`.

    Args:
        env: an environment with the `Dict` observation.
    """

    transformation: ClassVar[type[Normalization | RelativeFeatures]] = Normalization

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        gym.utils.RecordConstructorArgs.__init__(self)
        gym.ObservationWrapper.__init__(self, env)
        self.normalization = self.transformation.of(env)
        self.observation_space = self.normalization.space

    def observation(self, observation: Any) -> NDArray[np.float32]:
        """The flat row, shape (D,), float32."""
        return self.normalization(observation)


class VectorFlatObservation(VectorObservationWrapper):
    """`FlatObservation` for a vector environment: rows of shape (E, D), float32.

    Args:
        env: a vector environment with the `Dict` observation.
    """

    transformation: ClassVar[type[Normalization | RelativeFeatures]] = Normalization

    def __init__(self, env: VectorEnv[Any, Any, Any]) -> None:
        super().__init__(env)
        self.normalization = self.transformation.of(env)
        self.single_observation_space = self.normalization.space
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)

    def observations(self, observations: Any) -> NDArray[np.float32]:
        """The flat rows, shape (E, D), float32."""
        return self.normalization(observations)


class RelativeObservation(FlatObservation):
    """The observation as one row without a scale of its own; see `RelativeFeatures`.

    Args:
        env: an environment with the `Dict` observation.
    """

    transformation = RelativeFeatures


class VectorRelativeObservation(VectorFlatObservation):
    """`RelativeObservation` for a vector environment: rows of shape (E, D), float32.

    Args:
        env: a vector environment with the `Dict` observation.
    """

    transformation = RelativeFeatures


class MaskedObservation(gym.ObservationWrapper[Any, Any, Any], gym.utils.RecordConstructorArgs):
    """``{"obs": the observation, "mask": action_masks()}``, the mask as int8, shape (N + 1,).

    Args:
        env: an environment with any observation.
        mask_key: name of the mask; RLlib's masked module wants ``action_mask``.
        obs_key: name of the observation; RLlib's masked module wants ``observations``.

    Raises:
        FieldError: if the two names are the same.
    """

    def __init__(
        self, env: gym.Env[Any, Any], *, mask_key: str = "mask", obs_key: str = "obs"
    ) -> None:
        gym.utils.RecordConstructorArgs.__init__(self, mask_key=mask_key, obs_key=obs_key)
        gym.ObservationWrapper.__init__(self, env)
        self._keys = _checked_keys(mask_key, obs_key)
        size = env.unwrapped.world.num_models + 1  # type: ignore[attr-defined]
        self.observation_space = _masked_space(env.observation_space, size, self._keys)

    def observation(self, observation: Any) -> dict[str, Any]:
        """The observation beside the mask."""
        mask = self.env.get_wrapper_attr("action_masks")()
        return dict(zip(self._keys, (mask.astype(np.int8), observation), strict=True))


class VectorMaskedObservation(VectorWrapper):
    """`MaskedObservation` for a vector environment: masks of shape (E, N + 1), int8.

    Args:
        env: a vector environment with any observation.
        mask_key: as for `MaskedObservation`.
        obs_key: as for `MaskedObservation`.

    Raises:
        FieldError: if the two names are the same.
    """

    def __init__(
        self, env: VectorEnv[Any, Any, Any], *, mask_key: str = "mask", obs_key: str = "obs"
    ) -> None:
        super().__init__(env)
        self._keys = _checked_keys(mask_key, obs_key)
        size = env.unwrapped.world.num_models + 1  # type: ignore[attr-defined]
        self.single_observation_space = _masked_space(
            env.single_observation_space, size, self._keys
        )
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)

    def reset(self, **arguments: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Reset, with the mask beside the observations."""
        observations, infos = self.env.reset(**arguments)
        return self._masked(observations), infos

    def step(self, actions: Any) -> tuple[dict[str, Any], Any, Any, Any, dict[str, Any]]:
        """Step, with the mask beside the observations."""
        observations, rewards, terminated, truncated, infos = self.env.step(actions)
        return self._masked(observations), rewards, terminated, truncated, infos

    def _masked(self, observations: Any) -> dict[str, Any]:
        mask = self.env.unwrapped.action_masks()  # type: ignore[attr-defined]
        return dict(zip(self._keys, (mask.astype(np.int8), observations), strict=True))


def _checked_keys(mask_key: str, obs_key: str) -> tuple[str, str]:
    if mask_key == obs_key:
        raise FieldError("obs_key", obs_key, "another name than that of the mask")
    return mask_key, obs_key


def _masked_space(observation: gym.Space[Any], size: int, keys: tuple[str, str]) -> spaces.Dict:
    mask = spaces.Box(0, 1, (size,), np.int8)
    return spaces.Dict(dict(zip(keys, (mask, observation), strict=True)))
