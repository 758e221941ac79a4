"""Native vector environments as stable-baselines3 wants them, which refuses Gymnasium's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from stageroute_gym.errors import FieldError
from stageroute_gym.vector import StageRouteVectorEnv

_MASKS = "action_masks"


class NativeVecEnv(VecEnv):
    """A `StageRouteVectorEnv`, wrapped or not, behind stable-baselines3's interface.

    Its transitions equal those of a ``DummyVecEnv`` of single environments with the same seeds, to
    the bit. An episode that ends starts anew in the same step: its last observation is in
    ``info["terminal_observation"]``, and the native environment's own reset at the next step never
    happens, so no reset ends up among the transitions.

    Args:
        env: the vector environment.

    Raises:
        FieldError: if it is another vector environment.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any]) -> None:
        if not isinstance(getattr(env, "unwrapped", None), StageRouteVectorEnv):
            raise FieldError("env", env, "a StageRouteVectorEnv, wrapped or not")
        self.env = env
        # Gymnasium types it as any vector environment, whose seed is one integer.
        self._native: StageRouteVectorEnv = env.unwrapped  # type: ignore[assignment]
        self._actions: Any = None
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    def reset(self) -> Any:
        """Start new episodes, with the seeds that ``seed`` has set, if it has; the observations."""
        observations, infos = self.env.reset(seed=list(self._seeds))  # type: ignore[arg-type]
        self.reset_infos = _by_row(infos)
        self._reset_seeds()
        self._reset_options()
        return observations

    def step_async(self, actions: NDArray[Any]) -> None:
        """Take the actions for ``step_wait``."""
        self._actions = actions

    def step_wait(self) -> tuple[Any, NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]:
        """Step; observations, rewards, shape (E,), float32, dones, shape (E,), bool, and infos."""
        observations, rewards, dones, _, infos = self.env.step(self._actions)
        rows = _by_row(infos)
        for info in rows:
            info["TimeLimit.truncated"] = False
        if dones.any():
            last, ended = observations, np.flatnonzero(dones).tolist()
            observations, fresh = self.env.reset(options={"reset_mask": dones})
            begun = _by_row(fresh)
            for row in ended:
                rows[row]["terminal_observation"] = _row_of(last, row)
                self.reset_infos[row] = begun[row]
        return observations, rewards.astype(np.float32), dones, rows

    def close(self) -> None:
        """Close the environment."""
        self.env.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """An attribute of the vector environment, once for each of the environments asked for.

        Raises:
            AttributeError: if neither a wrapper nor the environment has it.
        """
        rows = list(self._get_indices(indices))
        if attr_name == _MASKS:
            return [lambda row=row: self._native.action_masks()[row] for row in rows]
        env: Any = self.env
        while not hasattr(env, attr_name) and env is not env.unwrapped:
            env = env.env
        return [getattr(env, attr_name)] * len(rows)

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Refused: one environment holds all rows.

        Raises:
            FieldError: always.
        """
        raise FieldError(attr_name, value, "to be set when the environment is made")

    def env_method(
        self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any
    ) -> list[Any]:
        """``action_masks``, which sb3-contrib calls: shape (N + 1,), bool, for each environment.

        Raises:
            FieldError: if it is another method; they act on all environments at once.
        """
        if method_name != _MASKS:
            raise FieldError("env_method", method_name, _MASKS)
        masks = self._native.action_masks()
        return [masks[row] for row in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: type[Any], indices: Any = None) -> list[bool]:
        """False: single environments' wrappers cannot be on a vector environment."""
        return [False for _ in self._get_indices(indices)]

    def get_images(self) -> Sequence[NDArray[np.uint8] | None]:
        """None: the native vector environment does not render."""
        return [None] * self.num_envs


class JoinedVecEnv(VecEnv):
    """Vector environments of several scenarios as one: the rows of the first, then the next one's.

    Args:
        parts: the vector environments, with the same spaces.

    Raises:
        FieldError: if their spaces differ, as they do with the number of models.
    """

    def __init__(self, parts: Sequence[NativeVecEnv]) -> None:
        first = parts[0]
        for part in parts:
            for space in ("observation_space", "action_space"):
                own, needed = getattr(part, space), getattr(first, space)
                if own != needed:
                    allowed = f"{needed}, as of the first scenario: scenarios of as many models"
                    raise FieldError(space, own, allowed)
        self.parts = list(parts)
        self._ends = np.cumsum([part.num_envs for part in parts])
        super().__init__(int(self._ends[-1]), first.observation_space, first.action_space)

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Seeds of the next episodes, one more in each row."""
        seeds = super().seed(seed)
        for part, end in zip(self.parts, self._ends, strict=True):
            part.seed(seeds[end - part.num_envs])
        return seeds

    def reset(self) -> NDArray[np.float32]:
        """Start new episodes; the observations."""
        observations = np.concatenate([part.reset() for part in self.parts])
        self.reset_infos = [info for part in self.parts for info in part.reset_infos]
        return observations

    def step_async(self, actions: NDArray[Any]) -> None:
        """Take the actions for ``step_wait``."""
        for part, own in zip(self.parts, np.split(actions, self._ends[:-1]), strict=True):
            part.step_async(own)

    def step_wait(self) -> tuple[Any, NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]:
        """Step; as `NativeVecEnv.step_wait`."""
        steps = [part.step_wait() for part in self.parts]
        observations, rewards, dones = (
            np.concatenate([step[place] for step in steps]) for place in range(3)
        )
        self.reset_infos = [info for part in self.parts for info in part.reset_infos]
        return observations, rewards, dones, [info for step in steps for info in step[3]]

    def close(self) -> None:
        """Close the environments."""
        for part in self.parts:
            part.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """An attribute of each of the environments asked for, by `NativeVecEnv.get_attr`."""
        values = [value for part in self.parts for value in part.get_attr(attr_name)]
        return [values[row] for row in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Refused, as by `NativeVecEnv.set_attr`."""
        self.parts[0].set_attr(attr_name, value, indices)

    def env_method(
        self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any
    ) -> list[Any]:
        """``action_masks`` of each of the environments, as by `NativeVecEnv.env_method`."""
        masks = [mask for part in self.parts for mask in part.env_method(method_name)]
        return [masks[row] for row in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: type[Any], indices: Any = None) -> list[bool]:
        """False, as by `NativeVecEnv.env_is_wrapped`."""
        return [False for _ in self._get_indices(indices)]

    def get_images(self) -> Sequence[NDArray[np.uint8] | None]:
        """None: native vector environments do not render."""
        return [None] * self.num_envs


def _by_row(infos: dict[str, Any]) -> list[dict[str, Any]]:
    """One ``info`` for each environment, with the values of a single environment."""
    keys = [key for key in infos if not key.startswith("_")]
    columns = [infos[key].tolist() if infos[key].ndim == 1 else infos[key] for key in keys]
    return [dict(zip(keys, values, strict=True)) for values in zip(*columns, strict=True)]


def _row_of(observations: Any, row: int) -> Any:
    if isinstance(observations, dict):
        return {key: _row_of(values, row) for key, values in observations.items()}
    return observations[row]
