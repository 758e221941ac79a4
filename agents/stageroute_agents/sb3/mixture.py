"""Training over many scenarios: each episode is played in one drawn from a pool."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from stageroute_agents.sb3.vec_env import NativeVecEnv
from stageroute_gym.errors import FieldError


class ScenarioMixture(VecEnv):
    """A ``VecEnv`` of ``num_envs`` episodes, each in an environment drawn from a pool.

    The environments must have one number of models and of query features, so that their flat
    observations fit one network; all else may differ. Two episodes never share an environment.

    Args:
        pool: environments of one episode each, at least ``num_envs``.
        num_envs: episodes that run at a time.

    Raises:
        FieldError: if the pool is too small, or its members differ in shape.
    """

    def __init__(self, pool: Sequence[NativeVecEnv], num_envs: int) -> None:
        if len(pool) < num_envs:
            raise FieldError("pool", len(pool), f"at least num_envs, {num_envs}, environments")
        first = pool[0]
        for env in pool:
            if env.num_envs != 1:
                raise FieldError("num_envs in the pool", env.num_envs, "1")
            if (env.observation_space, env.action_space) != (
                first.observation_space,
                first.action_space,
            ):
                allowed = f"{first.observation_space} and {first.action_space}, as of the first"
                raise FieldError("spaces", (env.observation_space, env.action_space), allowed)
        self._pool = list(pool)
        self._waiting = list(range(num_envs, len(pool)))
        self._playing = list(range(num_envs))
        self._rng = np.random.default_rng()
        self._actions: Any = None
        super().__init__(num_envs, first.observation_space, first.action_space)

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Seed the order of the scenarios, and the episodes in each; a reset has to follow."""
        self._rng = np.random.default_rng(seed)
        for place, env in enumerate(self._pool):
            env.seed(None if seed is None else seed + place)
        return [seed] * self.num_envs

    def reset(self) -> NDArray[np.float32]:
        """Start new episodes; observations, shape (E, D), float32."""
        order = self._rng.permutation(len(self._pool)).tolist()
        self._playing, self._waiting = order[: self.num_envs], order[self.num_envs :]
        return np.concatenate([self._pool[place].reset() for place in self._playing])

    def step_async(self, actions: NDArray[Any]) -> None:
        """Take the actions for ``step_wait``."""
        self._actions = actions

    def step_wait(self) -> tuple[Any, NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]:
        """Step; where an episode ends, the next begins in a scenario that is not being played."""
        observations: list[Any] = []
        rewards = np.empty(self.num_envs, np.float32)
        dones = np.empty(self.num_envs, np.bool_)
        infos: list[dict[str, Any]] = []
        for slot, place in enumerate(self._playing):
            env = self._pool[place]
            rows, reward, done, info = env.step(self._actions[slot : slot + 1])
            rewards[slot], dones[slot] = reward[0], done[0]
            infos += info
            if done[0] and self._waiting:
                drawn = int(self._rng.integers(len(self._waiting)))
                self._waiting[drawn], self._playing[slot] = place, self._waiting[drawn]
                rows = self._pool[self._playing[slot]].reset()
            observations.append(rows)
        return np.concatenate(observations), rewards, dones, infos

    def close(self) -> None:
        """Close all environments of the pool."""
        for env in self._pool:
            env.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """An attribute of each environment that is being played."""
        slots = self._get_indices(indices)
        return [self._pool[self._playing[slot]].get_attr(attr_name)[0] for slot in slots]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Refused, as by `NativeVecEnv`.

        Raises:
            FieldError: always.
        """
        raise FieldError(attr_name, value, "to be set when the environments are made")

    def env_method(
        self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any
    ) -> list[Any]:
        """``action_masks`` of each environment that is being played."""
        slots = self._get_indices(indices)
        return [self._pool[self._playing[slot]].env_method(method_name)[0] for slot in slots]

    def env_is_wrapped(self, wrapper_class: type[Any], indices: Any = None) -> list[bool]:
        """False, as of `NativeVecEnv`."""
        return [False for _ in self._get_indices(indices)]
