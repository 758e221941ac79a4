"""One decision for many queries: an episode of ``T`` queries becomes ``T / n`` decisions."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
from gymnasium import spaces
from gymnasium.vector import VectorEnv, VectorWrapper

from stageroute_gym.checks import count
from stageroute_gym.errors import FieldError
from stageroute_gym.simulator.arrays import ROUTE
from stageroute_gym.vector import StageRouteVectorEnv


class HoldDecision(gym.Wrapper[Any, Any, Any, Any], gym.utils.RecordConstructorArgs):
    """A routing decision holds for up to ``queries`` queries; deploy steps pass through.

    It ends early with the stage, with the episode, or, with discrete actions, as soon as the mask
    forbids it (the model has no token left). The reward, ``info["score"]`` and ``info["cost"]`` are
    sums over its queries; all else in ``info`` is as after the last of them.

    Args:
        env: an environment with the `Dict` observation.
        queries: how many queries ``n`` a decision holds for, at least 1.

    Raises:
        FieldError: if ``queries`` is not such a number, or the observation has another form.
    """

    def __init__(self, env: gym.Env[Any, Any], *, queries: int) -> None:
        queries = count("queries", queries, 1)
        gym.utils.RecordConstructorArgs.__init__(self, queries=queries)
        gym.Wrapper.__init__(self, env)
        if not isinstance(env.observation_space, spaces.Dict):
            allowed = "the environment's own Dict; put other wrappers on top of HoldDecision"
            raise FieldError("observation space", env.observation_space, allowed)
        self.queries = queries
        self._discrete = isinstance(env.action_space, spaces.Discrete)
        self._routing = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start a new episode."""
        self._routing = False
        return self.env.reset(seed=seed, options=options)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Apply one deploy step, or one routing decision to the coming queries."""
        total_reward, score, cost = 0.0, 0.0, 0.0
        for _ in range(self.queries if self._routing else 1):
            observation, reward, terminated, truncated, info = self.env.step(action)
            total_reward += float(reward)
            score += info["score"]
            cost += info["cost"]
            self._routing = bool(observation["phase"][0] == ROUTE)
            if terminated or truncated or not self._routing:
                break
            if self._discrete and not observation["action_mask"][action]:
                break
        info["score"], info["cost"] = score, cost
        return observation, total_reward, terminated, truncated, info


class VectorHoldDecision(VectorWrapper):
    """`HoldDecision` for the native vector environment, in compiled code.

    Args:
        env: a `StageRouteVectorEnv` itself: while one episode holds a decision, others wait, which
            only its state allows.
        queries: as for `HoldDecision`.

    Raises:
        FieldError: if ``queries`` is not such a number, or the environment is another.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any], *, queries: int) -> None:
        own = isinstance(env.single_observation_space, spaces.Dict)
        if not (isinstance(env, StageRouteVectorEnv) and own):
            allowed = "a StageRouteVectorEnv with the Dict observation; put other wrappers on top"
            raise FieldError("env", env, allowed)
        super().__init__(env)
        self.queries = count("queries", queries, 1)
        self._native = env

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Apply one deploy step or routing decision in each, or reset those that are over.

        Raises:
            InvalidAction: if an action is not allowed.
            FieldError: before the first reset.
        """
        return self._native.hold(actions, self.queries)
