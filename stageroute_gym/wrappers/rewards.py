"""Reward shaping by a price of the budget, fixed or adapted by dual ascent."""

from __future__ import annotations

import math
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import VectorEnv, VectorWrapper
from numpy.typing import NDArray

from stageroute_gym.errors import FieldError


def ahead_of_pace(
    spend: NDArray[np.float64], queries: NDArray[np.int64], budget: float
) -> NDArray[np.float64]:
    """How far a spend runs ahead of an even pace, in budgets ``b`` of a query; 0 if it does not.

    Args:
        spend: USD, shape (...).
        queries: consumed so far, shape (...).
        budget: USD a query, ``b``.
    """
    return np.maximum(spend / budget - queries, 0.0)


class _Price:
    """The price of spending one query's budget, in score.

    With a ``step_size`` above 0 it is raised after an episode by ``step_size (spend / (b t) - 1)``
    for the ``t`` queries that the episode got to, and never falls below 0: dual ascent on the
    Lagrangian of the budget constraint, as in constrained reinforcement learning. Queries got to,
    not the horizon: under the rule ``hard`` no episode can spend much more than ``b T``.
    """

    def __init__(self, price: float, step_size: float, env: Any) -> None:
        for field, value in (("price", price), ("step_size", step_size)):
            if not (math.isfinite(value) and value >= 0):
                raise FieldError(field, value, "a finite number, at least 0")
        self.value = float(price)
        self.step_size = float(step_size)
        self.budget: float = env.unwrapped.problem.budget

    def adapt(self, spend: float, queries: int) -> None:
        """Learn from an episode that is over."""
        excess = spend / (self.budget * max(queries, 1)) - 1.0
        self.value = max(0.0, self.value + self.step_size * excess)


class BudgetPrice(gym.Wrapper[Any, Any, Any, Any], gym.utils.RecordConstructorArgs):
    """Reward less ``price`` times what the step spent, in budgets ``b`` of a query.

    Args:
        env: the environment.
        price: the price, or where it starts; the score that a cost of ``b`` has to be worth.
        step_size: how fast the price adapts after each episode; 0 keeps it fixed.

    Raises:
        FieldError: if a number is negative or not finite.
    """

    def __init__(
        self, env: gym.Env[Any, Any], *, price: float = 0.0, step_size: float = 0.0
    ) -> None:
        gym.utils.RecordConstructorArgs.__init__(self, price=price, step_size=step_size)
        gym.Wrapper.__init__(self, env)
        self._price = _Price(price, step_size, env)
        self._spend = 0.0

    @property
    def price(self) -> float:
        """The price as it stands."""
        return self._price.value

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start a new episode; the price stays."""
        self._spend = 0.0
        return self.env.reset(seed=seed, options=options)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Step, and charge what it spent."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        charge = self._price.value * (info["spend"] - self._spend) / self._price.budget
        self._spend = info["spend"]
        if terminated:
            self._price.adapt(info["spend"], info["t"])
        return observation, float(reward) - charge, terminated, truncated, info


class VectorBudgetPrice(VectorWrapper):
    """`BudgetPrice` for a vector environment; one price for all, adapted by each episode's end.

    Args:
        env: the vector environment.
        price: as for `BudgetPrice`.
        step_size: as for `BudgetPrice`.

    Raises:
        FieldError: if a number is negative or not finite.
    """

    def __init__(
        self, env: VectorEnv[Any, Any, Any], *, price: float = 0.0, step_size: float = 0.0
    ) -> None:
        super().__init__(env)
        self._price = _Price(price, step_size, env)
        self._spend: NDArray[np.float64] = np.zeros(self.num_envs)

    @property
    def price(self) -> float:
        """The price as it stands."""
        return self._price.value

    def reset(self, **arguments: Any) -> tuple[Any, dict[str, Any]]:
        """Start new episodes; the price stays."""
        observations, infos = self.env.reset(**arguments)
        self._spend = np.where(infos["_spend"], infos["spend"], self._spend)
        return observations, infos

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Step, and charge what it spent; a step that only resets is not charged."""
        observations, rewards, terminated, truncated, infos = self.env.step(actions)
        # The spend falls only where a new episode has begun, by a step that spends nothing.
        spent = np.maximum(infos["spend"] - self._spend, 0.0)
        rewards = rewards - self._price.value * spent / self._price.budget
        self._spend = infos["spend"]
        for row in np.flatnonzero(terminated).tolist():
            self._price.adapt(float(infos["spend"][row]), int(infos["t"][row]))
        return observations, rewards, terminated, truncated, infos
